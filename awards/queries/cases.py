"""Cases and rounds within reach, what waits for whom, and a case's whole way."""

from collections.abc import Iterator

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from awards.models import (
    CountyCheck,
    Honour,
    HonourLevel,
    ModelWorker,
    Scheme,
    SubsidyCase,
    SubsidyRound,
    YearlyVerification,
)
from awards.rules import render
from awards.states import LIVE_CASES, CaseState, CheckState, HonourState, RoundState
from members.models import Person
from union_portal import access
from union_portal.access import Permission
from union_portal.kit.money import yuan
from union_portal.models import Account, AuditEntry, Decision
from welfare.queries import Event, Tone, messages, paid_at
from welfare.queries import timeline as decision_timeline

# Whose turn a state is, and whose work it was: nobody may take two of these steps.
_TURNS = {
    CaseState.SUBMITTED: (Permission.SUBSIDY_VISIT, ("created_by",)),
    CaseState.VISITED: (Permission.SUBSIDY_REVIEW, ("created_by", "visited_by")),
    CaseState.REVIEWED: (
        Permission.SUBSIDY_DECIDE,
        ("created_by", "visited_by", "reviewed_by"),
    ),
}


_DUTIES = (
    Permission.SUBSIDY_PROPOSE,
    Permission.SUBSIDY_VISIT,
    Permission.SUBSIDY_REVIEW,
    Permission.SUBSIDY_DECIDE,
    Permission.APPEAL_REVIEW,
    Permission.TRAIL_VIEW,
)
# Steps without a row of their own, read from the log.
_LOGGED = {
    "subsidycase.reviewed": gettext_lazy("Reviewed by the county"),
    "subsidycase.taken_back": gettext_lazy("Taken back by the applicant"),
}


def cases_for(account: Account) -> QuerySet[SubsidyCase]:
    """The cases of the unions within the account's reach; none by default."""
    return SubsidyCase.objects.filter(access.scope(account, Permission.PERSON_VIEW)).select_related(
        "person", "organization", "county", "decision", "round"
    )


def cases_of(person: Person) -> QuerySet[SubsidyCase]:
    """A member's own cases, newest first; what a round still weighs is not shown yet.

    `paid_at` tells when the money of the decision arrived.
    """
    return (
        SubsidyCase.objects.filter(_of(person))
        .filter(Q(round__isnull=True) | Q(state__in=[CaseState.GRANTED, CaseState.REFUSED]))
        .select_related("decision", "round")
        .annotate(paid_at=paid_at("decision"))
        .order_by("-id")
    )


def live_application(person: Person | int, year: int) -> SubsidyCase | None:
    """The one application of the year that is under way or was granted (X7), if there is one."""
    return SubsidyCase.objects.filter(
        person=person, scheme=Scheme.SPECIAL_HARDSHIP, period=str(year), state__in=LIVE_CASES
    ).first()


def waiting_for(account: Account) -> QuerySet[SubsidyCase]:
    """Applications whose next step this account may take."""
    waiting = Q(pk__in=[])
    for state, (permission, others) in _TURNS.items():
        turn = Q(state=state) & access.scope(account, permission)
        for other in others:
            turn &= ~Q(**{other: account.pk}) | Q(**{f"{other}__isnull": True})
        waiting |= turn
    return SubsidyCase.objects.filter(waiting).select_related("person", "organization", "county")


def checks_waiting_for(account: Account) -> QuerySet[CountyCheck]:
    """Open county checks that this account may confirm."""
    return (
        CountyCheck.objects.filter(
            access.scope(account, Permission.SUBSIDY_REVIEW, "county__path"),
            state=CheckState.OPEN,
            round__state=RoundState.PROPOSED,
        )
        .exclude(round__proposed_by=account)
        .select_related("round", "county")
    )


def rounds_for(account: Account) -> QuerySet[SubsidyRound]:
    """Rounds of the federation, for whoever sees people anywhere in it."""
    if not access.may(account, Permission.PERSON_VIEW):
        return SubsidyRound.objects.none()
    return SubsidyRound.objects.select_related("rule_set", "organization", "proposed_by").annotate(
        open_checks=Count("checks", filter=Q(checks__state=CheckState.OPEN))
    )


def rounds_waiting_for(account: Account) -> QuerySet[SubsidyRound]:
    """Checked rounds that this account may decide."""
    checked = CountyCheck.objects.filter(round=OuterRef("pk"), checked_by=account)
    return SubsidyRound.objects.filter(
        ~Exists(checked),
        access.scope(account, Permission.SUBSIDY_DECIDE),
        state=RoundState.CHECKED,
    ).exclude(proposed_by=account)


