"""Forms of the welfare app's pages."""

from django import forms
from django.utils.translation import gettext_lazy as _


class DisputeForm(forms.Form):
    """What is wrong with a line, in the merchant's words."""

    words = forms.CharField(
        label=_("What is wrong"),
        min_length=10,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("At least ten characters: what happened instead, and how you know."),
    )
