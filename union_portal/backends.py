"""Log-in by name and password; Django's permission questions answered by the roles."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from union_portal import access
from union_portal.access import Permission

_NAMES = frozenset(permission.value for permission in Permission)


class RoleBackend(ModelBackend):
    """`user.has_perm("portal.batch_release")` asks the roles; anything else is no."""

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
