"""Who may call an endpoint. One that names no gate opens for nobody.

A gate asks `access` for a permission held anywhere; which rows it is held for is told by the
queries, as on the pages: what lies elsewhere does not exist.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from django.http import Http404
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from union_portal import access
from union_portal.access import Permission

if TYPE_CHECKING:
    from union_portal.models import Account


class Gate(BasePermission):
    """Opens for nobody. `told` says in the description of the API whom it opens for."""

    told = "nobody"
    is_public = False

    def has_permission(self, request: Request, view: Any) -> bool:
        return False


class Anybody(Gate):
    """What the public pages show as well; a token is not even looked at."""

    told = "everybody, without a token"
    is_public = True

    def has_permission(self, request: Request, view: Any) -> bool:
        return True


class WithToken(Gate):
    """Whoever is logged in."""

    told = "every log-in"

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user and request.user.is_authenticated)


class Holding(WithToken):
    """Whoever holds one of the permissions somewhere."""

    def __init__(self, *permissions: Permission) -> None:
        self.permissions = permissions
        self.told = "staff who hold " + " or ".join(f"`{one}`" for one in permissions)

    def has_permission(self, request: Request, view: Any) -> bool:
        return super().has_permission(request, view) and any(
            access.may(view.account, one) for one in self.permissions
        )


class ActingFor(WithToken):
    """Whoever stands for something that `find` tells: a till, a member.

    It is put on the view as `acting`. For everybody else the address does not exist.
    """

    def __init__(self, find: Callable[[Account], Any], told: str) -> None:
        self.find = find
        self.told = told

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        view.acting = self.find(view.account)
        if view.acting is None:
            raise Http404
        return True


class ActingOrHolding(ActingFor):
    """Both: whoever stands for something reads their own, staff what lies within their reach.

    `acting` is None for staff. For everybody else the address does not exist.
    """

    def __init__(self, find: Callable[[Account], Any], told: str, *permissions: Permission) -> None:
        super().__init__(find, told)
        self.permissions = permissions
        self.told = f"{told}; {Holding(*permissions).told}"

    def has_permission(self, request: Request, view: Any) -> bool:
        if not WithToken.has_permission(self, request, view):
            return False
        view.acting = self.find(view.account)
        if view.acting is None and not any(
            access.may(view.account, one) for one in self.permissions
        ):
            raise Http404
        return True


NOBODY: Final = Gate()
ANYBODY: Final = Anybody()
WITH_TOKEN: Final = WithToken()
