"""A password hasher that counts: work is compared by counting it, never by a clock."""

from django.contrib.auth.hashers import MD5PasswordHasher

hashed: list[str] = []


class CountingHasher(MD5PasswordHasher):
    """Quick, and notes every time it is asked to work."""

    def encode(self, password: str, salt: str) -> str:
        hashed.append("once")
        return str(super().encode(password, salt))
