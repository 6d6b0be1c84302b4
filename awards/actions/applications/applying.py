"""What the member does: apply, complete what was returned, take back."""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from awards.actions.applications.held import lock
from awards.actions.applications.uploads import Upload, attach
from awards.actions.refusals import AwardsRefused, RuleRefused, once_more
from awards.models import SubsidyCase
from awards.queries import person_facts
from awards.rules import HARDSHIP_APPLICATION, assess, prepare
from awards.rules.grounds import facts, read_details
from awards.rules.schemes import HARDSHIP
from awards.states import CaseState
from members.actions import consents
from members.models import ConsentPurpose, Person
from members.queries import person_of
from union_portal import audit, decisions, lifecycle
from union_portal.kit.refusals import require_text
from union_portal.models import (
    Account,
    Organization,
    RuleSet,
)


@transaction.atomic
def apply(
    *,
    ground: str,
    stated: Mapping[str, Any],
    asked_fen: int | None,
    documents: Iterable[Upload],
    by: Account,
    today: date,
) -> SubsidyCase:
    """A model worker applies, with the account that is theirs.

    `stated` is what `rules.grounds.read_details` reads. Errors: PermissionDenied for an
    account without a person; ConsentMissing; RuleRefused with the clause; refusals of amounts
    and files.
    """
    person = _person(by)
    rules = decisions.rule_set_in_force(HARDSHIP, today)
    consents.require_where_asked(person, ConsentPurpose.SENSITIVE, today=today)
    details = read_details(ground, stated)
    period = str(today.year)
    _require_may_apply(person, ground, details, period=period, rules=rules, today=today)
    _require_asked(asked_fen, rules)
    case = _new_case(
        person=person,
        scheme=HARDSHIP,
        period=period,
        organization=person.organization,
        county=county_of(person.organization),
        ground=ground,
        details=json.dumps(details, ensure_ascii=False),
        asked_fen=asked_fen,
        created_by=by,
    )
    attached = attach(case, documents, by)
    audit.record("subsidycase.submitted", case, by=by, ground=ground, documents=attached)
    return case


@transaction.atomic
def take_back(*, case: SubsidyCase, by: Account) -> None:
    """The applicant gives the application up; another may follow in the same year."""
    _require_own(case, by)
    lock(case)
    _close_return(case, "")
    lifecycle.advance(case, to=CaseState.TAKEN_BACK, by=by)


@transaction.atomic
def resubmit(
    *,
    case: SubsidyCase,
    answer: str,
    by: Account,
    today: date,
    documents: Iterable[Upload] = (),
    stated: Mapping[str, Any] | None = None,
) -> None:
    """The member answers; the case comes back to the step that asked.

    A changed statement starts again with the home visit, which verified the old one.
    """
    _require_own(case, by)
    lock(case)
    text = require_text(
        answer,
        gettext_noop("The answer is missing."),
        gettext_noop("Write what you completed, or why you can't."),
    )
    attach(case, documents, by)
    changes: dict[str, Any] = {"returned_from": ""}
    to = case.returned_from
    if stated is not None:
        rules = decisions.rule_set_in_force(HARDSHIP, today)
        details = read_details(case.ground, stated)
        _require_may_apply(
            case.person,
            case.ground,
            details,
            period=case.period,
            rules=rules,
            today=today,
            except_case=case.pk,
        )
        changes["details"] = json.dumps(details, ensure_ascii=False)
        if changes["details"] != case.details:
            to = CaseState.SUBMITTED
            changes |= {"visited_by": None, "reviewed_by": None}
    _close_return(case, text)
    lifecycle.advance(case, to=to, by=by, **changes)


def county_of(union: Organization) -> Organization:
    """The organization right below the federation on the way to the union."""
    chain = [int(part) for part in union.path.split("/") if part]
    return Organization.objects.get(pk=chain[min(1, len(chain) - 1)])


def _person(by: Account) -> Person:
    person = person_of(by)
    if person is None:
        raise PermissionDenied(_("Only members apply, with their own account."))
    return person


def _require_own(case: SubsidyCase, by: Account) -> None:
    if _person(by).pk != case.person_id:
        raise PermissionDenied(_("This is not your application."))


def _require_may_apply(
    person: Person,
    ground: str,
    details: Mapping[str, Any],
    *,
    period: str,
    rules: RuleSet,
    today: date,
    except_case: int | None = None,
) -> None:
    """Refuse what could never be granted. The yearly verification may follow later."""
    givens = prepare(HARDSHIP, rules.parameters, period=period, on=today)
    known = person_facts(person, HARDSHIP, givens, today, except_case=except_case)
    told = assess(
        HARDSHIP_APPLICATION,
        {**known, **facts(ground, details)},
        {**givens, "requires_verification": False},
    )
    if told.refusal is not None:
        raise RuleRefused(
            told.refusal, gettext_noop("Correct the application, or ask your union about it.")
        )


def _require_asked(asked_fen: int | None, rules: RuleSet) -> None:
    if asked_fen is not None and not 0 < asked_fen <= rules.parameters["most_fen"]:
        raise AwardsRefused(
            gettext_noop("The amount asked for lies outside what may be paid."),
            gettext_noop("Ask for at most the greatest amount, or leave it to the union."),
        )


def _new_case(**fields: Any) -> SubsidyCase:
    try:
        with transaction.atomic():
            return SubsidyCase.objects.create(**fields)
    except IntegrityError as error:
        once_more(
            error,
            case_one_live=(
                gettext_noop("X7: an application for this year is under way or was granted."),
                gettext_noop("Open it under “My subsidies”; there is one a year."),
            ),
        )


def _close_return(case: SubsidyCase, answer: str) -> None:
    case.returns.filter(answered_at__isnull=True).update(answer=answer, answered_at=timezone.now())
