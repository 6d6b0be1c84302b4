"""Bank formats: how each bank wants its file and writes its answer."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from union_portal.access import Permission
from union_portal.admin.buttons import Button
from union_portal.admin.json_objects import JsonObjectField, in_full, written
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.trail import Step, trail_of
from union_portal.models import Account
from welfare.actions import bank_formats
from welfare.admin.shown import column
from welfare.disbursement.models import BankFormat


class DefinitionForm(forms.Form):
    """The layout as JSON: settings, columns and the words the bank answers with."""

    name = forms.CharField(label=_("Name of the format"), max_length=120)
    definition = JsonObjectField(
        rows=22,
        label=_("Definition (JSON)"),
        max_length=20_000,
        help_text=_("Unknown settings and fields are refused by name; the shipped formats help."),
    )
    is_active = forms.BooleanField(label=_("In use"), required=False, initial=True)


class NewFormatForm(DefinitionForm):
    code = forms.SlugField(label=pgettext_lazy("of a thing", "Code"), max_length=40)
    field_order = ("code", "name", "definition", "is_active")

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if BankFormat.objects.filter(code=code).exists():
            raise ValidationError(_("There is a format of this code already: change that one."))
        return code


def change_form(bank_format: BankFormat, by: Account) -> type[forms.Form]:
    class ChangeForm(DefinitionForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["initial"] = {
                "name": bank_format.name,
                "definition": written(bank_format.definition),
                "is_active": bank_format.is_active,
            }
            super().__init__(*args, **kwargs)

    return ChangeForm


def _describe(obj: BankFormat | None, by: Account, data: dict[str, Any]) -> str:
    code = obj.code if obj is not None else data.pop("code")
    made = bank_formats.describe(code=code, by=by, **data)
    return reverse("admin:disbursement_bankformat_change", args=[made.pk])


@admin.register(BankFormat)
class BankFormatAdmin(ScopedModelAdmin):
    section = "money"
    icon = "data_object"
    order = 70
    view_permissions = (Permission.BATCH_VIEW,)
    scope_path = None
    list_display = ("shown_name", "code", "kind", "encoding", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "code")
    fields = ("shown_name", "code", "is_active", "shown_definition")
    readonly_fields = fields
    list_buttons = (
        Button(
            name="new",
            label=_("Describe a new format"),
            permission=Permission.BATCH_SETTLE,
            act=_describe,
            explain=_("A bank's layout needs no programming where columns suffice."),
            done=_("The format is kept."),
            form=NewFormatForm,
            reauth=True,
        ),
    )
    buttons = (
        Button(
            name="change",
            label=_("Change"),
            permission=Permission.BATCH_SETTLE,
            act=_describe,
            explain=_("The next batches are written so; files that left stay as they are."),
            done=_("The format is kept."),
            form_for=change_form,
            reauth=True,
        ),
    )

    shown_name = column("name", _("bank format"))

    @admin.display(description=_("kind"))
    def kind(self, bank_format: BankFormat) -> str:
        return str(bank_format.definition.get("kind", "–"))

    @admin.display(description=_("encoding"))
    def encoding(self, bank_format: BankFormat) -> str:
        return str(bank_format.definition.get("encoding", "utf-8"))

    @admin.display(description=_("definition"))
    def shown_definition(self, bank_format: BankFormat) -> Any:
        return in_full(bank_format.definition)

    def trail(self, request: HttpRequest, obj: BankFormat) -> list[Step]:
        return trail_of(obj)
