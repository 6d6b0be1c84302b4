"""Log-in by name and password; Django's permission questions answered by the roles."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from union_portal import access
from union_portal.access import Permission

_NAMES = frozenset(permission.value for permission in Permission)

FindName = Callable[[str], str]
_finders: list[FindName] = []


def find_name_by(finder: FindName) -> FindName:
    """Register who knows a log-in name by something else that was typed: '' for nobody's.

    It does the same work whether it finds somebody or not.
    """
    _finders.append(finder)
    return finder


class RoleBackend(ModelBackend):
    """`user.has_perm("portal.batch_release")` asks the roles; anything else is no."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **more: Any,
    ) -> Any:
        """By name, or by what stands for a name. The lock counts what was typed, before this."""
        found = next((name for find in _finders if (name := find(username or ""))), username)
        return super().authenticate(request, username=found, password=password, **more)

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        prefix, _dot, name = perm.partition(".")
        if prefix != "portal" or name not in _NAMES:
            return False
        return access.may(user_obj, Permission(name), obj)

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return {
            f"portal.{permission}" for permission in Permission if access.may(user_obj, permission)
        }

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return set()

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return set()

    def with_perm(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("ask union_portal.access instead")
