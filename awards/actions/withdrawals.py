"""What happens to a case when its decision is withdrawn."""

from collections.abc import Sequence

from awards.models import SubsidyCase
from awards.states import CaseState
from union_portal import audit, lifecycle, withdrawals
from union_portal.models import Account


def register() -> None:
    withdrawals.when_withdrawn("awards.subsidycase")(follow)


def follow(*, subjects: Sequence[int], by: Account | audit.Machine, reason: str) -> None:
    """End the granted cases, so that the person can apply or be proposed again that year.

    Each ends with an entry of its own, which its timeline shows: withdrawals are single acts.
    """
    granted = SubsidyCase.objects.filter(pk__in=subjects, state=CaseState.GRANTED)
    for case in granted.order_by("pk").select_for_update():
        lifecycle.advance(case, to=CaseState.WITHDRAWN, by=by, reason=reason)
