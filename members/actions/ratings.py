"""What a member thinks of a use: said once."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from members.models import Rating, Redemption
from members.states import RedemptionState
from union_portal import audit
from union_portal.kit.refusals import Refused
from union_portal.models import Account


class RatingRefused(Refused):
    """The use can't be rated, or has been."""


@transaction.atomic
def rate(*, redemption: Redemption, stars: int, words: str, by: Account) -> Rating:
    """One to five stars and a few words, once a use. Errors: PermissionDenied; RatingRefused."""
    if redemption.person.account_id != by.pk:
        raise PermissionDenied
    if redemption.state != RedemptionState.DONE:
        raise RatingRefused(gettext_noop("A use that was taken back is not rated."))
    if not 1 <= stars <= 5:
        raise RatingRefused(gettext_noop("Choose one to five stars."))
    made = Rating(redemption=redemption, stars=stars, words=words.strip())
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError:
        raise RatingRefused(gettext_noop("You have rated this use already.")) from None
    # Of the rating, not of the use: whoever reads how a use went learns no name.
    audit.record("rating.give", made, by=by, organization=redemption.organization, stars=stars)
    return made
