"""Rule sets: drafted by a clerk, adopted by another, never edited afterwards."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from awards.admin.rounds import yuan
from awards.models import Scheme
from awards.rules import parameters as meaning
from awards.rules.parameters import PARAMETERS, Parameter
from union_portal import decisions
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, Text, every, not_by
from union_portal.admin.fields import DateInput
from union_portal.admin.pages import Panel
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.forms import YuanField
from union_portal.kit import money
from union_portal.kit.refusals import Refused
from union_portal.models import Account, RuleSet

PREFIX = "parameter_"
TEXTS = ("title", "issuer", "source_clause", "place", "fund_code")
NUMBERS = ("notice_days", "appeal_days")


class RulesForm(forms.Form):
    """Dates, source and parameters of a rule set; one field for each parameter of the scheme."""

    title = forms.CharField(label=_("Title"), max_length=120)
    issuer = forms.CharField(label=_("Issuer"), max_length=120)
    source_clause = forms.CharField(label=_("Source clause"), max_length=200)
    place = forms.CharField(label=_("Place"), max_length=60)
    valid_from = forms.DateField(label=_("Valid from"), widget=DateInput())
    valid_to = forms.DateField(label=_("Valid to"), required=False, widget=DateInput())
    fund_code = forms.SlugField(label=_("Code of the fund"), max_length=40)
    notice_days = forms.IntegerField(
        label=_("Working days of public notice"),
        min_value=0,
        max_value=60,
        help_text=_("0: no public notice."),
    )
    notice_counts_first_day = forms.BooleanField(label=_("The posting day counts"), required=False)
    appeal_days = forms.IntegerField(label=_("Days to appeal"), min_value=1, max_value=365)
    is_sample = forms.BooleanField(label=_("A sample, not our own rule"), required=False)

    scheme = ""

    def clean(self) -> dict[str, Any]:
        super().clean()
        found: dict[str, Any] = {}
        for parameter in PARAMETERS[self.scheme]:
            name = PREFIX + parameter.name
            if name in self.cleaned_data:
                found[parameter.name] = self.cleaned_data.pop(name)
        if not self.errors:
            self._judge(found)
        self.cleaned_data["parameters"] = found
        return self.cleaned_data

    def _judge(self, found: dict[str, Any]) -> None:
        try:
            meaning.check(self.scheme, found)
        except Refused as refusal:
            raise ValidationError(str(refusal)) from refusal
        ends, starts = self.cleaned_data["valid_to"], self.cleaned_data["valid_from"]
        if ends is not None and ends < starts:
            self.add_error("valid_to", _("It ends before it begins."))


class YearlyField(forms.CharField):
    """Amounts by year, one a line: `2026 800.00`."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": 4}))
        kwargs.setdefault("help_text", _("One a line: the year, a space, the amount in yuan."))
        super().__init__(**kwargs)

    def clean(self, value: Any) -> dict[str, int]:
        amounts: dict[str, int] = {}
        for number, line in enumerate(super().clean(value).splitlines(), start=1):
            year, _space, amount = line.strip().partition(" ")
            if not year:
                continue
            try:
                amounts[year] = money.fen_from_yuan(amount)
            except Refused as refusal:
                fault = gettext("Line %(number)s: %(fault)s")
                raise ValidationError(fault % {"number": number, "fault": refusal}) from refusal
        return amounts


def field_for(parameter: Parameter) -> forms.Field:
    label = gettext(parameter.label)
    if parameter.kind == "fen":
        return YuanField(label=label)
    if parameter.kind == "age":
        return forms.IntegerField(label=label, min_value=1, max_value=149)
    if parameter.kind == "flag":
        return forms.BooleanField(label=label, required=False)
    if parameter.kind == "yearly_fen":
        return YearlyField(label=label)
    return forms.CharField(label=label, max_length=20)


def typed(kind: str, value: Any) -> Any:
    """A stored parameter as it stands in its field."""
    if kind == "fen" and value is not None:
        return money.plain_yuan(value)
    if kind == "yearly_fen":
        return "\n".join(f"{year} {money.plain_yuan(fen)}" for year, fen in sorted(value.items()))
    return value


def rules_form(rules: RuleSet, account: Account) -> type[forms.Form]:
    class Filled(RulesForm):
        scheme = rules.scheme

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["initial"] = initial_of(rules)
            super().__init__(*args, **kwargs)
            for parameter in PARAMETERS[rules.scheme]:
                self.fields[PREFIX + parameter.name] = field_for(parameter)

    return Filled


def initial_of(rules: RuleSet) -> dict[str, Any]:
    names = (*TEXTS, *NUMBERS, "valid_from", "valid_to", "notice_counts_first_day", "is_sample")
    known = {name: getattr(rules, name) for name in names}
    for parameter in PARAMETERS[rules.scheme]:
        value = rules.parameters.get(parameter.name)
        known[PREFIX + parameter.name] = typed(parameter.kind, value)
    return known


