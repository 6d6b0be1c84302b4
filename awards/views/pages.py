"""What the member's pages show, and how a form is filled, sent, and shown again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from awards import queries
from awards.actions.applications import Upload
from awards.models import SubsidyCase
from awards.queries import statements
from awards.rules.schemes import REFUSABLE
from awards.states import CASE, CaseState
from awards.views import held
from members.models import BankAccount, ConsentPurpose, Person
from members.queries.privacy import consent_to, text_in_force
from members.states import BankAccountState
from union_portal import appeals
from union_portal.forms import refuse
from union_portal.kit import money
from union_portal.kit.refusals import Refused
from union_portal.models import (
    Account,
    Appeal,
    Decision,
    NoticeEntry,
    Objection,
)
from union_portal.states import AppealState, DecisionState, NoticeState, ObjectionState
from welfare.disbursement.models import Entitlement

Make = Callable[[Any, Any], forms.Form]
Send = Callable[[Any, list[Upload]], Any]
OPEN_APPEALS = (AppealState.FILED, AppealState.REVIEWING)


@dataclass
class Filled:
    """A form as it came in. `key` names what is kept of its uploads; empty for none."""

    request: HttpRequest
    key: str
    form: forms.Form

    def sent(self, send: Send) -> Any:
        """Call the action with a valid form; None when it was not sent or is refused."""
        if self.request.method != "POST" or not self.form.is_valid():
            return None
        documents = held.taken(self.request, self.key) if self.key else []
        try:
            done = send(self.form, documents)
        except (Refused, PermissionDenied, ValidationError) as refusal:
            refuse(self.form, refusal)
            return None
        if self.key:
            held.clear(self.request, self.key)
        return done

    @property
    def status(self) -> int:
        return 422 if self.form.errors else 200

    def context(self) -> dict[str, Any]:
        kept = held.listed(self.request, self.key) if self.key else []
        return {"form": self.form, "kept": kept}


def filled(request: HttpRequest, key: str, make: Make) -> Filled:
    """The form of this request; good files are kept before anything can go wrong."""
    if request.method != "POST":
        return Filled(request, key, make(None, None))
    form = make(request.POST, request.FILES)
    form.full_clean()
    if key:
        held.drop(request, key, request.POST.getlist("drop"))
        passed = getattr(form.fields.get("documents"), "passed", [])
        for name in held.hold(request, key, passed):
            form.add_error(
                "documents", _("“%(name)s” does not fit: too much in all.") % {"name": name}
            )
    return Filled(request, key, form)


def lacks_consent(person: Person, today: date) -> bool:
    """Whether the member has still to agree to the use of sensitive data."""
    purpose = ConsentPurpose.SENSITIVE
    asked = text_in_force(purpose, today)
    return asked is not None and consent_to(person, purpose, today) is None


def statement(case: SubsidyCase) -> dict[str, Any]:
    """The stored statement as the form shows it: amounts in yuan under their own names."""
    return {
        name.removesuffix("_fen"): money.plain_yuan(value)
        if name.endswith("_fen") and value is not None
        else value
        for name, value in statements.details_of(case).items()
    }


def why_no_appeal(case: SubsidyCase, today: date) -> str:
    """Why no appeal is possible now; empty if one is."""
    decision = case.decision
    if decision is None or case.state not in (
        CaseState.GRANTED,
        CaseState.REFUSED,
        CaseState.WITHDRAWN,
    ):
        return _("There is no decision yet.")
    if decision.state == DecisionState.WITHDRAWN:
        return _("The decision was withdrawn.")
    if today > appeals.last_day(decision):
        return _("The time to appeal ended on %(day)s.") % {"day": appeals.last_day(decision)}
    if Appeal.objects.filter(decision=decision, state__in=OPEN_APPEALS).exists():
        return _("Your appeal is being looked at.")
    return ""


def whole(case: SubsidyCase, account: Account) -> dict[str, Any]:
    """Everything the member reads about one case."""
    chain = queries.decisions_of(case.person).filter(subject_id=case.pk)
    entries = NoticeEntry.objects.filter(
        decision__in=chain, notice__state__in=[NoticeState.PUBLISHED, NoticeState.CLOSED]
    ).select_related("notice")
    decision = case.decision
    return {
        "case": case,
        "decision": decision,
        "steps": queries.explanation(case),
        "next_step": next_step(case),
        "events": queries.timeline(case),
        "entries": entries,
        "objections": Objection.objects.filter(decision__in=chain).order_by("-id"),
        "appeals": Appeal.objects.filter(decision__in=chain).order_by("-id"),
        "open_appeals": OPEN_APPEALS,
        "asked": case.returns.filter(answered_at__isnull=True).first(),
        "stated": statements.stated(case),
        "files": statements.files_of(case),
        "rules": decision.rule_set if decision else None,
        "clause": clause_of(case),
        "last_day": appeals.last_day(decision) if decision else None,
        "why_no_appeal": why_no_appeal(case, timezone.localdate()),
        "may_take_back": CASE.allows(case.state, CaseState.TAKEN_BACK),
        "lacks_account": decision is not None and decision.amount_fen > 0 and _lacks_account(case),
    }


def clause_of(case: SubsidyCase) -> str:
    """What the clause asks under which the city refused, in words; empty where it did not."""
    words = REFUSABLE.get(case.refusal_clause, "")
    return f"{case.refusal_clause}: {_(words)}" if words else ""


def _lacks_account(case: SubsidyCase) -> bool:
    return not BankAccount.objects.filter(
        person=case.person, state=BankAccountState.CONFIRMED
    ).exists()


def next_step(case: SubsidyCase) -> str:
    """What happens next, in one sentence."""
    waiting = {
        CaseState.SUBMITTED: _("Next, your union visits you at home and notes what it finds."),
        CaseState.VISITED: _("Next, the county federation reviews the application."),
        CaseState.REVIEWED: _("Next, the city federation decides."),
        CaseState.RETURNED: _("Something is missing. It goes on as soon as you complete it."),
        CaseState.TAKEN_BACK: _("You took the application back. You may apply again."),
        CaseState.WITHDRAWN: _("The decision was withdrawn; nothing is paid. You may apply again."),
        CaseState.REFUSED: _("The reason stands below. If you think it is wrong, appeal."),
    }
    if case.state == CaseState.GRANTED and case.decision is not None:
        return _after_grant(case.decision)
    return waiting.get(CaseState(case.state), "")


def _after_grant(decision: Decision) -> str:
    if Entitlement.objects.paid().filter(decision=decision).exists():
        return _("The bank has paid it to your account.")
    is_open = Objection.objects.filter(decision=decision, state=ObjectionState.OPEN).exists()
    if is_open:
        return _("Somebody objected. Nothing is paid until the objection is answered.")
    told = {
        DecisionState.MADE: _("Next, it goes on public notice."),
        DecisionState.PUBLISHED: _("It is on public notice. Payment follows when the days end."),
        DecisionState.CONTESTED: _("The objection was answered; the office is closing it."),
        DecisionState.CLEAR: _("It is clear for payment to your bank account."),
        DecisionState.WITHDRAWN: _("The decision was withdrawn; nothing is paid."),
    }
    return told[DecisionState(decision.state)]
