"""A county's part of a round: looked through person by person, confirmed as a whole."""

from typing import Any

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from awards import queries
from awards.actions import subsidies
from awards.admin.columns import column
from awards.models import CountyCheck, SubsidyCase
from awards.queries import rounds
from awards.states import CheckState
from members.models import Person
from members.queries import matches
from union_portal import access, lifecycle
from union_portal.access import Permission
from union_portal.admin import pages
from union_portal.admin.buttons import Button, Text, every, only_in
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin, reader
from union_portal.forms import refuse
from union_portal.kit import money
from union_portal.kit.refusals import Refused
from union_portal.models import Account, Organization

ROWS_SHOWN = 200
LONGEST_REASON = 200


def _not_the_proposer(check: CountyCheck, by: Account) -> Text | None:
    if check.round.proposed_by_id == by.pk:
        return _("Whoever proposed does not check.")
    return None


class PartForm(forms.Form):
    """One field for the note; the reasons stand beside the people."""

    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("For the city; it is kept with the round."),
    )


CHECK = Button(
    name="check",
    label=_("Check the county's part"),
    permission=Permission.SUBSIDY_REVIEW,
    act=lambda obj, by, data: None,
    reauth=True,
    explain=_("Write a reason beside whoever is to be left out; all others are confirmed."),
    why_not=every(only_in(CheckState.OPEN), _not_the_proposer),
)


