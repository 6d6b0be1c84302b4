"""What the grassroots union and the county do: visit, review, return for completion."""

from collections.abc import Iterable
from datetime import date

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from awards.actions import telling
from awards.actions.applications.held import lock
from awards.actions.applications.uploads import Upload, stored
from awards.actions.refusals import AwardsRefused, require_other
from awards.models import HomeVisit, ReturnForCompletion, SubsidyCase
from awards.rules.bands import band_of
from awards.rules.schemes import HARDSHIP
from awards.states import CaseState
from union_portal import access, decisions, lifecycle
from union_portal.access import Permission
from union_portal.kit.money import yuan
from union_portal.kit.refusals import require_sentence, require_text
from union_portal.models import Account


@transaction.atomic
def visit(
    *,
    case: SubsidyCase,
    visited_on: date,
    visitors: str,
    findings: str,
    is_confirmed: bool,
    by: Account,
    today: date,
    photos: Iterable[Upload] = (),
    signature: Upload | None = None,
) -> HomeVisit:
    """The grassroots union records what it found at home, with photos and a signature.

    A visit that does not confirm the need goes on too: only the city refuses (X11).
    """
    access.require(by, Permission.SUBSIDY_VISIT, case.organization)
    require_other(by, case.created_by)
    lock(case)
    if not timezone.localdate(case.created_at) <= visited_on <= today:
        raise AwardsRefused(
            gettext_noop("The visit lies before the application or in the future."),
            gettext_noop("Enter the day on which you were there."),
        )
    made = HomeVisit.objects.create(
        case=case,
        visited_on=visited_on,
        visitors=require_text(
            visitors,
            gettext_noop("The visitors are missing."),
            gettext_noop("Name everyone who went."),
        ),
        findings=require_sentence(
            findings,
            gettext_noop("The findings are missing or too short."),
            gettext_noop("Write at least ten characters: what you saw and were shown."),
        ),
        is_confirmed=is_confirmed,
        signature=stored(case, "visit_signature", signature, by) if signature else None,
        recorded_by=by,
    )
    for photo in photos:
        stored(made, "visit_photo", photo, by, organization=case.organization)
    lifecycle.advance(case, to=CaseState.VISITED, by=by, visited_by=by)
    telling.tell_step(case, "visited", made.pk)
    return made


@transaction.atomic
def review(
    *, case: SubsidyCase, opinion: str, recommended_fen: int | None, by: Account, today: date
) -> None:
    """The county gives its opinion and may recommend an amount within the band (X7)."""
    access.require(by, Permission.SUBSIDY_REVIEW, case.county)
    require_other(by, case.created_by, case.visited_by)
    lock(case)
    text = require_sentence(
        opinion,
        gettext_noop("The opinion is missing or too short."),
        gettext_noop("Write at least ten characters: what was checked, and what you think."),
    )
    if recommended_fen is not None:
        _require_within_band(recommended_fen, today)
    lifecycle.advance(
        case,
        to=CaseState.REVIEWED,
        by=by,
        reviewed_by=by,
        opinion=text,
        recommended_fen=recommended_fen,
    )
    telling.tell_step(case, "reviewed", case.visits.count())


@transaction.atomic
def return_(*, case: SubsidyCase, message: str, by: Account) -> ReturnForCompletion:
    """The step whose turn it is asks the member to complete something."""
    require_turn(case, by)
    require_other(by, case.created_by)
    lock(case)
    asked = ReturnForCompletion.objects.create(
        case=case,
        stage=case.state,
        message=require_sentence(
            message,
            gettext_noop("The message is missing or too short."),
            gettext_noop("Write at least ten characters: what the member should complete."),
        ),
        returned_by=by,
    )
    lifecycle.advance(case, to=CaseState.RETURNED, by=by, returned_from=case.state)
    telling.tell_step(case, "returned", asked.pk)
    return asked


def _require_within_band(fen: int, today: date) -> None:
    band = band_of(decisions.rule_set_in_force(HARDSHIP, today).parameters)
    if not band.holds(fen):
        raise AwardsRefused(
            gettext_noop(
                "The amount recommended lies outside the band of %(least)s to %(most)s yuan."
            ),
            gettext_noop("Recommend an amount within it, or leave it to the city."),
            {"least": yuan(band.least_fen), "most": yuan(band.most_fen)},
        )


def require_turn(case: SubsidyCase, by: Account) -> None:
    """Raise PermissionDenied unless the account may take the case's next step."""
    turn = {
        CaseState.SUBMITTED: (Permission.SUBSIDY_VISIT, case.organization),
        CaseState.VISITED: (Permission.SUBSIDY_REVIEW, case.county),
        CaseState.REVIEWED: (Permission.SUBSIDY_DECIDE, case.organization),
    }.get(CaseState(case.state))
    if turn is None:
        raise AwardsRefused(
            gettext_noop("The case does not wait for a step of the union."),
            gettext_noop("Reload the page."),
        )
    access.require(by, *turn)
