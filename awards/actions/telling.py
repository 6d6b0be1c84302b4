"""Tell people where their cases stand: SMS or letter, and at once in the portal (X13)."""

from datetime import datetime
from typing import Any, Final

from django.db.models import CharField, F, Func, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat, JSONObject, LPad
from django.utils.translation import gettext_lazy as _

from awards.models import Scheme, SubsidyCase
from awards.states import CaseState
from union_portal import notifications, queue, titles
from union_portal.models import Account
from welfare.disbursement import settlement
from welfare.disbursement.acting import Actor
from welfare.disbursement.models import PayoutBatch, PayoutLine
from welfare.disbursement.states import LineState

SUBJECT_TYPE: Final = "awards.subsidycase"
TOPIC: Final = "subsidy"
_SETTLED: Final = (LineState.PAID, LineState.FAILED, LineState.RETURNED)

_TEXTS: Final = {
    "festival_gift_granted": _(
        "Your festival gift for %(period)s was decided: %(amount)s yuan (case %(number)s)."
        " The portal shows why and when it is paid."
    ),
    "festival_gift_refused": _(
        "Your festival gift for %(period)s was refused (case %(number)s). The portal shows the"
        " reason and how to appeal."
    ),
    "special_hardship_granted": _(
        "Your special hardship subsidy for %(period)s was decided: %(amount)s yuan (case"
        " %(number)s). The portal shows why and when it is paid."
    ),
    "special_hardship_refused": _(
        "Your application for a special hardship subsidy for %(period)s was refused (case"
        " %(number)s). The portal shows the reason and how to appeal."
    ),
    "living_allowance_granted": _(
        "Your living allowance for %(period)s was decided: %(amount)s yuan (case %(number)s)."
        " The portal shows why and when it is paid."
    ),
    "living_allowance_refused": _(
        "Your living allowance for %(period)s was refused (case %(number)s). The portal shows"
        " the reason and how to appeal."
    ),
    "payment_paid": _(
        "%(amount)s yuan were paid to your account ending in %(four)s (case %(number)s)."
    ),
    "payment_failed": _(
        "The bank could not pay %(amount)s yuan to your account ending in %(four)s (case"
        " %(number)s). The money is kept for you: have your union's office check the account,"
        " then it is paid again."
    ),
    "payment_returned": _(
        "%(amount)s yuan paid to your account ending in %(four)s came back (case %(number)s)."
        " The money is kept for you: have your union's office check the account, then it is"
        " paid again."
    ),
    "application_visited": _(
        "A home visit on your application %(number)s was recorded. The county reviews it next."
    ),
    "application_reviewed": _(
        "The county reviewed your application %(number)s. The city decides next."
    ),
    "application_returned": _(
        "Your application %(number)s needs to be completed. The portal shows what is missing."
    ),
}


_ABOUT_PAYMENTS = _("Messages about the payments of batch %(batch)s")


def register() -> None:
    """Make topic and texts known to the outbox, and hear of what the bank answers."""
    notifications.topic(TOPIC, _("subsidies"))
    titles.wording(_ABOUT_PAYMENTS)
    for name, text in _TEXTS.items():
        notifications.template(name, text=text)
    for scheme in Scheme.values:
        settlement.tells(scheme)(when_settled)


def tell_decided(
    cases: QuerySet[SubsidyCase], occasion: str = "decided", *, at: datetime | None = None
) -> int:
    """Write one message for each decided case of a living person; asking twice tells once.

    `at` is the moment of the decisions; now if nothing else is said.
    """
    told = 0
    for scheme in Scheme.values:
        for state in (CaseState.GRANTED, CaseState.REFUSED):
            told += notifications.queue_messages(
                topic=TOPIC,
                template=f"{scheme}_{state}",
                rows=_messages(cases.filter(scheme=scheme, state=state), occasion),
                subject_type=SUBJECT_TYPE,
                at=at,
            )
    return told


def tell_step(case: SubsidyCase, step: str, key: object = "") -> None:
    """Tell one applicant that a step was taken. `key` sets apart steps that come again."""
    notifications.queue_messages(
        topic=TOPIC,
        template=f"application_{step}",
        rows=_messages(SubsidyCase.objects.filter(pk=case.pk), f"{step}:{key}"),
        subject_type=SUBJECT_TYPE,
    )
    notifications.queue_portal_message(
        topic=TOPIC,
        key=f"{case.pk}:{step}:{key}",
        template=f"application_{step}",
        recipient=case.person_id,
        subject=case,
        number=case.number,
    )


def when_settled(batch: PayoutBatch, by: Actor) -> None:
    """Have a worker tell the people of a batch what the bank said, however many they are."""
    queue.enqueue(
        "awards.tell_payments",
        by=by if isinstance(by, Account) else None,
        title=_ABOUT_PAYMENTS % {"batch": batch.number},
        batch_id=batch.pk,
    )


def tell_payments(batch_id: int) -> int:
    """Write one message for each payment of a batch that arrived, failed or came back.

    One statement for each of the three, whatever their number. A payment that arrived and came
    back later is told of twice; asking twice tells once.
    """
    return sum(
        notifications.queue_messages(
            topic=TOPIC,
            template=f"payment_{state}",
            rows=_payments(PayoutLine.objects.filter(batch=batch_id, state=state)),
            subject_type=SUBJECT_TYPE,
        )
        for state in _SETTLED
    )


def _payments(lines: QuerySet[PayoutLine]) -> QuerySet[Any, Any]:
    """Of living people; the case may have been decided anew since, and is told of all the same."""
    case = Cast("entitlement__decision__subject_id", TextField())
    return lines.filter(
        entitlement__person__died_on__isnull=True,
        entitlement__decision__subject_type=SUBJECT_TYPE,
    ).values(
        key=Concat(F("e2e"), Value(":"), F("state"), output_field=CharField()),
        recipient=F("entitlement__person_id"),
        sealed_phone=F("entitlement__person__phone"),
        about=case,
        facts=JSONObject(
            amount=_yuan("amount_fen"),
            number=_number(case),
            four=F("account_last_four"),
        ),
    )


def _messages(cases: QuerySet[SubsidyCase], occasion: str) -> QuerySet[Any, Any]:
    plain = Cast("pk", TextField())
    return cases.filter(person__died_on__isnull=True).values(
        key=Concat(plain, Value(f":{occasion}"), output_field=CharField()),
        recipient=F("person_id"),
        sealed_phone=F("person__phone"),
        about=plain,
        facts=JSONObject(period=F("period"), amount=_yuan("amount_fen"), number=_number(plain)),
    )


def _yuan(column: str) -> Func:
    """As `money.yuan` writes it: with separators of thousands and two decimals."""
    return Func(
        F(column),
        template="to_char(%(expressions)s / 100.0, 'FM999,999,999,999,990.00')",
        output_field=CharField(),
    )


def _number(plain: Cast) -> Concat:
    """As `SubsidyCase.number` writes it."""
    return Concat(Value("S"), LPad(plain, 8, Value("0")), output_field=CharField())
