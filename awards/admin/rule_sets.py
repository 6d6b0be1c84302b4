"""Rule sets as data: drafted by the rules clerk, adopted by another, never edited after."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from awards.admin.columns import column
from awards.models import Scheme
from awards.rules import check
from awards.rules.parameters import DECISION_DAY, PARAMETERS, Parameter
from union_portal import decisions
from union_portal.access import Permission
from union_portal.admin.buttons import Button, Text, every
from union_portal.admin.fields import DateInput
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.forms import YuanField
from union_portal.kit import money
from union_portal.kit.refusals import Refused
from union_portal.models import Account, RuleSet

YEARS_AHEAD = 3


def _named(parameter: Parameter) -> str:
    return gettext(parameter.label)


def _years(rule_set: RuleSet, parameter: Parameter) -> list[str]:
    """The years that have an amount, and those for which one may soon be needed."""
    this = timezone.localdate().year
    ahead = {str(this + more) for more in range(YEARS_AHEAD)}
    return sorted(ahead | set(rule_set.parameters.get(parameter.name, {})))


def _fields(rule_set: RuleSet, parameter: Parameter) -> dict[str, forms.Field]:
    """The fields of one parameter, filled with what holds now."""
    value = rule_set.parameters.get(parameter.name)
    label = _named(parameter)
    if parameter.kind == "flag":
        field: forms.Field = forms.BooleanField(label=label, required=False, initial=bool(value))
    elif parameter.kind == "age":
        field = forms.IntegerField(label=label, min_value=1, max_value=149, initial=value)
    elif parameter.kind == "day":
        field = forms.CharField(
            label=label,
            max_length=12,
            initial=value,
            help_text=_("For example 12-31; or decision_day for the day of the decision."),
        )
    elif parameter.kind == "yearly_fen":
        known = value or {}
        return {
            f"{parameter.name}__{year}": YuanField(
                label=f"{label} {year}",
                required=False,
                initial=money.plain_yuan(known[year]) if year in known else "",
            )
            for year in _years(rule_set, parameter)
        }
    else:
        field = YuanField(label=label, initial=money.plain_yuan(value) if value else "")
    return {parameter.name: field}


class RulesForm(forms.Form):
    """Dates, source and parameters of a version; amounts are typed in yuan, kept in fen."""

    title = forms.CharField(label=pgettext_lazy("of a text", "Title"), max_length=120)
    issuer = forms.CharField(label=_("Issuer"), max_length=120)
    source_clause = forms.CharField(label=_("Source clause"), max_length=200)
    place = forms.CharField(label=pgettext_lazy("of a rule", "Place"), max_length=60)
    is_sample = forms.BooleanField(label=_("A sample, not our own rule"), required=False)
    valid_from = forms.DateField(label=_("Valid from"), widget=DateInput())
    valid_to = forms.DateField(label=_("Valid to"), required=False, widget=DateInput())
    fund_code = forms.CharField(label=_("Fund"), max_length=40)
    notice_days = forms.IntegerField(
        label=_("Working days of public notice"),
        min_value=0,
        max_value=60,
        help_text=_("0: no public notice."),
    )
    notice_counts_first_day = forms.BooleanField(label=_("The posting day counts"), required=False)
    appeal_days = forms.IntegerField(label=_("Days to appeal"), min_value=1, max_value=365)

    rule_set: RuleSet

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        own = list(self.base_fields)
        kwargs["initial"] = {name: getattr(self.rule_set, name) for name in own}
        super().__init__(*args, **kwargs)
        for parameter in PARAMETERS[self.rule_set.scheme]:
            self.fields.update(_fields(self.rule_set, parameter))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("valid_from"), data.get("valid_to")
        if first and last and last < first:
            self.add_error("valid_to", _("The last day lies before the first."))
        if self.errors:
            return data
        parameters = {one.name: self._value(one, data) for one in PARAMETERS[self.rule_set.scheme]}
        try:
            check(self.rule_set.scheme, parameters)
        except Refused as refusal:
            raise ValidationError(str(refusal)) from refusal
        own = {name: data[name] for name in self.base_fields}
        return {**own, "parameters": parameters}

    def _value(self, parameter: Parameter, data: dict[str, Any]) -> Any:
        if parameter.kind != "yearly_fen":
            return data[parameter.name]
        prefix = f"{parameter.name}__"
        return {
            name.removeprefix(prefix): value
            for name, value in data.items()
            if name.startswith(prefix) and value is not None
        }


def rules_form(rule_set: RuleSet, by: Account) -> type[forms.Form]:
    return type("RulesForm", (RulesForm,), {"rule_set": rule_set})


def _is_ours(rule_set: RuleSet, by: Account) -> Text | None:
    return (
        None if rule_set.scheme in PARAMETERS else _("The parameters of this scheme are unknown.")
    )


def _is_draft(rule_set: RuleSet, by: Account) -> Text | None:
    if rule_set.adopted_at is None:
        return None
    return _("An adopted rule set is replaced, never edited.")


def _is_adopted(rule_set: RuleSet, by: Account) -> Text | None:
    if rule_set.adopted_at is not None:
        return None
    return _("This is a draft itself: change it, or have it adopted.")


def _by_another(rule_set: RuleSet, by: Account) -> Text | None:
    if rule_set.written_by_id == by.pk:
        return _("Whoever wrote a rule set does not adopt it.")
    return None


def _succeed(rule_set: RuleSet, by: Account, data: dict[str, Any]) -> str:
    made = decisions.draft_successor(rule_set=rule_set, by=by, **data)
    return reverse("admin:union_portal_ruleset_change", args=[made.pk])


def shown(parameter: Parameter, value: Any) -> str:
    """A parameter's value as a reader sees it."""
    if parameter.kind == "flag":
        return gettext("yes") if value else gettext("no")
    if parameter.kind == "yearly_fen":
        amounts = [f"{year}: {money.shown(fen)}" for year, fen in sorted(value.items())]
        return "; ".join(amounts) or gettext("not stated: nothing is paid by it")
    if parameter.kind == "fen":
        return money.shown(value)
    if value == DECISION_DAY:
        return gettext("the day of the decision")
    return str(value)


