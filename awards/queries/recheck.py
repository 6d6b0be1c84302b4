"""Who may no longer be paid, asked again before every step of a payment (X3)."""

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Exists,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from awards.models import Honour, HonourLevel, YearlyVerification
from awards.states import HonourState
from welfare.disbursement.models import Entitlement


def no_longer_payable(entitlements: QuerySet[Entitlement]) -> QuerySet[Entitlement]:
    """Entitlements of the dead and of those without the honour, with `reason` for staff."""
    held = Honour.objects.filter(
        person=OuterRef("person_id"),
        state=HonourState.HELD,
        title__level=HonourLevel.MUNICIPAL,
        title__is_model_worker=True,
    )
    latest = YearlyVerification.objects.filter(
        model_worker__person=OuterRef("person_id"),
        year=Cast(OuterRef("period"), IntegerField()),
    ).order_by("-pk")
    return (
        entitlements.annotate(
            holds_title=Exists(held),
            seen_alive=Subquery(latest.values("is_alive")[:1], output_field=BooleanField()),
            seen_honoured=Subquery(
                latest.values("honour_retained")[:1], output_field=BooleanField()
            ),
        )
        .filter(
            Q(person__died_on__isnull=False)
            | Q(holds_title=False)
            | Q(seen_alive=False)
            | Q(seen_honoured=False)
        )
        .annotate(
            reason=Case(
                When(
                    Q(person__died_on__isnull=False) | Q(seen_alive=False),
                    then=Value(_("X3: no longer alive, according to the register")),
                ),
                default=Value(_("X3: the municipal honour is no longer held")),
                output_field=CharField(),
            )
        )
    )
