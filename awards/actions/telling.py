"""Tell people where their cases stand: SMS or letter, and at once in the portal (X13)."""

from typing import Any, Final

from django.db.models import CharField, F, Func, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat, JSONObject, LPad
from django.utils.translation import gettext_lazy as _

from awards.models import Scheme, SubsidyCase
from awards.states import CaseState
from union_portal import notifications

SUBJECT_TYPE: Final = "awards.subsidycase"
TOPIC: Final = "subsidy"

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


def register() -> None:
    """Make the topic and the texts known to the outbox."""
    notifications.topic(TOPIC, _("subsidies"))
    for name, text in _TEXTS.items():
        notifications.template(name, text=text)


def tell_decided(cases: QuerySet[SubsidyCase], occasion: str = "decided") -> int:
    """Write one message for each decided case of a living person; asking twice tells once."""
    told = 0
    for scheme in Scheme.values:
        for state in (CaseState.GRANTED, CaseState.REFUSED):
            told += notifications.queue_messages(
                topic=TOPIC,
                template=f"{scheme}_{state}",
                rows=_messages(cases.filter(scheme=scheme, state=state), occasion),
                subject_type=SUBJECT_TYPE,
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


def _messages(cases: QuerySet[SubsidyCase], occasion: str) -> QuerySet[Any, Any]:
    plain = Cast("pk", TextField())
    amount = Func(
        F("amount_fen"),
        template="to_char(%(expressions)s / 100.0, 'FM999999999990.00')",
        output_field=CharField(),
    )
    number = Concat(Value("S"), LPad(plain, 8, Value("0")), output_field=CharField())
    return cases.filter(person__died_on__isnull=True).values(
        key=Concat(plain, Value(f":{occasion}"), output_field=CharField()),
        recipient=F("person_id"),
        sealed_phone=F("person__phone"),
        about=plain,
        facts=JSONObject(period=F("period"), amount=amount, number=number),
    )
