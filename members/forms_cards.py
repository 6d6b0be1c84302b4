"""What members fill in about their service card."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from members.models import CardBank, ConsentText


class CardApplyForm(forms.Form):
    """The bank, where there is a choice, and the consent to giving it the data."""

    bank = forms.ModelChoiceField(label=_("Bank"), queryset=CardBank.objects.none())
    agrees = forms.BooleanField(
        label=_("I agree to this"),
        error_messages={"required": _("Without your consent the bank can't be told who you are.")},
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, text: ConsentText | None, only: CardBank | None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        banks = CardBank.objects.filter(is_active=True)
        if only is not None:
            banks = banks.filter(pk=only.pk)
        self.fields["bank"].queryset = banks  # type: ignore[attr-defined]
        self.fields["bank"].initial = banks.first()
        self.fields["version"].initial = text.version if text else 0


class CardActivateForm(forms.Form):
    number = forms.CharField(
        label=_("Number on the card"),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=_("All the digits on its front: this shows that you hold it."),
    )
