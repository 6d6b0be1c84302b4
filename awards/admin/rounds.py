"""Rounds: proposed from the roster, checked by counties, decided, announced."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from awards import queries
from awards.actions import publicity, subsidies
from awards.admin.columns import column
from awards.models import CountyCheck, Scheme, SubsidyRound
from awards.queries import rounds
from awards.states import CaseState, RoundState
from union_portal import access, decisions
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, Text, every, not_by, only_in
from union_portal.admin.fields import ReasonForm
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin, reader
from union_portal.forms import refuse
from union_portal.kit import money
from union_portal.kit.refusals import Refused
from union_portal.models import (
    Account,
    Decision,
    NoticeEntry,
    Organization,
    OrganizationLevel,
    RuleSet,
)
from union_portal.states import DecisionState, NoticeState
from welfare.disbursement import ledger
from welfare.disbursement.models import Fund

IN_BULK = (Scheme.FESTIVAL_GIFT, Scheme.LIVING_ALLOWANCE)


class ProposeForm(forms.Form):
    """Which scheme, which year."""

    scheme = forms.ChoiceField(
        label=_("Scheme"),
        choices=[("", _("Choose")), *((scheme.value, scheme.label) for scheme in IN_BULK)],
    )
    period = forms.RegexField(
        label=_("Year"),
        regex=r"^20\d\d$",
        initial=lambda: str(timezone.localdate().year),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "maxlength": 4}),
    )


def notice_title(scheme: str, period: str) -> str:
    return gettext("Public notice of the proposed recipients: %(scheme)s %(period)s") % {
        "scheme": dict(Scheme.choices)[scheme],
        "period": period,
    }


class NoticeForm(forms.Form):
    title = forms.CharField(label=pgettext_lazy("of a text", "Title"), max_length=160)
    place = forms.CharField(
        label=_("Place"), max_length=160, help_text=_("Where the list hangs, besides this site.")
    )
    contact = forms.CharField(
        label=_("Contact"), max_length=160, help_text=_("Who takes objections: office, phone.")
    )
    text = forms.CharField(
        label=_("Text above the list"), required=False, widget=forms.Textarea(attrs={"rows": 4})
    )


def notice_form(round_: SubsidyRound, by: Account) -> type[forms.Form]:
    class RoundNoticeForm(NoticeForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["initial"] = {"title": notice_title(round_.scheme, round_.period)}
            super().__init__(*args, **kwargs)

    return RoundNoticeForm


def unannounced(rule_set: RuleSet, period: str) -> int:
    """Granted decisions that are on no list yet, drafts included."""
    listed = NoticeEntry.objects.exclude(notice__state=NoticeState.WITHDRAWN)
    return (
        Decision.objects.filter(
            rule_set=rule_set, period=period, state=DecisionState.MADE, outcome="granted"
        )
        .exclude(pk__in=listed.values("decision"))
        .count()
    )


def _checked_by_another(round_: SubsidyRound, by: Account) -> Text | None:
    if CountyCheck.objects.filter(round=round_, checked_by=by).exists():
        return _("Whoever checked a part does not decide.")
    return None


def _has_unannounced(round_: SubsidyRound, by: Account) -> Text | None:
    if round_.rule_set.notice_days == 0:
        return _("The rule set asks for no public notice.")
    if not unannounced(round_.rule_set, round_.period):
        return _("Every decision is on a list already.")
    return None


def _decide_facts(round_: SubsidyRound, by: Account) -> list[tuple[Any, Any]]:
    confirmed = round_.cases.filter(state=CaseState.CONFIRMED).aggregate(
        people=Count("pk"), sum_fen=Sum("amount_fen", default=0)
    )
    facts: list[tuple[Any, Any]] = [
        (_("Granted"), confirmed["people"]),
        (_("Sum"), money.shown(confirmed["sum_fen"])),
        (_("Refused"), round_.cases.exclude(refusal_clause="").count()),
        (_("Rule set"), round_.rule_set),
    ]
    fund = Fund.objects.filter(code=round_.rule_set.fund_code).first()
    if fund is None:
        return [*facts, (_("Fund"), _("not opened yet"))]
    left = ledger.figures(fund).available_fen
    return [*facts, (_("Available in the fund"), f"{fund.name}: {money.shown(left)}")]


def _announce(round_: SubsidyRound, by: Account, data: dict[str, Any]) -> str:
    made = publicity.draft_notice(rule_set=round_.rule_set, period=round_.period, by=by, **data)
    return reverse("admin:union_portal_notice_change", args=[made.pk])


PROPOSE = Button(
    name="propose",
    label=_("Propose a round"),
    permission=Permission.SUBSIDY_PROPOSE,
    act=lambda obj, by, data: subsidies.propose(by=by, today=timezone.localdate(), **data) and None,
    explain=_("The whole roster is measured against the rules in force today."),
    form=ProposeForm,
)


@admin.register(SubsidyRound)
class SubsidyRoundAdmin(ScopedModelAdmin):
    """The federation's page of a round; a county works on its part (`checks`)."""

    section = "subsidies"
    icon = "playlist_add_check"
    order = 10
    view_permissions = (
        Permission.SUBSIDY_PROPOSE,
        Permission.SUBSIDY_DECIDE,
        Permission.TRAIL_VIEW,
    )
    list_display = (
        "__str__",
        "state",
        "entitled_count",
        "refused_count",
        "amount",
        "open_counties",
        column("proposed_at", _("proposed on")),
    )
    list_filter = ("state", "scheme", "period")
    fields = (
        "scheme",
        "period",
        "rule_set",
        "reference_on",
        column("proposed_by", _("proposed by")),
        column("proposed_at", _("proposed on")),
        column("decided_by", _("decided by")),
        column("decided_at", _("decided on")),
    )
    readonly_fields = fields
    list_buttons = (PROPOSE,)
    change_form_outer_after_template = "awards/round_foot.html"
    buttons = (
        Button(
            name="decide",
            label=_("Decide the round"),
            permission=Permission.SUBSIDY_DECIDE,
            act=lambda obj, by, data: (
                subsidies.decide_round(round=obj, by=by, today=timezone.localdate()) and None
            ),
            explain=_(
                "Every case is decided at once and the money reserved. Whoever died or lost"
                " the honour since the proposal is refused."
            ),
            done=_("The round is decided."),
            why_not=every(
                only_in(RoundState.CHECKED),
                not_by("proposed_by", _("Whoever proposed does not decide.")),
                _checked_by_another,
            ),
            facts=_decide_facts,
            reauth=True,
        ),
        Button(
            name="announce",
            label=_("Draft the public notice"),
            permission=Permission.NOTICE_PREPARE,
            act=_announce,
            explain=_("The list shows masked names, employers and amounts, never the ground."),
            done=_("The notice is drafted: check the list, then publish it."),
            why_not=every(only_in(RoundState.DECIDED), _has_unannounced),
            form_for=notice_form,
        ),
        Button(
            name="cancel",
            label=_("Give the round up"),
            permission=Permission.SUBSIDY_PROPOSE,
            act=lambda obj, by, data: subsidies.cancel(round=obj, by=by, **data),
            explain=_("Its cases end with it; a new round can be proposed."),
            why_not=only_in(RoundState.PROPOSED, RoundState.CHECKED),
            form=ReasonForm,
            danger=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        within = access.scope(reader(request), Permission.SUBSIDY_PROPOSE)
        for permission in self.view_permissions[1:]:
            within |= access.scope(reader(request), permission)
        return queries.rounds_for(reader(request)).filter(within)

    @admin.display(description=_("proposed amount"), ordering="amount_fen")
    def amount(self, round_: SubsidyRound) -> str:
        return money.shown(round_.amount_fen)

    @admin.display(description=_("counties still open"))
    def open_counties(self, round_: Any) -> int:
        return int(round_.open_checks)

    def facts(self, request: HttpRequest, obj: SubsidyRound) -> list[Fact]:
        tone = {RoundState.DECIDED: "good", RoundState.CANCELLED: "bad"}
        return [
            Fact(_("State"), obj.get_state_display(), tone.get(RoundState(obj.state), "wait")),
            Fact(_("Entitled"), obj.entitled_count),
            Fact(_("Refused"), obj.refused_count),
            Fact(_("Proposed amount"), money.shown(obj.amount_fen)),
        ]

    def panels(self, request: HttpRequest, obj: SubsidyRound) -> list[Panel]:
        checks = obj.checks.select_related("county", "checked_by").order_by("county__path")
        labels = dict(CaseState.choices)
        return [
            Panel(
                _("Counties"),
                (_("County"), _("State"), _("Confirmed"), _("Excluded"), _("Note"), _("By")),
                [
                    (
                        _check_link(check),
                        check.get_state_display(),
                        check.confirmed_count,
                        check.excluded_count,
                        check.note or "–",
                        check.checked_by or "–",
                    )
                    for check in checks
                ],
            ),
            Panel(
                _("Why people are refused"),
                (_("Clause"), _("Sentence"), _("Number of people")),
                [
                    (one.clause, one.text, _cases_link(obj, one.count, refusal_clause=one.clause))
                    for one in rounds.refusals_in(obj)
                ],
            ),
            Panel(
                _("Cases by state"),
                (_("State"), _("Number of people")),
                [
                    (labels[state], _cases_link(obj, people, state__exact=state))
                    for state, people in rounds.states_in(obj)
                ],
                link=_cases_url(obj),
                link_text=_("All cases of the round"),
            ),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        obj = self.get_object(request, object_id)
        chart = [] if obj is None else [county_chart(obj)]
        return super().change_view(request, object_id, form_url, {"charts": chart})

    def do_on_list(self, request: HttpRequest, name: str) -> HttpResponseBase:
        if name == PROPOSE.name:
            access.require(reader(request), PROPOSE.permission)
            return self.propose(request)
        return super().do_on_list(request, name)

    def propose(self, request: HttpRequest) -> HttpResponse:
        """Scheme and year, then what would come of it, then the proposal itself."""
        form = ProposeForm(request.POST if request.method == "POST" else request.GET or None)
        preview: dict[str, Any] = {}
        if form.is_bound and form.is_valid():
            try:
                if request.method == "POST":
                    made = subsidies.propose(
                        by=reader(request), today=timezone.localdate(), **form.cleaned_data
                    )
                    messages.success(request, gettext("The round is with the counties now."))
                    return redirect(self.url_name("change"), made.pk)
                preview = _preview(**form.cleaned_data)
            except (Refused, PermissionDenied) as refusal:
                refuse(form, refusal)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": PROPOSE.label,
            "form": form,
            "back": reverse(self.url_name("changelist")),
            **preview,
        }
        status = 422 if form.errors else 200
        return TemplateResponse(request, "awards/propose.html", context, status=status)


def _preview(scheme: str, period: str) -> dict[str, Any]:
    """What a proposal would give, from the same query that makes it."""
    today = timezone.localdate()
    rules = decisions.rule_set_in_force(scheme, today)
    federation = Organization.objects.get(level=OrganizationLevel.FEDERATION)
    asked = queries.candidates(scheme, period, rules, today, within=federation)
    found = asked.summary()
    parts = rounds.counties_of(asked)
    bars = [(part.county, _told(part.entitled, part.amount_fen), part.entitled) for part in parts]
    return {
        "found": found,
        "rules": rules,
        "refusals": rounds.refusals_of(asked),
        "chart": {"title": _("Entitled by county"), "bars": desk.scaled(bars)},
    }


def county_chart(round_: SubsidyRound) -> dict[str, Any]:
    """Bars of the people in favour by county."""
    bars = [
        (row["county__name"], _told(row["in_favour"], row["sum_fen"]), row["in_favour"])
        for row in rounds.counties_in(round_)
    ]
    return {"title": _("In favour by county"), "bars": desk.scaled(bars)}


def _told(people: int, sum_fen: int) -> str:
    return f"{people} · {money.shown(sum_fen)}"


def _check_link(check: CountyCheck) -> Any:
    url = reverse("admin:awards_countycheck_change", args=[check.pk])
    return format_html('<a href="{}">{}</a>', url, check.county)


def _cases_url(round_: SubsidyRound, **filters: Any) -> str:
    query = urlencode({"round__id__exact": round_.pk, **filters})
    return reverse("admin:awards_subsidycase_changelist") + f"?{query}"


def _cases_link(round_: SubsidyRound, text: Any, **filters: Any) -> Any:
    return format_html('<a href="{}">{}</a>', _cases_url(round_, **filters), text)
