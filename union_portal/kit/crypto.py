"""Sealing of personal data: authenticated encryption with versioned keys, and blind index.

Blob: one byte algorithm, one byte key version, 12 bytes nonce, ciphertext with 16 bytes tag.
The kind of datum is authenticated with it: SQL may copy a sealed value between tables, but a
phone number pasted where an identity number belongs does not open. (GB/T 39786-2021 asks for
SM4 where a system is assessed, hence the choice per key version.)
"""

import base64
import binascii
import hmac
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.utils.translation import gettext_noop

from union_portal.kit.refusals import Refused

Algorithm = Literal["aes", "sm4"]
Blob = bytes | bytearray | memoryview

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_HEADER_BYTES: Final = 2
_CODES: Final[dict[Algorithm, int]] = {"aes": 1, "sm4": 2}


class KeyringError(Refused):
    """Keys that cannot be used; never carries key material."""


class SealBroken(Refused):
    """A sealed value that is damaged, of another kind, or sealed with an unknown key."""


class _Aead(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...


class _Sm4Gcm:
    """SM4-GCM with the interface of AESGCM; its 128-bit key is derived from the 256-bit one."""

    def __init__(self, key: bytes) -> None:
        derived = HKDF(algorithm=hashes.SM3(), length=16, salt=None, info=b"union sm4-gcm")
        self._cipher = algorithms.SM4(derived.derive(key))

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        encryptor = Cipher(self._cipher, modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(associated_data)
        return encryptor.update(data) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        body, tag = data[:-_TAG_BYTES], data[-_TAG_BYTES:]
        decryptor = Cipher(self._cipher, modes.GCM(nonce, tag)).decryptor()
        decryptor.authenticate_additional_data(associated_data)
        return decryptor.update(body) + decryptor.finalize()


@dataclass(frozen=True)
class Key:
    """One version of the encryption key."""

    algorithm: Algorithm
    secret: bytes = field(repr=False)

    def aead(self) -> _Aead:
        return AESGCM(self.secret) if self.algorithm == "aes" else _Sm4Gcm(self.secret)


def generate_key() -> str:
    """A fresh random key as base64 text, for a configuration file."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode("ascii")


@dataclass(frozen=True, repr=False)
class Keyring:
    """The keys of one installation: every version that may open, the one that seals now,
    and the key of the blind index, which is never rotated silently because look-ups and
    uniqueness depend on it.
    """

    keys: Mapping[int, Key]
    current: int
    index_key: bytes
    _aeads: dict[int, _Aead] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        _check(self.keys, self.current, self.index_key)
        aeads = {version: key.aead() for version, key in self.keys.items()}
        object.__setattr__(self, "_aeads", aeads)

    def __repr__(self) -> str:
        versions = ", ".join(f"{v}:{k.algorithm}" for v, k in sorted(self.keys.items()))
        return f"<Keyring {versions}; current {self.current}>"

    @classmethod
    def from_config(
        cls,
        keys: str | Mapping[int | str, str],
        *,
        index_key: str,
        current: int | None = None,
    ) -> "Keyring":
        """Keyring from ``"1:aes:BASE64,2:sm4:BASE64"`` or ``{1: "aes:BASE64"}``.

        The last one named seals unless ``current`` names another: so a new key is first made
        known everywhere, in front, and seals once every process can open it. Errors:
        KeyringError, naming the part that is wrong and never its content.
        """
        parsed = _parse(keys)
        return cls(
            keys=parsed,
            current=next(reversed(parsed), 0) if current is None else current,
            index_key=_decode(index_key, gettext_noop("index key")),
        )

    def seal(self, kind: str, text: str) -> bytes:
        """Encrypt one value under the current key."""
        return self.seal_many(kind, (text,))[0]

    def seal_many(self, kind: str, texts: Iterable[str]) -> list[bytes]:
        """Encrypt many values of one kind under the current key."""
        header = bytes((_CODES[self.keys[self.current].algorithm], self.current))
        aad, encrypt = header + kind.encode(), self._aeads[self.current].encrypt
        sealed = []
        for text in texts:
            nonce = os.urandom(_NONCE_BYTES)
            sealed.append(header + nonce + encrypt(nonce, text.encode(), aad))
        return sealed

    def open(self, kind: str, blob: Blob) -> str:
        """Decrypt one value; SealBroken if it was altered, is of another kind or has no key."""
        raw = bytes(blob)
        version = self.key_version(raw)
        nonce_end = _HEADER_BYTES + _NONCE_BYTES
        aad = raw[:_HEADER_BYTES] + kind.encode()
        aead = self._aeads[version]
        try:
            opened = aead.decrypt(raw[_HEADER_BYTES:nonce_end], raw[nonce_end:], aad)
        except InvalidTag:
            raise _broken() from None
        return opened.decode()

    def open_many(self, kind: str, blobs: Iterable[Blob]) -> list[str]:
        """Decrypt many values of one kind; the first broken one raises SealBroken."""
        return [self.open(kind, blob) for blob in blobs]

    def key_version(self, blob: Blob) -> int:
        """Version of the key that sealed the value; SealBroken if this ring cannot open it."""
        raw = bytes(blob[: _HEADER_BYTES + _NONCE_BYTES + _TAG_BYTES])
        if len(raw) < _HEADER_BYTES + _NONCE_BYTES + _TAG_BYTES:
            raise _broken()
        key = self.keys.get(raw[1])
        if key is None:
            raise SealBroken(
                gettext_noop(
                    "The value was sealed with key version %(version)s, which is missing."
                ),
                gettext_noop("Add this key version to the configuration again."),
                {"version": raw[1]},
            )
        if _CODES[key.algorithm] != raw[0]:
            raise _broken()
        return raw[1]

    def reseal(self, kind: str, blob: Blob) -> bytes:
        """The same value under the current key; already current values are returned as is."""
        if self.key_version(blob) == self.current:
            return bytes(blob)
        return self.seal(kind, self.open(kind, blob))

    def fingerprint(self, kind: str, normalised_text: str) -> str:
        """Keyed hash for look-up and uniqueness: HMAC-SHA256, 64 hex characters."""
        return self.fingerprint_many(kind, (normalised_text,))[0]

    def fingerprint_many(self, kind: str, normalised_texts: Iterable[str]) -> list[str]:
        """Keyed hashes of many values of one kind."""
        prefix, secret, digest = kind.encode() + b"\0", self.index_key, hmac.digest
        return [digest(secret, prefix + text.encode(), "sha256").hex() for text in normalised_texts]


def _broken() -> SealBroken:
    return SealBroken(
        gettext_noop("A sealed value cannot be opened: it was altered or belongs elsewhere."),
        gettext_noop("Restore the row from the audit trail or a backup."),
    )


def _check(keys: Mapping[int, Key], current: int, index_key: bytes) -> None:
    if current not in keys:
        raise KeyringError(
            gettext_noop("The current encryption key (version %(version)s) is missing."),
            gettext_noop('Configure keys as "1:aes:BASE64", separated by commas.'),
            {"version": current},
        )
    for version, key in keys.items():
        if not 1 <= version <= 255 or len(key.secret) != KEY_BYTES:
            raise _bad_part(str(version))
    if len(index_key) != KEY_BYTES:
        raise _bad_part(gettext_noop("index key"))
    if any(hmac.compare_digest(key.secret, index_key) for key in keys.values()):
        raise KeyringError(
            gettext_noop("The index key must differ from the encryption keys."),
            gettext_noop("Generate a separate random key of 32 bytes."),
        )


def _bad_part(part: str) -> KeyringError:
    return KeyringError(
        gettext_noop("The encryption key configuration is wrong at: %(part)s."),
        gettext_noop("Each key is VERSION:aes:BASE64 or VERSION:sm4:BASE64 of 32 random bytes."),
        {"part": part},
    )


def _parse(keys: str | Mapping[int | str, str]) -> dict[int, Key]:
    if isinstance(keys, str):
        parts = [part.strip().partition(":") for part in keys.split(",") if part.strip()]
        pairs = [(version, rest) for version, _, rest in parts]
    else:
        pairs = [(str(version), rest) for version, rest in keys.items()]
    parsed: dict[int, Key] = {}
    for position, (version, rest) in enumerate(pairs, start=1):
        number = int(version) if version.isascii() and version.isdigit() else 0
        name, _, secret = rest.partition(":")
        if number in parsed or not 1 <= number <= 255 or name not in _CODES:
            raise _bad_part(f"#{position}")
        algorithm: Algorithm = "aes" if name == "aes" else "sm4"
        parsed[number] = Key(algorithm, _decode(secret, f"#{position}"))
    return parsed


def _decode(text: str, part: str) -> bytes:
    try:
        secret = base64.b64decode(text.strip().translate(_URL_SAFE), validate=True)
    except (binascii.Error, ValueError):
        raise _bad_part(part) from None
    if len(secret) != KEY_BYTES:
        raise _bad_part(part)
    return secret


_URL_SAFE = str.maketrans("-_", "+/")
