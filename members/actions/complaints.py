"""A member complains of a merchant; staff answer, and the member is told."""

from datetime import datetime
from typing import Final

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.actions.refusals import BenefitRefused
from members.models import Merchant, MerchantComplaint, Person, Redemption
from members.queries import person_of
from members.queries.benefits import may_complain
from members.states import ComplaintState
from union_portal import access, audit, lifecycle, notifications
from union_portal.access import Permission
from union_portal.kit.refusals import require_text
from union_portal.models import Account

_LONGEST: Final = 1000
# The log is read by whoever answers: the complaint itself knows who complains.
MEMBER: Final = audit.Machine("member")

notifications.topic("merchant_complaint", _("complaint about a merchant"))
notifications.template(
    "merchant_complaint_answered",
    _("Your complaint about %(merchant)s was answered: %(answer)s"),
)


@transaction.atomic
def file(
    *,
    merchant: Merchant,
    person: Person,
    text: str,
    by: Account,
    redemption: Redemption | None = None,
) -> MerchantComplaint:
    """Complain, of a use or of the merchant in general.

    Errors: PermissionDenied for somebody else's name or use; BenefitRefused while an earlier
    complaint about the merchant is open.
    """
    if person_of(by) != person or (redemption is not None and redemption.person_id != person.pk):
        raise PermissionDenied
    if redemption is not None and redemption.merchant_id != merchant.pk:
        raise PermissionDenied
    # Two complaints at once count each other.
    Person.objects.select_for_update(of=("self",)).get(pk=person.pk)
    if not may_complain(person, merchant):
        raise BenefitRefused(
            gettext_noop("You have complained of this merchant already."),
            gettext_noop("The answer will come to your messages; then you may write again."),
        )
    said = _words(text)
    made = MerchantComplaint.objects.create(
        person=person,
        organization=person.organization,
        merchant=merchant,
        redemption=redemption,
        text=said,
    )
    audit.record("merchantcomplaint.file", made, by=MEMBER, organization=merchant.organization)
    return made


@transaction.atomic
def answer(*, complaint: MerchantComplaint, text: str, by: Account, now: datetime) -> None:
    """Answer; the member is told in the portal. Whoever answers learns no name."""
    access.require(by, Permission.COMPLAINT_ANSWER, complaint.merchant.organization)
    said = _words(text)
    lifecycle.advance(
        complaint,
        to=ComplaintState.ANSWERED,
        by=by,
        answer=said,
        answered_by=by,
        answered_at=now,
    )
    notifications.queue_portal_message(
        topic="merchant_complaint",
        key=str(complaint.pk),
        template="merchant_complaint_answered",
        recipient=complaint.person_id,
        subject=complaint,
        merchant=complaint.merchant.name,
        answer=said,
    )


def _words(text: str) -> str:
    return require_text(
        text[:_LONGEST],
        gettext_noop("The text is too short."),
        gettext_noop("Write what happened, in at least ten characters."),
        shortest=10,
    )
