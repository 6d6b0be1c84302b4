"""Banks that issue cards: where to call, how their files are laid out, whom they serve."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from members.actions import card_banks
from members.models import CardBank
from members.rules.card_applicants import TIANJIN
from members.rules.card_layouts import SAMPLES
from union_portal.access import Permission
from union_portal.admin.buttons import Button
from union_portal.admin.json_objects import JsonObjectField, in_full, written
from union_portal.admin.pages import Panel
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.shown import column
from union_portal.admin.trail import Step, trail_of
from union_portal.models import Account


class BankForm(forms.Form):
    name = forms.CharField(label=_("Name of the bank"), max_length=80)
    hotline = forms.CharField(
        label=_("Phone of the bank"),
        max_length=30,
        help_text=_("Members who lose their card are told to call it."),
    )
    prefixes = forms.CharField(
        label=_("First digits of its card numbers"),
        max_length=120,
        required=False,
        help_text=_("With spaces between them; left empty: any."),
    )
    cut_off_day = forms.IntegerField(
        label=_("Cut-off day of the month"),
        min_value=1,
        max_value=28,
        required=False,
        help_text=_("What is approved later goes into the next month's batch; empty: none."),
    )
    layout = JsonObjectField(
        rows=22,
        label=_("Layout of its files (JSON)"),
        max_length=20_000,
        help_text=_("The samples below help: copy one and change it to what the bank asks for."),
    )
    conditions = JsonObjectField(
        rows=4,
        label=_("Who gets no card of it (JSON)"),
        max_length=2_000,
        required=False,
        help_text=_("Left empty: whoever is a member. Tianjin's rule is among the samples."),
    )
    is_active = forms.BooleanField(label=_("In use"), required=False, initial=True)


class NewBankForm(BankForm):
    code = forms.SlugField(
        label=_("Short code in file names"), max_length=12, help_text=_("Never changes.")
    )
    field_order = ("code", "name", "hotline", "prefixes", "cut_off_day", "layout")

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if CardBank.objects.filter(code=code).exists():
            raise ValidationError(_("There is a bank of this code already: change that one."))
        return code


def new_form(obj: None, by: Account) -> type[forms.Form]:
    class FreshForm(NewBankForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["initial"] = {"layout": written(SAMPLES["sample-text"]), "is_active": True}
            super().__init__(*args, **kwargs)

    return FreshForm


def change_form(bank: CardBank, by: Account) -> type[forms.Form]:
    class ChangeForm(BankForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["initial"] = {
                "name": bank.name,
                "hotline": bank.hotline,
                "prefixes": bank.prefixes,
                "cut_off_day": bank.cut_off_day,
                "layout": written(bank.layout),
                "conditions": written(bank.conditions) if bank.conditions else "",
                "is_active": bank.is_active,
            }
            super().__init__(*args, **kwargs)

    return ChangeForm


def _describe(obj: CardBank | None, by: Account, data: dict[str, Any]) -> str:
    code = obj.code if obj is not None else data.pop("code")
    bank = card_banks.describe(code=code, by=by, **data)
    return reverse("admin:members_cardbank_change", args=[bank.pk])


@admin.register(CardBank)
class CardBankAdmin(ScopedModelAdmin):
    section = "benefits"
    icon = "account_balance"
    order = 40
    view_permissions = (Permission.RULES_EDIT, Permission.CARD_BATCH, Permission.TRAIL_VIEW)
    scope_path = None
    empty_hint = _("The rules' office describes the banks that issue cards.")
    list_display = ("shown_name", "code", "hotline", "kind", "cut_off_day", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "=code")
    fields = (
        "shown_name",
        "code",
        "hotline",
        "prefixes",
        "cut_off_day",
        "shown_conditions",
        "is_active",
        "shown_layout",
    )
    readonly_fields = fields
    list_buttons = (
        Button(
            name="new",
            label=_("Describe a bank"),
            permission=Permission.RULES_EDIT,
            act=_describe,
            explain=_("Its layout needs no programming: columns are named one after the other."),
            done=_("The bank is kept."),
            form_for=new_form,
            reauth=True,
        ),
    )
    buttons = (
        Button(
            name="change",
            label=_("Change"),
            permission=Permission.RULES_EDIT,
            act=_describe,
            explain=_("The layout stays as it is while a batch is on its way."),
            done=_("The bank is kept."),
            form_for=change_form,
            reauth=True,
        ),
    )

    shown_name = column("name", _("bank"))

    @admin.display(description=_("kind"))
    def kind(self, bank: CardBank) -> str:
        return str(bank.layout.get("kind", "–"))

    @admin.display(description=_("layout of its files"))
    def shown_layout(self, bank: CardBank) -> Any:
        return in_full(bank.layout)

    @admin.display(description=_("conditions of its cards"))
    def shown_conditions(self, bank: CardBank) -> Any:
        return in_full(bank.conditions) if bank.conditions else "–"

    def panels(self, request: HttpRequest, obj: CardBank) -> list[Panel]:
        """Samples to copy from; none of them is a bank's own."""
        samples = {**SAMPLES, "conditions: Tianjin": TIANJIN}
        rows = [(name, in_full(config)) for name, config in samples.items()]
        return [
            Panel(
                _("Samples"),
                (_("Sample"), _("Definition")),
                rows,
                note=_("Samples to begin with: they are no bank's own layout."),
            )
        ]

    def trail(self, request: HttpRequest, obj: CardBank) -> list[Step]:
        return trail_of(obj)
