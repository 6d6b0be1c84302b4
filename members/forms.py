"""What members type at their first log-in."""

from django import forms
from django.utils.translation import gettext_lazy as _

from union_portal.forms import IdentityField


class AskCodeForm(forms.Form):
    """Who one is: the answer is the same whether such a person exists or not."""

    name = forms.CharField(
        label=_("Name"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    national_id = IdentityField(help_text=_("The 18 characters on your identity card."))


class CompleteForm(forms.Form):
    """The code from the phone, and the password from now on."""

    code = forms.CharField(
        label=_("Code from the SMS"),
        max_length=12,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    password = forms.CharField(
        label=_("New password"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least twelve characters; a short sentence is easy to remember."),
    )
    again = forms.CharField(
        label=_("The password once more"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, object]:
        super().clean()
        if self.cleaned_data.get("password") != self.cleaned_data.get("again"):
            self.add_error("again", _("The two passwords differ."))
        return self.cleaned_data
