"""Who can be paid now, and why everybody else is left out."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextChoices,
    Value,
    When,
)
from django.utils.translation import gettext_lazy as _

from members.models import BankAccount
from members.states import BankAccountState
from union_portal.models import Organization
from union_portal.states import DecisionState
from welfare.disbursement import entitlements
from welfare.disbursement.models import (
    Entitlement,
    Fund,
    Motion,
    MotionKind,
    PayoutBatch,
    PayoutLine,
    StrayPayment,
)
from welfare.disbursement.states import UNPAID, MotionState


class LeftOut(TextChoices):
    """Why an entitlement is not in a batch now; what to do follows from it."""

    SENT_BEFORE = "sent_before", _("the sent register knows a payment of it")
    CONTESTED = "contested", _("an objection is open")
    ON_NOTICE = "on_notice", _("the public notice still runs")
    NOT_CLEAR = "not_clear", _("not published or cleared yet")
    WITHDRAWN = "withdrawn", _("the decision was withdrawn")
    RULE_LAPSED = "rule_lapsed", _("the rule set is not in force on the payment date")
    DIED = "died", _("the person has died")
    STOPPED = "stopped", _("the scheme's check stops it")
    ACCOUNT_UNCONFIRMED = "account_unconfirmed", _("the bank account waits for confirmation")
    NO_ACCOUNT = "no_account", _("no bank account is known")
    FAILED_BEFORE = "failed_before", _("a payment failed: correct the account and issue it again")


_BY_DECISION: Final = {
    DecisionState.CONTESTED: LeftOut.CONTESTED,
    DecisionState.PUBLISHED: LeftOut.ON_NOTICE,
    DecisionState.MADE: LeftOut.NOT_CLEAR,
    DecisionState.WITHDRAWN: LeftOut.WITHDRAWN,
}


def waiting(
    *, fund: Fund, scheme: str, period: str, organization: Organization
) -> QuerySet[Entitlement]:
    """Granted entitlements of the union and all below it that have no live or paid line."""
    return Entitlement.objects.unpaid().filter(
        fund=fund, scheme=scheme, period=period, organization__path__startswith=organization.path
    )


def due() -> QuerySet[Entitlement]:
    """What a batch may take up: owed, without an attempt that failed, its decision clear."""
    return fresh(Entitlement.objects.unpaid()).filter(decision__state=DecisionState.CLEAR)


def held_back(entitlement: Entitlement) -> LeftOut | None:
    """What its decision keeps an entitlement from, or None when a batch may take it up."""
    return _BY_DECISION.get(DecisionState(entitlement.decision.state))


def judged(entitlements_: QuerySet[Entitlement], *, scheme: str, today: date) -> QuerySet[Any]:
    """Annotate `because`: the first reason that keeps each out, or None if it can be paid."""
    accounts = BankAccount.objects.filter(payee=OuterRef("payee"))
    lapsed = Q(decision__rule_set__valid_from__gt=today) | Q(decision__rule_set__valid_to__lt=today)
    stopped = entitlements.stopped(scheme, entitlements_).order_by().values("pk")
    stray = StrayPayment.objects.filter(claim_key=OuterRef("claim_key"), placed_at=None)
    unconfirmed = accounts.filter(state=BankAccountState.PROPOSED)
    return entitlements_.annotate(
        because=Case(
            When(Exists(stray), then=Value(LeftOut.SENT_BEFORE)),
            *(
                When(decision__state=state, then=Value(reason))
                for state, reason in _BY_DECISION.items()
            ),
            When(lapsed, then=Value(LeftOut.RULE_LAPSED)),
            When(person__died_on__isnull=False, then=Value(LeftOut.DIED)),
            When(pk__in=stopped, then=Value(LeftOut.STOPPED)),
            When(
                ~Exists(accounts.filter(state=BankAccountState.CONFIRMED)),
                then=Case(
                    When(Exists(unconfirmed), then=Value(LeftOut.ACCOUNT_UNCONFIRMED)),
                    default=Value(LeftOut.NO_ACCOUNT),
                ),
            ),
            default=Value(None),
            output_field=CharField(null=True),
        )
    )


def fresh(entitlements_: QuerySet[Entitlement]) -> QuerySet[Entitlement]:
    """Those without an attempt that failed: failed ones are issued again batch by batch."""
    failed = PayoutLine.objects.filter(entitlement=OuterRef("pk"), state__in=UNPAID)
    return entitlements_.filter(~Exists(failed))


def left_out(
    *, fund: Fund, scheme: str, period: str, organization: Organization, today: date
) -> QuerySet[Any]:
    """Everybody who waits and can't be in a batch made today.

    `because` is a `LeftOut`, `because_text` the recheck's own words where it stopped one.
    """
    waiting_ = waiting(fund=fund, scheme=scheme, period=period, organization=organization)
    failed = PayoutLine.objects.filter(entitlement=OuterRef("pk"), state__in=UNPAID)
    own: QuerySet[Any] = entitlements.stopped(scheme, Entitlement.objects.filter(pk=OuterRef("pk")))
    words: Subquery | Value = (
        Subquery(own.order_by().values("reason")[:1], output_field=CharField())
        if own.query.annotations
        else Value("")
    )
    return (
        judged(waiting_, scheme=scheme, today=today)
        .annotate(
            because=Case(
                When(because__isnull=False, then=F("because")),
                When(Exists(failed), then=Value(LeftOut.FAILED_BEFORE)),
                output_field=CharField(null=True),
            )
        )
        .filter(because__isnull=False)
        .annotate(
            because_text=Case(
                When(because=LeftOut.STOPPED, then=words),
                default=Value(""),
                output_field=CharField(),
            )
        )
    )


def counted(left: QuerySet[Any]) -> dict[str, int]:
    """How many were left out for each reason."""
    rows = left.order_by().values_list("because").annotate(n=Count("pk"))
    return {str(because): n for because, n in rows}


def failed_in(batch: PayoutBatch) -> QuerySet[Any]:
    """Entitlements still owed whose newest attempt failed or came back in `batch`.

    An attempt that was voided before it left is as if it had not been made.
    """
    last = PayoutLine.objects.filter(entitlement=OuterRef("pk")).counted().order_by("-attempt")
    return (
        Entitlement.objects.unpaid()
        .filter(lines__in=PayoutLine.objects.filter(batch=batch, state__in=UNPAID))
        .annotate(
            last_line=Subquery(last.values("pk")[:1]),
            last_batch=Subquery(last.values("batch")[:1]),
            last_account=Subquery(last.values("bank_account")[:1]),
        )
        .filter(last_batch=batch.pk)
    )


def again(batch: PayoutBatch, *, today: date) -> QuerySet[Entitlement]:
    """Those of `failed_in` that may be tried anew.

    That takes another confirmed account than the one that failed, or a retry that two
    people approved.
    """
    retried = Motion.objects.filter(
        kind=MotionKind.RETRY, state=MotionState.SECONDED, line=OuterRef("last_line")
    )
    confirmed = BankAccount.objects.filter(
        payee=OuterRef("payee"), state=BankAccountState.CONFIRMED
    )
    failed = failed_in(batch).annotate(account=Subquery(confirmed.values("pk")[:1]))
    return judged(
        failed.filter(~Q(account=F("last_account")) | Q(Exists(retried))),
        scheme=batch.scheme,
        today=today,
    ).filter(because__isnull=True)


def reasons(codes: Iterable[str]) -> list[str]:
    """The texts of some reasons, for a message."""
    return [str(LeftOut(code).label) for code in codes]
