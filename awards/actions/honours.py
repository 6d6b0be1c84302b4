"""The roll of honours: titles, conferral, revocation."""

from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from awards.actions.refusals import AwardsRefused, once_more
from awards.models import Honour, HonourTitle
from awards.states import HonourState
from members.models import Person
from union_portal import access, audit, lifecycle, withdrawals
from union_portal.access import Permission
from union_portal.kit.refusals import require_text
from union_portal.models import Account, Decision, DecisionOutcome
from union_portal.states import DecisionState
from welfare.disbursement.models import PayoutLine
from welfare.disbursement.states import LineState

# The bank has the money order: nothing can be held back any more.
_WITH_THE_BANK = (LineState.SENT, LineState.UNKNOWN, LineState.PAID)


@dataclass(frozen=True)
class Ended:
    """What became of payments that lost their ground: `on_their_way` were too late."""

    withdrawn: int
    on_their_way: int


@transaction.atomic
def add_title(
    *, code: str, name: str, level: str, by: Account, is_model_worker: bool = True
) -> HonourTitle:
    """Add a title to the list of those that can be held."""
    access.require(by, Permission.HONOUR_EDIT)
    try:
        with transaction.atomic():
            made = HonourTitle.objects.create(
                code=code, name=name, level=level, is_model_worker=is_model_worker
            )
    except IntegrityError as error:
        known = (
            gettext_noop("A title with this code or name is on the list already."),
            gettext_noop("Use the existing one."),
        )
        once_more(error, awards_honourtitle_code_key=known, awards_honourtitle_name_key=known)
    audit.record("honourtitle.added", made, by=by, level=level)
    return made


@transaction.atomic
def confer(
    *,
    person: Person,
    title: HonourTitle,
    conferred_on: date,
    by: Account,
    today: date,
    certificate_no: str = "",
) -> Honour:
    """Enter an honour on the roll. Errors: AwardsRefused for a future day or a second entry."""
    access.require(by, Permission.HONOUR_EDIT, person.organization)
    if not person.born_on < conferred_on <= today:
        raise AwardsRefused(
            gettext_noop("The day of conferral lies before the birth or in the future."),
            gettext_noop("Take the day from the certificate."),
            at="conferred_on",
        )
    try:
        with transaction.atomic():
            made = Honour.objects.create(
                person=person,
                title=title,
                conferred_on=conferred_on,
                certificate_no=certificate_no.strip(),
                recorded_by=by,
            )
    except IntegrityError as error:
        once_more(
            error,
            honour_held_once=(
                gettext_noop("The person holds this title already."),
                gettext_noop("Nothing needs to be entered."),
            ),
            honour_certificate_once=(
                gettext_noop("The certificate number belongs to another honour of this title."),
                gettext_noop("Compare both certificates."),
            ),
        )
    audit.record("honour.conferred", made, by=by, organization=person.organization)
    return made


@transaction.atomic
def revoke(*, honour: Honour, reason: str, revoked_on: date, by: Account, today: date) -> Ended:
    """Revoke an honour; with the last municipal title go the unpaid subsidies (X3)."""
    access.require(by, Permission.HONOUR_EDIT, honour.person.organization)
    why = require_text(
        reason,
        gettext_noop("The reason is missing."),
        gettext_noop("Name the document that revokes the honour."),
    )
    if not honour.conferred_on <= revoked_on <= today:
        raise AwardsRefused(
            gettext_noop("The day of revocation lies before the conferral or in the future."),
            gettext_noop("Take the day from the document."),
            at="revoked_on",
        )
    lifecycle.advance(
        honour,
        to=HonourState.REVOKED,
        by=by,
        reason=why,
        revoked_on=revoked_on,
        revoked_reason=why,
        revoked_by=by,
    )
    if municipal_titles(honour.person) > 0:
        return Ended(0, 0)
    return end_unpaid(honour.person, by=by, reason=why)


def municipal_titles(person: Person) -> int:
    """How many municipal model-worker titles the person holds now."""
    return Honour.objects.filter(
        person=person,
        state=HonourState.HELD,
        title__level="municipal",
        title__is_model_worker=True,
    ).count()


def end_unpaid(person: Person, *, by: Account, reason: str) -> Ended:
    """Withdraw the person's subsidy decisions of which the bank has no order yet.

    What they owe ends with them; a batch that holds a line of one leaves it out when it is
    sealed, and the rest ends then.
    """
    standing = Decision.objects.filter(
        subsidy_case__person=person, outcome=DecisionOutcome.GRANTED
    ).exclude(state=DecisionState.WITHDRAWN)
    ordered = PayoutLine.objects.filter(
        entitlement__decision__in=standing, state__in=_WITH_THE_BANK
    ).values("entitlement__decision")
    late = standing.filter(pk__in=ordered)
    on_their_way = late.exclude(entitlement__lines__state=LineState.PAID).count()
    withdrawn = withdrawals.withdraw_set(
        decisions=standing.exclude(pk__in=ordered), by=by, reason=reason
    )
    audit.record(
        "person.subsidies_ended",
        person,
        by=by,
        reason=reason,
        withdrawn=withdrawn,
        on_their_way=on_their_way,
    )
    return Ended(withdrawn, on_their_way)