@admin.register(CountyCheck)
class CountyCheckAdmin(ScopedModelAdmin):
    section = "subsidies"
    icon = "fact_check"
    order = 20
    view_permissions = (Permission.SUBSIDY_REVIEW, Permission.SUBSIDY_PROPOSE,
                        Permission.SUBSIDY_DECIDE, Permission.TRAIL_VIEW)  # fmt: skip
    scope_path = "county__path"
    list_display = (
        "__str__",
        "state",
        "confirmed_count",
        "excluded_count",
        column("checked_at", _("checked on")),
    )
    list_filter = ("state", "round__scheme", "round__period")
    list_select_related = ("round__rule_set", "county", "checked_by")
    ordering = ("-round_id", "county__path")
    fields = (
        column("round", _("round")),
        "county",
        "confirmed_count",
        "excluded_count",
        "note",
        column("checked_by", _("checked by")),
        column("checked_at", _("checked on")),
    )
    readonly_fields = fields
    buttons = (CHECK,)

    def organization_of(self, obj: CountyCheck) -> Organization:
        return obj.county

    def facts(self, request: HttpRequest, obj: CountyCheck) -> list[Fact]:
        part = rounds.part_of(obj.round, obj.county)
        tone = "good" if obj.state == CheckState.CONFIRMED else "wait"
        return [
            Fact(_("State"), obj.get_state_display(), tone),
            Fact(_("People in favour"), part["people"]),
            Fact(_("Sum"), money.shown(part["sum_fen"])),
            Fact(_("Rule set"), obj.round.rule_set),
        ]

    def panels(self, request: HttpRequest, obj: CountyCheck) -> list[Panel]:
        out = (
            SubsidyCase.objects.filter(round=obj.round, county=obj.county)
            .exclude(refusal_clause="")
            .select_related("person", "organization")
            .order_by("state", "organization__path", "pk")
        )
        rows = [
            (_link(case), case.person.name, case.organization, case.refusal_clause,
             _last_sentence(case), case.get_state_display())
            for case in out[:ROWS_SHOWN]
        ]  # fmt: skip
        columns = (_("Case"), _("Name"), _("Union"), _("Clause"), _("Why"), _("State"))
        note = gettext("The first %(count)s.") % {"count": ROWS_SHOWN}
        is_cut = len(rows) == ROWS_SHOWN
        return [Panel(_("Not in favour"), columns, rows, note=note if is_cut else "")]

    def do(self, request: HttpRequest, object_id: str, name: str) -> HttpResponseBase:
        if name == CHECK.name:
            return self.check_part(request, object_id)
        return super().do(request, object_id, name)

    def check_part(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The people of the part with a field for a reason each. Works without scripts:
        a search keeps every reason that was typed before."""
        check = self.get_object(request, object_id)
        if check is None:
            raise Http404
        access.require(reader(request), CHECK.permission, check.county)
        is_fresh = did_recently_reauthenticate(request)
        if request.method == "GET" and not is_fresh:
            return pages.log_in_again(request)
        reasons = _typed(request)
        form = PartForm(request.POST or None)
        reason: Text | None = CHECK.why_not(check, reader(request))
        if request.method == "POST" and request.POST.get(pages.SEEN) != pages.print_of(check):
            reason = _("The page was old: this has changed since you opened it.")
        wants = reason is None and "confirm" in request.POST and form.is_valid()
        if wants and not is_fresh:  # what was typed stays on the page
            form.add_error(None, _("Your last confirmation is too old: confirm it is you."))
        elif wants and self._confirmed(request, check, reasons, form):
            return redirect(self.url_name("change"), check.pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": CHECK.label,
            "original": check,
            "form": form,
            "reason": reason,
            "explain": CHECK.explain,
            "back": reverse(self.url_name("change"), args=[check.pk]),
            "seen": pages.print_of(check),
            "log_in_again": "" if is_fresh else pages.log_in_again_url(request),
            "q": request.POST.get("q", ""),
            "longest": LONGEST_REASON,
            **_rows(check, reasons, request.POST.get("q", "")),
        }
        status = 409 if reason else 422 if form.errors and "confirm" in request.POST else 200
        return TemplateResponse(request, "awards/check_part.html", context, status=status)

    def _confirmed(
        self, request: HttpRequest, check: CountyCheck, reasons: dict[int, str], form: forms.Form
    ) -> bool:
        try:
            done = subsidies.check_county(
                round=check.round,
                county=check.county,
                by=reader(request),
                exclusions=reasons,
                note=form.cleaned_data["note"],
            )
        except (Refused, lifecycle.Stale, PermissionDenied) as refusal:
            refuse(form, refusal)
            return False
        messages.success(
            request,
            gettext("Confirmed: %(confirmed)s, left out: %(excluded)s.")
            % {"confirmed": done.confirmed_count, "excluded": done.excluded_count},
        )
        return True


def _typed(request: HttpRequest) -> dict[int, str]:
    """The reasons by case, as far as one was written."""
    prefix = "reason-"
    return {
        int(name.removeprefix(prefix)): str(value).strip()[:LONGEST_REASON]
        for name, value in request.POST.items()
        if name.startswith(prefix) and name.removeprefix(prefix).isdigit() and str(value).strip()
    }


def _rows(check: CountyCheck, reasons: dict[int, str], q: str) -> dict[str, Any]:
    """Those with a reason always, then those the search finds, up to a page full."""
    waiting = rounds.to_check(check)
    wanted: QuerySet[SubsidyCase] = waiting
    if q.strip():
        found = Person.objects.filter(matches(q)).values("pk")
        wanted = waiting.filter(Q(person__in=found) | Q(organization__name__contains=q.strip()))
    chosen = list(waiting.filter(pk__in=reasons))
    others = list(wanted.exclude(pk__in=reasons)[:ROWS_SHOWN])
    rows = [{"case": case, "reason": reasons.get(case.pk, "")} for case in [*chosen, *others]]
    return {"rows": rows, "total": waiting.count(), "shown": len(rows)}


def _last_sentence(case: SubsidyCase) -> str:
    steps = queries.explanation(case)
    return steps[-1]["text"] if steps else case.reason


def _link(case: SubsidyCase) -> Any:
    url = reverse("admin:awards_subsidycase_change", args=[case.pk])
    return format_html('<a href="{}">{}</a>', url, case.number)
