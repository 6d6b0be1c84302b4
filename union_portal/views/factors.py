"""Removing a passkey: the last second factor stays while a role needs it."""

from typing import Any

from allauth.mfa.webauthn.views import RemoveWebAuthnView
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from union_portal import factors


class RemovePasskeyView(RemoveWebAuthnView):
    """allauth asks its adapter about authenticator apps only: here passkeys are asked about too."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not factors.may_remove(self.get_object()):
            messages.error(
                request,
                _("Your roles need a second factor. Add another one, then remove this one."),
            )
            return redirect("mfa_list_webauthn")
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer
