"""A member's own subsidies: where they stand and why, apply, complete, take back, appeal."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from awards import queries
from awards.actions import applications
from awards.forms import AppealForm, ApplicationForm, CompletionForm
from awards.models import Ground, SubsidyCase
from awards.queries import bands
from awards.states import CASE, CaseState
from awards.views import pages
from members.models import Person
from members.own_pages import member_only
from union_portal import appeals
from union_portal.models import Account, Appeal
from union_portal.states import AppealState
from union_portal.views import mine
from union_portal.views.mine import Service, Task, Urgency

RECENT = 3
# No rule set gives longer; it keeps the page from looking through old years.
LONGEST_APPEAL_DAYS = 366


def _account(request: HttpRequest) -> Account:
    return request.user  # type: ignore[return-value]


def _live(person: Person | int) -> SubsidyCase | None:
    """This year's application: there is one a year."""
    return queries.live_application(person, timezone.localdate().year)


def _own(person: Person, case_id: int) -> SubsidyCase:
    """The person's case; anybody else's does not exist."""
    return get_object_or_404(
        queries.cases_of(person).select_related(
            "person", "organization", "county", "decision__rule_set", "round__rule_set"
        ),
        pk=case_id,
    )


@require_safe
@member_only
def subsidy_list(request: HttpRequest, person: Person) -> HttpResponse:
    context = {"cases": queries.cases_of(person), "live": _live(person), "person": person}
    return render(request, "awards/subsidy_list.html", context)


@require_safe
@member_only
def subsidy_case(request: HttpRequest, person: Person, case_id: int) -> HttpResponse:
    case = _own(person, case_id)
    return render(request, "awards/subsidy_case.html", pages.whole(case, _account(request)))


@member_only
def subsidy_apply(request: HttpRequest, person: Person) -> HttpResponse:
    """First the ground, then its questions; nothing typed or chosen is lost on an error."""
    ground = request.GET.get("ground", "")
    band = bands.band_on(timezone.localdate())
    live = _live(person)
    if ground not in Ground.values or band is None or (live and request.method == "GET"):
        choice = {"grounds": Ground.choices, "band": band, "live": live}
        return render(request, "awards/subsidy_ground.html", choice)
    filled = pages.filled(
        request, f"apply-{ground}", lambda data, files: ApplicationForm(data, files, ground=ground)
    )
    case = filled.sent(lambda form, documents: _applied(request, ground, form, documents))
    if case is not None:
        messages.success(
            request,
            _("Your application has arrived under number %(number)s.") % {"number": case.number},
        )
        return redirect("awards:subsidy-case", case.pk)
    context = {
        "ground": Ground(ground),
        "band": band,
        "back": reverse("awards:subsidy-apply"),
        "lacks_consent": pages.lacks_consent(person, timezone.localdate()),
        **filled.context(),
    }
    return render(request, "awards/subsidy_apply.html", context, status=filled.status)


def _applied(request: HttpRequest, ground: str, form: Any, documents: Any) -> SubsidyCase:
    return applications.apply(
        ground=ground,
        stated=form.stated(),
        asked_fen=form.cleaned_data["asked"],
        documents=documents,
        by=_account(request),
        today=timezone.localdate(),
    )


@member_only
def subsidy_complete(request: HttpRequest, person: Person, case_id: int) -> HttpResponse:
    """Answer what a step asked for; the case goes back to the step that asked."""
    case = _own(person, case_id)
    asked = case.returns.filter(answered_at__isnull=True).first()
    if case.state != CaseState.RETURNED or asked is None:
        return _moved_on(request, case)
    filled = pages.filled(
        request,
        f"complete-{asked.pk}",
        lambda data, files: CompletionForm(
            data, files, ground=case.ground, initial=pages.statement(case)
        ),
    )

    def send(form: Any, documents: Any) -> bool:
        applications.resubmit(
            case=case,
            answer=form.cleaned_data["answer"],
            by=_account(request),
            today=timezone.localdate(),
            documents=documents,
            stated=form.stated(),
        )
        return True

    if filled.sent(send):
        messages.success(request, _("Your answer has arrived; the case goes on."))
        return redirect("awards:subsidy-case", case.pk)
    context = {"case": case, "asked": asked, **filled.context()}
    return render(request, "awards/subsidy_complete.html", context, status=filled.status)


@member_only
def subsidy_take_back(request: HttpRequest, person: Person, case_id: int) -> HttpResponse:
    case = _own(person, case_id)
    if not CASE.allows(case.state, CaseState.TAKEN_BACK):
        return _moved_on(request, case)
    if request.method == "POST":
        applications.take_back(case=case, by=_account(request))
        messages.success(request, _("Your application is taken back."))
        return redirect("awards:subsidy-case", case.pk)
    return render(request, "awards/subsidy_take_back.html", {"case": case})


@member_only
def subsidy_appeal(request: HttpRequest, person: Person, case_id: int) -> HttpResponse:
    """Appeal against a refusal or an amount; somebody else than the decider looks again."""
    case = _own(person, case_id)
    decision = case.decision
    if decision is None or pages.why_no_appeal(case, timezone.localdate()):
        return _moved_on(request, case)
    filled = pages.filled(request, "", lambda data, files: AppealForm(data, decision=decision))

    def send(form: Any, documents: Any) -> Appeal:
        return appeals.file(
            decision=decision,
            text=form.cleaned_data["text"],
            asked_fen=form.cleaned_data["asked"],
            by=_account(request),
            today=timezone.localdate(),
        )

    appeal = filled.sent(send)
    if appeal is not None:
        messages.success(
            request,
            _("Your appeal has arrived under number %(number)s.") % {"number": appeal},
        )
        return redirect("awards:subsidy-case", case.pk)
    context = {"case": case, "last_day": appeals.last_day(decision), **filled.context()}
    return render(request, "awards/subsidy_appeal.html", context, status=filled.status)


@member_only
def appeal_take_back(
    request: HttpRequest, person: Person, case_id: int, appeal_id: int
) -> HttpResponse:
    case = _own(person, case_id)
    appeal = get_object_or_404(
        Appeal, pk=appeal_id, decision__in=queries.decisions_of(person), appellant=request.user
    )
    if appeal.decision.subject_id != case.pk:
        raise Http404
    if appeal.state not in (AppealState.FILED, AppealState.REVIEWING):
        return _moved_on(request, case)
    if request.method == "POST":
        appeals.take_back(appeal=appeal, by=_account(request))
        messages.success(request, _("Your appeal is taken back."))
        return redirect("awards:subsidy-case", case.pk)
    return render(request, "awards/appeal_take_back.html", {"case": case, "appeal": appeal})


def _moved_on(request: HttpRequest, case: SubsidyCase) -> HttpResponse:
    """An old page or a back button: show how the case stands now."""
    messages.warning(request, _("That is not possible any more: this is how the case stands now."))
    return redirect("awards:subsidy-case", case.pk)


def _section(request: HttpRequest, person_id: int) -> dict[str, Any]:
    person = Person.objects.get(pk=person_id)
    return {"cases": queries.cases_of(person)[:RECENT], "live": _live(person)}


mine.add_section(mine.Section("awards/my_subsidies.html", _section, order=10))


def _to_complete(person: int) -> Iterable[SubsidyCase]:
    return SubsidyCase.objects.filter(person=person, state=CaseState.RETURNED).order_by("pk")


def _to_complete_text(cases: Sequence[SubsidyCase]) -> str:
    return _("Complete your application %(number)s") % {"number": cases[0].number}


def _appealable(person: int) -> Sequence[SubsidyCase]:
    """Refusals that can still be appealed against, and were not."""
    today = timezone.localdate()
    refused = SubsidyCase.objects.filter(
        person=person, state=CaseState.REFUSED, decision__appeals__isnull=True,
        decision__decided_on__gte=today - timedelta(days=LONGEST_APPEAL_DAYS),
    ).select_related("decision__rule_set")  # fmt: skip
    return sorted((case for case in refused if _last_day(case) >= today), key=_last_day)


def _last_day(case: SubsidyCase) -> date:
    """The last day to appeal; long past for a case without a decision."""
    return appeals.last_day(case.decision) if case.decision else date.min


def _appeal_text(cases: Sequence[SubsidyCase]) -> str:
    return _("You may appeal against the refusal %(number)s until %(day)s") % {
        "number": cases[0].number,
        "day": f"{_last_day(cases[0]):%Y-%m-%d}",
    }


def _case_link(cases: Sequence[SubsidyCase]) -> str:
    return reverse("awards:subsidy-case", args=[cases[0].pk])


mine.add_task(
    Task(
        "subsidy_to_complete",
        _to_complete,
        _to_complete_text,
        lambda cases: reverse("awards:subsidy-complete", args=[cases[0].pk]),
        Urgency.NOW,
    ),
    Task("subsidy_appeal", _appealable, _appeal_text, _case_link, Urgency.SOON),
)
mine.add_service(
    Service(
        "subsidies", gettext_lazy("My subsidies"), gettext_lazy("Where they stand, and why"),
        lambda: reverse("awards:subsidy-list"), 20,
    ),
    Service(
        "apply_subsidy", gettext_lazy("Apply for special hardship"),
        gettext_lazy("Illness, work, schooling, disaster"),
        lambda: reverse("awards:subsidy-apply"), 21,
        is_open=lambda person: _live(person) is None,
    ),
)  # fmt: skip
