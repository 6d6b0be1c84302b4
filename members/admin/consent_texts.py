"""Texts of consent: drafted, corrected, adopted by a second person."""

from typing import Any

from django import forms
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.actions import consents
from members.models import ConsentPurpose, ConsentText
from union_portal.access import Permission
from union_portal.admin.buttons import Button, Text, every, not_by
from union_portal.admin.fields import DateInput
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.trail import name_acts
from union_portal.models import Account

name_acts(
    {
        "consent_text.draft": gettext_noop("Text of a consent drafted"),
        "consent_text.edit": gettext_noop("Draft corrected"),
        "consent_text.adopt": gettext_noop("Text of a consent adopted"),
        "consent.give": gettext_noop("Consent given"),
        "consent.withdraw": gettext_noop("Consent withdrawn"),
    }
)


class TextForm(forms.Form):
    text = forms.CharField(
        label=_("Text"), max_length=4000, widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_("Who, what for, which data, how long, and what follows from saying no."),
    )  # fmt: skip
    text_en = forms.CharField(
        label=_("English text"), max_length=4000, widget=forms.Textarea(attrs={"rows": 8})
    )
    valid_from = forms.DateField(
        label=_("Valid from"), initial=timezone.localdate, widget=DateInput()
    )


class DraftForm(TextForm):
    purpose = forms.ChoiceField(label=_("Purpose"), choices=ConsentPurpose.choices)
    field_order = ("purpose", "text", "text_en", "valid_from")


def edit_form(text: ConsentText, by: Account) -> type[forms.Form]:
    class EditForm(TextForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["initial"] = {
                "text": text.text, "text_en": text.text_en, "valid_from": text.valid_from
            }  # fmt: skip
            super().__init__(*args, **kwargs)

    return EditForm


def _draft(obj: None, by: Account, data: dict[str, Any]) -> str:
    made = consents.draft(by=by, **data)
    return reverse("admin:members_consenttext_change", args=[made.pk])


def _edit(text: ConsentText, by: Account, data: dict[str, Any]) -> None:
    consents.edit_draft(
        text=text, words=data["text"], words_en=data["text_en"],
        valid_from=data["valid_from"], by=by,
    )  # fmt: skip


def _is_adopted(text: ConsentText, account: Account) -> Text | None:
    return _("It is adopted: write the next version.") if text.adopted_at else None


@admin.register(ConsentText)
class ConsentTextAdmin(ScopedModelAdmin):
    section = "rules"
    icon = "handshake"
    order = 40
    view_permissions = (Permission.RULES_EDIT, Permission.RULES_ADOPT, Permission.TRAIL_VIEW)
    scope_path = None
    list_display = ("purpose", "version", "valid_from", "written_by", "adopted_by", "adopted_at")
    list_filter = ("purpose",)
    list_select_related = ("written_by", "adopted_by")
    search_fields = ("text", "text_en")
    empty_hint = _("Write the first text of a purpose; nobody is asked before it is adopted.")
    fields = (
        "purpose",
        "version",
        "text",
        "text_en",
        "valid_from",
        "written_by",
        "adopted_by",
        "adopted_at",
    )
    readonly_fields = fields
    list_buttons = (
        Button(
            name="draft",
            label=_("Write a text"),
            permission=Permission.RULES_EDIT,
            act=_draft,
            explain=_("The next version of a purpose; people are asked once it is adopted."),
            form=DraftForm,
        ),
    )
    buttons = (
        Button(
            name="edit",
            label=_("Correct the draft"),
            permission=Permission.RULES_EDIT,
            act=_edit,
            explain=_("Whoever changes it last is its author and does not adopt it."),
            why_not=_is_adopted,
            form_for=edit_form,
        ),
        Button(
            name="adopt",
            label=_("Adopt"),
            permission=Permission.RULES_ADOPT,
            act=lambda obj, by, data: consents.adopt(text=obj, by=by, now=timezone.now()),
            explain=_("From its day on people are asked for it anew, whatever they agreed to."),
            done=_("The text is adopted."),
            why_not=every(_is_adopted, not_by("written_by", _("You wrote this text."))),
            danger=True,
        ),
    )