def model_workers_for(account: Account, year: int) -> QuerySet[ModelWorker]:
    """Model workers within reach; `is_verified` says whether the year's finding is good."""
    latest = YearlyVerification.objects.filter(model_worker=OuterRef("pk"), year=year).order_by(
        "-pk"
    )
    good = latest.filter(is_alive=True, honour_retained=True)
    bad = latest.filter(Q(is_alive=False) | Q(honour_retained=False))
    municipal = Honour.objects.filter(
        person=OuterRef("person"),
        state=HonourState.HELD,
        title__level=HonourLevel.MUNICIPAL,
        title__is_model_worker=True,
    )
    return (
        ModelWorker.objects.filter(
            access.scope(account, Permission.PERSON_VIEW, "person__organization__path"),
            person__merged_into__isnull=True,
        )
        .annotate(
            is_verified=Exists(good),
            was_found_wanting=Exists(bad),
            holds_municipal=Exists(municipal),
        )
        .select_related("person", "person__organization")
    )


def may_see(account: Account, case: SubsidyCase) -> bool:
    """The member sees the details of their own case; of staff only those with a part in it.

    Finance pays without knowing of illness and need.
    """
    if case.person.account_id is not None and case.person.account_id == account.pk:
        return True
    if not access.may(account, Permission.PERSON_VIEW, case.organization):
        return False
    return any(access.may(account, duty, case.organization) for duty in _DUTIES)


def explanation(case: SubsidyCase) -> list[dict[str, str]]:
    """The steps of the outcome as sentences: clause, text, amount in yuan (or empty)."""
    return [
        {
            "clause": step["clause"],
            "text": render(step),
            "amount": yuan(step["amount_fen"]) if step["amount_fen"] else "",
        }
        for step in case.steps
    ]


def timeline(case: SubsidyCase) -> list[Event]:
    """Everything about a case in order: its own steps, then its decisions and their money."""
    events = [*_round_steps(case), *_application_steps(case), *_withdrawal(case)]
    decision = case.decision
    while decision is not None:
        events += decision_timeline(decision)
        decision = decision.replaces
    events += messages("awards.subsidycase", case.pk)
    return sorted(events, key=lambda event: event.at)


def decisions_of(person: Person) -> QuerySet[Decision]:
    """Every decision on a person's subsidies, the replaced ones too."""
    cases = SubsidyCase.objects.filter(_of(person)).values("pk")
    return Decision.objects.filter(subject_type="awards.subsidycase", subject_id__in=cases)


def _of(person: Person) -> Q:
    """Rows of the person, and of rows that were merged into this one."""
    return Q(person=person) | Q(person__merged_into=person)


def _round_steps(case: SubsidyCase) -> Iterator[Event]:
    if case.round is None:
        return
    yield Event(
        at=case.created_at,
        title=_("Proposed from the roster"),
        text=str(case.round),
        who=str(case.created_by),
    )
    check = CountyCheck.objects.filter(round=case.round, county=case.county).first()
    if check is not None and check.checked_at is not None:
        is_out = case.refusal_clause == "county"
        yield Event(
            at=check.checked_at,
            title=_("Left out by the county") if is_out else _("Checked by the county"),
            text=case.reason if is_out else "",
            who=str(check.checked_by),
            tone=Tone.BAD if is_out else Tone.PLAIN,
        )


def _withdrawal(case: SubsidyCase) -> Iterator[Event]:
    """The end of a case whose decision was withdrawn, with the reason given."""
    for entry in AuditEntry.objects.filter(
        subject_type="awards.subsidycase",
        subject_id=str(case.pk),
        action=f"subsidycase.{CaseState.WITHDRAWN}",
    ):
        yield Event(
            at=entry.at,
            title=_("Ended: the decision was withdrawn"),
            text=entry.reason,
            who=entry.actor,
            tone=Tone.BAD,
        )


def _application_steps(case: SubsidyCase) -> Iterator[Event]:
    if case.round is not None:
        return
    yield Event(at=case.created_at, title=_("Applied"), text=case.get_ground_display())
    for visit in case.visits.select_related("recorded_by"):
        yield Event(
            at=visit.recorded_at,
            title=_("Home visit on %(day)s") % {"day": visit.visited_on},
            text=_("The need was confirmed.")
            if visit.is_confirmed
            else _("The need was not confirmed."),
            who=str(visit.recorded_by),
            tone=Tone.GOOD if visit.is_confirmed else Tone.BAD,
        )
    for entry in AuditEntry.objects.filter(
        subject_type="awards.subsidycase", subject_id=str(case.pk), action__in=list(_LOGGED)
    ):
        yield Event(at=entry.at, title=str(_LOGGED[entry.action]), who=entry.actor)
    for asked in case.returns.select_related("returned_by"):
        yield Event(
            at=asked.returned_at,
            title=_("Returned for completion"),
            text=asked.message,
            who=str(asked.returned_by),
            tone=Tone.WAITING,
        )
        if asked.answered_at is not None:
            yield Event(at=asked.answered_at, title=_("Completed"), text=asked.answer)
