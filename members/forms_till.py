"""What is typed at a till, and what a member says of a use."""

from django import forms
from django.utils.translation import gettext_lazy as _

# The token of a QR code, with room for what a scanner puts around it.
LONGEST_CODE = 100


class CodeForm(forms.Form):
    """Scanned or typed: the same field."""

    code = forms.CharField(
        label=_("Code of the card"),
        max_length=LONGEST_CODE,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "inputmode": "numeric", "enterkeyhint": "go"}
        ),
        help_text=_("Twelve digits below the QR code, or from the member's printed sheet."),
    )


class ChoiceForm(forms.Form):
    """One of the offers shown, by number and revision."""

    offer = forms.RegexField(label=_("Offer"), regex=r"^[0-9]{1,18}:[0-9]{1,9}$")

    def chosen(self) -> tuple[int, int]:
        """The offer's number and the revision that was shown."""
        number, revision = self.cleaned_data["offer"].split(":")
        return int(number), int(revision)


class UndoForm(forms.Form):
    """Why a use is taken back."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        min_length=2,
        help_text=_("The member and the union read it."),
    )


class RatingForm(forms.Form):
    """One to five stars, and words if one likes."""

    stars = forms.TypedChoiceField(
        label=_("How was it?"),
        coerce=int,
        choices=[
            (5, _("5 – very good")),
            (4, _("4 – good")),
            (3, _("3 – fair")),
            (2, _("2 – poor")),
            (1, _("1 – bad")),
        ],
        widget=forms.RadioSelect,
    )
    words = forms.CharField(
        label=_("In your words"),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Shown without your name."),
    )
