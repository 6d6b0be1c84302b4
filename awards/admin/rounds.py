"""Subsidies proposed in bulk: propose, check by county, decide, publish."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from awards import queries
from awards.actions import publicity, subsidies
from awards.models import CountyCheck, Scheme, SubsidyRound
from awards.states import CaseState, CheckState, RoundState
from union_portal import access
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, Text, every, not_by, only_in
from union_portal.admin.fields import ReasonForm
from union_portal.admin.pages import Fact, Panel, Told
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.kit import money
from union_portal.models import Account

CASES_SHOWN = 50


def yuan(fen: int | None) -> str:
    return "" if fen is None else f"¥{money.yuan(fen)}"


class ProposeForm(forms.Form):
    scheme = forms.ChoiceField(
        label=_("Scheme"),
        choices=[choice for choice in Scheme.choices if choice[0] != Scheme.SPECIAL_HARDSHIP.value],
    )
    period = forms.RegexField(
        regex=r"^(19|20|21)[0-9]{2}$",
        label=_("Year"),
        initial=lambda: str(timezone.localdate().year),
        error_messages={"invalid": _("A year has four digits.")},
    )


class NoticeForm(forms.Form):
    title = forms.CharField(label=_("Title"), max_length=160)
    place = forms.CharField(label=_("Place"), max_length=160)
    contact = forms.CharField(
        label=_("Contact"), max_length=160, help_text=_("Who takes objections: office, phone.")
    )
    text = forms.CharField(
        label=_("Text"), required=False, widget=forms.Textarea(attrs={"rows": 4})
    )


def notice_form(round_: SubsidyRound, by: Account) -> type[forms.Form]:
    class Filled(NoticeForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            title = gettext("Public notice: %(scheme)s %(year)s")
            kwargs["initial"] = {
                "title": title % {"scheme": round_.get_scheme_display(), "year": round_.period}
            }
            super().__init__(*args, **kwargs)

    return Filled


class CountyForm(forms.Form):
    """Exclusions are written one a line: the case's number, then the reason."""

    exclusions = forms.CharField(
        label=_("Leave out"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("One a line: the number of the case, a space, the reason. The person reads it"
                    " and may appeal."),
    )  # fmt: skip
    note = forms.CharField(
        label=_("Note"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def clean_exclusions(self) -> dict[int, str]:
        found: dict[int, str] = {}
        for number, line in enumerate(self.cleaned_data["exclusions"].splitlines(), start=1):
            if not line.strip():
                continue
            case, _space, reason = line.strip().partition(" ")
            digits = case.upper().removeprefix("S")
            if not digits.isdigit() or not reason.strip():
                raise ValidationError(
                    gettext("Line %(number)s: write the case's number, a space, the reason.")
                    % {"number": number}
                )
            found[int(digits)] = reason.strip()
        return found


def _propose(obj: None, by: Account, data: dict[str, Any]) -> str:
    made = subsidies.propose(by=by, today=timezone.localdate(), **data)
    return reverse("admin:awards_subsidyround_change", args=[made.pk])


def _decide(round_: SubsidyRound, by: Account, data: dict[str, Any]) -> Told:
    granted = subsidies.decide_round(round=round_, by=by, today=timezone.localdate())
    return Told(_("The round is decided, the money reserved. Granted:"), granted)


def _draft_notice(round_: SubsidyRound, by: Account, data: dict[str, Any]) -> str:
    notice = publicity.draft_notice(rule_set=round_.rule_set, period=round_.period, by=by, **data)
    return reverse("admin:union_portal_notice_change", args=[notice.pk])


def _check(check: CountyCheck, by: Account, data: dict[str, Any]) -> None:
    subsidies.check_county(round=check.round, county=check.county, by=by, **data)


def _facts(round_: SubsidyRound, account: Account) -> list[tuple[Any, Any]]:
    confirmed = round_.cases.filter(state=CaseState.CONFIRMED)
    total = sum(confirmed.values_list("amount_fen", flat=True))
    return [
        (_("Scheme"), round_.get_scheme_display()),
        (_("Year"), round_.period),
        (_("Rule set"), round_.rule_set),
        (_("Confirmed by the counties"), confirmed.count()),
        (_("Sum"), yuan(total)),
        (_("Sum in words"), money.in_words(total)),
        (
            _("Not entitled or left out"),
            round_.cases.filter(state__in=[CaseState.INELIGIBLE, CaseState.EXCLUDED]).count(),
        ),
    ]


def _checked_oneself(round_: SubsidyRound, account: Account) -> Text | None:
    if round_.checks.filter(checked_by=account).exists():
        return _("You checked a county's part: somebody else decides.")
    return None


def _no_notice(round_: SubsidyRound, account: Account) -> Text | None:
    if round_.rule_set.notice_days == 0:
        return _("The rule set asks for no public notice.")
    return None


@admin.register(SubsidyRound)
class SubsidyRoundAdmin(ScopedModelAdmin):
    """Rounds are the federation's; counties reach their part through their check."""

    section = "subsidies"
    icon = "groups"
    order = 10
    view_permissions = (
        Permission.SUBSIDY_PROPOSE,
        Permission.SUBSIDY_DECIDE,
        Permission.AUDIT_VIEW,
        Permission.BATCH_VIEW,
    )
    list_display = (
        "__str__",
        "entitled_count",
        "refused_count",
        "amount",
        "proposed_by",
        "proposed_at",
        "state",
    )
    list_filter = ("state", "scheme", "period")
    list_select_related = ("organization", "proposed_by", "rule_set")
    fields = (
        "scheme",
        "period",
        "rule_set",
        "reference_on",
        "entitled_count",
        "refused_count",
        "amount",
        "proposed_by",
        "proposed_at",
        "decided_by",
        "decided_at",
        "state",
    )
    readonly_fields = fields
    list_buttons = (
        Button(
            name="propose",
            label=_("Propose"),
            permission=Permission.SUBSIDY_PROPOSE,
            act=_propose,
            explain=_(
                "The whole roster is measured against the rule set in force; everybody gets a"
                " case, refused ones with the clause that refuses."
            ),
            done=_("The round is proposed and waits for the counties."),
            form=ProposeForm,
        ),
    )
    buttons = (
        Button(
            name="decide",
            label=_("Decide"),
            permission=Permission.SUBSIDY_DECIDE,
            act=_decide,
            explain=_("Every case is decided and the money reserved in the fund, at once."),
            why_not=every(
                only_in(RoundState.CHECKED),
                not_by("proposed_by", _("You proposed it: somebody else decides.")),
                _checked_oneself,
            ),
            facts=_facts,
            reauth=True,
        ),
        Button(
            name="notice",
            label=_("Draw up the public notice"),
            permission=Permission.NOTICE_PREPARE,
            act=_draft_notice,
            explain=_(
                "Everybody granted and on no list yet, masked. You look before it is posted."
            ),
            done=_("The notice is a draft."),
            why_not=every(only_in(RoundState.DECIDED), _no_notice),
            form_for=notice_form,
        ),
        Button(
            name="cancel",
            label=_("Give up"),
            permission=Permission.SUBSIDY_PROPOSE,
            act=lambda obj, by, data: subsidies.cancel(round=obj, by=by, **data),
            explain=_("Its cases end with it; a new round can be proposed."),
            why_not=only_in(RoundState.PROPOSED, RoundState.CHECKED),
            form=ReasonForm,
            danger=True,
        ),
    )

    @admin.display(description=_("proposed amount"))
    def amount(self, round_: SubsidyRound) -> str:
        return yuan(round_.amount_fen)

    def facts(self, request: HttpRequest, obj: SubsidyRound) -> list[Fact]:
        return [
            Fact(_("State"), obj.get_state_display()),
            Fact(_("Entitled"), obj.entitled_count),
            Fact(_("Refused, each with the clause"), obj.refused_count),
            Fact(_("Sum"), yuan(obj.amount_fen)),
        ]

    def panels(self, request: HttpRequest, obj: SubsidyRound) -> list[Panel]:
        checks = [
            (
                check.county,
                check.get_state_display(),
                check.confirmed_count,
                check.excluded_count,
                check.checked_by or "–",
                check.note,
            )
            for check in obj.checks.select_related("county", "checked_by").order_by("county__path")
        ]
        link = reverse("admin:awards_subsidycase_changelist") + f"?round__id__exact={obj.pk}"
        return [
            Panel(
                _("The counties' parts"),
                (_("County"), _("State"), _("Confirmed"), _("Left out"), _("By"), _("Note")),
                checks,
            ),
            Panel(_("Cases"), (), (), link=link, link_text=_("All cases of this round")),
        ]


@admin.register(CountyCheck)
class CountyCheckAdmin(ScopedModelAdmin):
    section = "subsidies"
    icon = "checklist"
    order = 20
    view_permissions = (Permission.SUBSIDY_REVIEW, Permission.AUDIT_VIEW)
    scope_path = "county__path"
    list_display = ("__str__", "confirmed_count", "excluded_count", "checked_by", "state")
    list_filter = ("state",)
    list_select_related = ("round__rule_set", "county", "checked_by")
    fields = (
        "round",
        "county",
        "confirmed_count",
        "excluded_count",
        "note",
        "checked_by",
        "checked_at",
        "state",
    )
    readonly_fields = fields
    buttons = (
        Button(
            name="confirm",
            label=_("Confirm our part"),
            permission=Permission.SUBSIDY_REVIEW,
            act=_check,
            explain=_("Everybody proposed in your county, but for those you leave out."),
            done=_("Your county's part is confirmed."),
            why_not=every(
                only_in(CheckState.OPEN),
                lambda obj, account: (
                    _("You proposed the round: somebody else checks.")
                    if obj.round.proposed_by_id == account.pk
                    else None
                ),
            ),
            facts=lambda obj, account: _county_facts(obj),
            form=CountyForm,
        ),
    )

    def panels(self, request: HttpRequest, obj: CountyCheck) -> list[Panel]:
        cases = obj.round.cases.filter(county=obj.county).select_related("person", "organization")
        rows = [
            (
                case.number,
                case.person,
                case.person.national_id_shown,
                case.organization,
                yuan(case.amount_fen),
                case.get_state_display(),
                " ".join(step["text"] for step in queries.explanation(case)),
            )
            for case in cases.order_by("organization__path", "person__pinyin")[:CASES_SHOWN]
        ]
        columns = (
            _("Case"),
            _("Person"),
            _("Identity number"),
            _("Union"),
            _("Amount"),
            _("State"),
            _("Why"),
        )
        link = reverse("admin:awards_subsidycase_changelist")
        return [
            Panel(
                _("Our part"),
                columns,
                rows,
                note=gettext("The first %(count)s.") % {"count": CASES_SHOWN},
                link=f"{link}?round__id__exact={obj.round_id}",
                link_text=_("All cases of this round"),
            )
        ]


def _county_facts(check: CountyCheck) -> list[tuple[Any, Any]]:
    proposed = check.round.cases.filter(county=check.county, state=CaseState.PROPOSED)
    return [
        (_("Proposed"), proposed.count()),
        (_("Sum"), yuan(sum(proposed.values_list("amount_fen", flat=True)))),
        (
            _("Not entitled under the rules"),
            check.round.cases.filter(county=check.county, state=CaseState.INELIGIBLE).count(),
        ),
    ]


def _without_notice(account: Account) -> int:
    from union_portal.models import Decision
    from union_portal.states import DecisionState

    if not access.may(account, Permission.NOTICE_PREPARE):
        return 0
    return Decision.objects.filter(
        access.scope(account, Permission.NOTICE_PREPARE),
        state=DecisionState.MADE,
        outcome="granted",
        rule_set__notice_days__gt=0,
        notice_entries__isnull=True,
    ).count()


desk.add_queue(
    desk.Queue(
        _("Counties' parts to confirm"),
        Permission.SUBSIDY_REVIEW,
        lambda account: queries.checks_waiting_for(account).count(),
        lambda: reverse("admin:awards_countycheck_changelist") + "?state__exact=open",
        icon="checklist",
    ),
    desk.Queue(
        _("Rounds to decide"),
        Permission.SUBSIDY_DECIDE,
        lambda account: queries.rounds_waiting_for(account).count(),
        lambda: reverse("admin:awards_subsidyround_changelist") + "?state__exact=checked",
        icon="gavel",
    ),
    desk.Queue(
        _("Decisions on no public list yet"),
        Permission.NOTICE_PREPARE,
        _without_notice,
        lambda: reverse("admin:awards_subsidyround_changelist") + "?state__exact=decided",
        icon="campaign",
    ),
)
