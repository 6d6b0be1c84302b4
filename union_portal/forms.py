"""Forms of the kernel's pages: they read what was typed, actions decide."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from union_portal.kit import money, names, phone
from union_portal.kit.identity import read_national_id
from union_portal.kit.refusals import SENTENCE, ManyRefused, Refused


class ReadField(forms.CharField):
    """Text read by one of the kit's readers; its refusal becomes the field's error."""

    def __init__(self, *, reader: Callable[[str], Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reader = reader

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return text
        try:
            return self.reader(text)
        except Refused as refusal:
            raise ValidationError(str(refusal)) from refusal


class IdentityField(ReadField):
    """An identity number, cleaned to its 18 characters; what is wrong with it stands here."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Identity number"))
        kwargs.setdefault("widget", forms.TextInput(attrs={"autocomplete": "off"}))
        kwargs.setdefault("max_length", 40)
        super().__init__(reader=_number, **kwargs)


def _number(text: str) -> str:
    return read_national_id(text, today=timezone.localdate()).number


def judge(
    form: forms.Form, field: str, rule: Callable[..., Any], *values: Any, **named: Any
) -> None:
    """Ask a rule about what was read; its refusal stands at the field it names, or at this one."""
    try:
        rule(*values, **named)
    except Refused as refusal:
        refuse(form, refusal, at=field)


def refuse(form: forms.Form, refusal: Exception, *, at: str = "") -> None:
    """Put a refusal where it is mended: each fault at its field, or above the whole form.

    A field that could not be read has its fault already; what follows from that is not told.
    """
    for named, text in _faults(refusal):
        field = named or at
        if field not in form.fields:
            form.add_error(None, text)
        elif not form.has_error(field):
            form.add_error(field, text)


def _faults(refusal: Exception) -> list[tuple[str, str]]:
    """Every fault of a refusal: the field it names, or none, and its sentence."""
    if isinstance(refusal, ManyRefused):
        return [(fault.at, str(fault)) for fault in refusal.faults]
    if isinstance(refusal, ValidationError):
        return [("", text) for text in refusal.messages]
    return [(refusal.at if isinstance(refusal, Refused) else "", str(refusal))]


class SentenceField(forms.CharField):
    """What others have to understand later; the action asks for as much (`require_sentence`)."""

    def __init__(self, *, rows: int = 4, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": rows}))
        kwargs.setdefault(
            "error_messages", {"min_length": _("Write at least ten characters of explanation.")}
        )
        super().__init__(min_length=SENTENCE, **kwargs)


class YuanField(ReadField):
    """An amount typed in yuan, cleaned to fen; empty is None."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", _("In yuan, at most two decimals."))
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal"}))
        kwargs.setdefault("max_length", 20)
        super().__init__(reader=money.fen_as_typed, **kwargs)

    def clean(self, value: Any) -> int | None:
        cleaned = super().clean(value)
        return cleaned if cleaned != "" else None


class ObjectionForm(forms.Form):
    """An objection under one's real name, or a body's under its seal."""

    objector = forms.CharField(
        label=_("Your real name, or the name of the body"),
        max_length=60,
        help_text=_("Objections without a name can't be examined. It is not published."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    is_body = forms.BooleanField(
        label=_("I write for a body and will send the sheet with its seal"), required=False
    )
    phone = forms.CharField(
        label=_("Phone"),
        max_length=20,
        required=False,
        help_text=_("So that we can ask back and tell you the outcome. A body may leave it empty."),
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )
    text = forms.CharField(
        label=_("What is wrong, and how you know"),
        min_length=SENTENCE,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"min_length": _("Write at least ten characters: what, when, how known.")},
    )

    def clean(self) -> dict[str, Any]:
        super().clean()
        is_body = self.cleaned_data.get("is_body", False)
        if not is_body and "phone" in self.cleaned_data and not self.cleaned_data["phone"]:
            self.add_error("phone", _("Without a phone number nobody can ask you back."))
        self._read("phone", phone.read_mobile)
        if not is_body:
            self._read("objector", names.read_name)
        return self.cleaned_data

    def _read(self, field: str, reader: Callable[[str], str]) -> None:
        """Replace what was typed by what is meant; a refusal stands at its field."""
        text = self.cleaned_data.get(field)
        if not text:
            return
        try:
            self.cleaned_data[field] = reader(text)
        except Refused as refusal:
            self.add_error(field, str(refusal))
