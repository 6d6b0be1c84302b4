"""allauth's forms for second factors, where this portal has a better word for a field or fault."""

from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

NAME = pgettext_lazy("of a thing", "Name")


class ActivateAppForm(ActivateTOTPForm):
    """The first code of a new app: nobody has a recovery code yet that could stand for it."""

    def clean_code(self) -> str:
        try:
            return str(super().clean_code())
        except ValidationError as fault:
            if fault.code != "incorrect_code":
                raise
            raise ValidationError(
                _(
                    "The code does not fit. Enter the six digits that the app shows now; if they do"
                    " not fit either, let the phone set its clock by itself."
                ),
                code=fault.code,
            ) from fault


class AddPasskeyForm(AddWebAuthnForm):
    name = forms.CharField(label=NAME, required=False)


class RenamePasskeyForm(EditWebAuthnForm):
    name = forms.CharField(label=NAME)