def shown_parameters(rules: RuleSet) -> list[tuple[str, Any]]:
    known: Mapping[str, Any] = rules.parameters
    rows: list[tuple[str, Any]] = []
    for parameter in PARAMETERS.get(rules.scheme, ()):
        value = known.get(parameter.name)
        if parameter.kind == "fen":
            shown: Any = yuan(value)
        elif parameter.kind == "flag":
            shown = _("yes") if value else _("no")
        elif parameter.kind == "yearly_fen":
            shown = ", ".join(f"{year}: {yuan(fen)}" for year, fen in sorted((value or {}).items()))
        else:
            shown = value
        rows.append((gettext(parameter.label), shown or "–"))
    return rows


def _draft_successor(rules: RuleSet, by: Account, data: dict[str, Any]) -> str:
    made = decisions.draft_successor(rule_set=rules, by=by, **data)
    return reverse("admin:union_portal_ruleset_change", args=[made.pk])


def _adopted(rules: RuleSet, account: Account) -> Text | None:
    return _("It is adopted: draft a successor.") if rules.adopted_at else None


def _foreign_scheme(rules: RuleSet, account: Account) -> Text | None:
    return None if rules.scheme in PARAMETERS else _("This scheme has no form here.")


def _facts(rules: RuleSet, account: Account) -> list[tuple[Any, Any]]:
    head: list[tuple[Any, Any]] = [
        (_("Rule set"), rules),
        (_("Valid from"), rules.valid_from),
        (_("Valid to"), rules.valid_to or "–"),
        (_("Written by"), rules.written_by or "–"),
    ]
    return [*head, *shown_parameters(rules)]


@admin.register(RuleSet)
class RuleSetAdmin(ScopedModelAdmin):
    section = "rules"
    icon = "rule"
    order = 10
    view_permissions = (
        Permission.RULES_EDIT,
        Permission.RULES_ADOPT,
        Permission.SUBSIDY_PROPOSE,
        Permission.AUDIT_VIEW,
    )
    scope_path = None
    list_display = (
        "title",
        "shown_scheme",
        "version",
        "valid_from",
        "valid_to",
        "is_sample",
        "adopted_at",
    )
    list_filter = ("scheme", "is_sample")
    fields = (
        "title",
        "shown_scheme",
        "version",
        "issuer",
        "source_clause",
        "place",
        "is_sample",
        "valid_from",
        "valid_to",
        "fund_code",
        "notice_days",
        "notice_counts_first_day",
        "appeal_days",
        "replaces",
        "written_by",
        "adopted_by",
        "adopted_at",
    )
    readonly_fields = fields
    buttons = (
        Button(
            name="successor",
            label=_("Draft a successor"),
            permission=Permission.RULES_EDIT,
            act=_draft_successor,
            explain=_("A changed rule is a new version; this one stays as it is."),
            done=_("The successor is a draft: a colleague adopts it."),
            why_not=_foreign_scheme,
            form_for=rules_form,
        ),
        Button(
            name="edit",
            label=_("Correct the draft"),
            permission=Permission.RULES_EDIT,
            act=lambda obj, by, data: decisions.edit_draft(rule_set=obj, by=by, **data),
            explain=_("Whoever changes it last is its author and does not adopt it."),
            why_not=every(_adopted, _foreign_scheme),
            form_for=rules_form,
        ),
        Button(
            name="adopt",
            label=_("Adopt"),
            permission=Permission.RULES_ADOPT,
            act=lambda obj, by, data: decisions.adopt(rule_set=obj, by=by, now=timezone.now()),
            explain=_("In force from its first day; the version before ends the day before."),
            done=_("The rule set is adopted."),
            why_not=every(
                _adopted,
                not_by("written_by", _("You wrote it: somebody else adopts it.")),
            ),
            facts=_facts,
            reauth=True,
        ),
    )

    @admin.display(description=_("scheme"), ordering="scheme")
    def shown_scheme(self, rules: RuleSet) -> str:
        known = {choice.value: str(choice.label) for choice in Scheme}
        return known.get(rules.scheme, rules.scheme)

    def panels(self, request: HttpRequest, obj: RuleSet) -> list[Panel]:
        rows = shown_parameters(obj)
        return [Panel(_("Parameters"), (_("What"), _("Value")), rows)]


desk.add_queue(
    desk.Queue(
        _("Rule sets to adopt"),
        Permission.RULES_ADOPT,
        lambda account: (
            RuleSet.objects.filter(adopted_at__isnull=True).exclude(written_by=account).count()
        ),
        lambda: reverse("admin:union_portal_ruleset_changelist"),
        icon="rule",
    )
)