def _adoption_facts(rule_set: RuleSet, by: Account) -> list[tuple[Any, Any]]:
    facts: list[tuple[Any, Any]] = [
        (_("Valid from"), rule_set.valid_from),
        (_("Valid to"), rule_set.valid_to or "–"),
        (_("Written by"), rule_set.written_by),
    ]
    known = PARAMETERS.get(rule_set.scheme, ())
    return facts + [
        (_named(one), shown(one, rule_set.parameters[one.name]))
        for one in known
        if one.name in rule_set.parameters
    ]


@admin.register(RuleSet)
class RuleSetAdmin(ScopedModelAdmin):
    section = "rules"
    icon = "rule"
    order = 10
    view_permissions = (
        Permission.RULES_EDIT,
        Permission.RULES_ADOPT,
        Permission.SUBSIDY_PROPOSE,
        Permission.TRAIL_VIEW,
    )
    scope_path = None
    list_display = (
        "shown_scheme",
        "version",
        "title",
        "valid_from",
        "valid_to",
        "is_sample",
        "is_adopted",
    )
    list_display_links = ("title",)
    list_filter = ("is_sample", ("adopted_at", admin.EmptyFieldListFilter))
    search_fields = ("title", "issuer")
    fields = (
        "shown_scheme",
        "version",
        "title",
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
        column("written_by", _("written by")),
        column("adopted_by", _("adopted by")),
        column("adopted_at", _("adopted on")),
    )
    readonly_fields = fields
    buttons = (
        Button(
            name="edit",
            label=_("Change the draft"),
            permission=Permission.RULES_EDIT,
            act=lambda obj, by, data: decisions.edit_draft(rule_set=obj, by=by, **data),
            explain=_("Whoever changes it last is its author and can't adopt it."),
            why_not=every(_is_draft, _is_ours),
            form_for=rules_form,
        ),
        Button(
            name="succeed",
            label=_("Draft a successor"),
            permission=Permission.RULES_EDIT,
            act=_succeed,
            explain=_(
                "A changed rule is a new version. When it is adopted this one ends the day"
                " before; what was decided under it stays."
            ),
            done=_("The draft waits for adoption by somebody else."),
            why_not=every(_is_adopted, _is_ours),
            form_for=rules_form,
        ),
        Button(
            name="adopt",
            label=_("Adopt"),
            permission=Permission.RULES_ADOPT,
            act=lambda obj, by, data: decisions.adopt(rule_set=obj, by=by, now=timezone.now()),
            explain=_("From its first day on, decisions are made under this version for good."),
            done=_("The rule set is adopted."),
            why_not=every(_is_draft, _by_another),
            facts=_adoption_facts,
            reauth=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[RuleSet]:
        return super().get_queryset(request).select_related("written_by", "adopted_by")

    @admin.display(description=_("scheme"), ordering="scheme")
    def shown_scheme(self, rule_set: RuleSet) -> str:
        return str(dict(Scheme.choices).get(rule_set.scheme, rule_set.title))

    @admin.display(description=_("adopted"), boolean=True)
    def is_adopted(self, rule_set: RuleSet) -> bool:
        return rule_set.adopted_at is not None

    def facts(self, request: HttpRequest, obj: RuleSet) -> list[Fact]:
        today = timezone.localdate()
        facts = [Fact(_("State"), *_standing(obj, today))]
        if obj.is_sample:
            facts.append(Fact(_("Origin"), _("sample, not our own rule"), "wait"))
        return facts

    def panels(self, request: HttpRequest, obj: RuleSet) -> list[Panel]:
        known = PARAMETERS.get(obj.scheme, ())
        rows = [
            (_named(one), shown(one, obj.parameters[one.name]))
            for one in known
            if one.name in obj.parameters
        ]
        return [Panel(_("Parameters"), (_("Parameter"), _("Value")), rows)]


def _standing(rule_set: RuleSet, today: Any) -> tuple[str, str]:
    if rule_set.adopted_at is None:
        return gettext("draft"), "wait"
    if rule_set.holds_on(today):
        return gettext("in force"), "good"
    if rule_set.valid_from > today:
        return gettext("adopted, not yet in force"), "wait"
    return gettext("lapsed"), "bad"


def drafts(account: Account) -> QuerySet[RuleSet]:
    """Drafts that this account may adopt."""
    return RuleSet.objects.filter(adopted_at__isnull=True).exclude(written_by=account)
