"""Tell members where their cards stand: by SMS or letter, a set in one statement."""

from datetime import datetime
from typing import Any, Final

from django.db.models import CharField, F, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat, JSONObject
from django.utils.translation import gettext_lazy as _

from members.models import ServiceCard
from union_portal import notifications

SUBJECT_TYPE: Final = "members.servicecard"
TOPIC: Final = "card"

_TEXTS: Final = {
    "returned": _(
        "Your application for a service card needs to be completed. The portal shows what is"
        " missing."
    ),
    "refused": _(
        "The bank could not issue your service card. Your union looks into it; the portal shows"
        " how it goes on."
    ),
    "issued": _(
        "Your service card of %(bank)s is there. Collect it from your union and sign for it, then"
        " activate it at the bank with your identity card."
    ),
    "lost": _(
        "Your service card was reported lost: its benefits have stopped. Call the bank as well:"
        " %(hotline)s."
    ),
}


def register() -> None:
    """Make the texts known to the outbox."""
    for name, text in _TEXTS.items():
        notifications.template(f"card_{name}", text=text)
    notifications.topic(TOPIC, _("service card"))


def tell(cards: QuerySet[ServiceCard], occasion: str, key: object = "", *, at: datetime) -> int:
    """Write one message for each card's living holder; asking twice tells once.

    `at` is the moment of the occasion; `key` sets apart occasions that come again.
    """
    plain = Cast("pk", TextField())
    rows: QuerySet[Any, Any] = cards.filter(person__died_on__isnull=True).values(
        key=Concat(plain, Value(f":{occasion}:{key}"), output_field=CharField()),
        recipient=F("person_id"),
        sealed_phone=F("person__phone"),
        about=plain,
        facts=JSONObject(bank=F("bank__name"), hotline=F("bank__hotline")),
    )
    return notifications.queue_messages(
        topic=TOPIC, template=f"card_{occasion}", rows=rows, subject_type=SUBJECT_TYPE, at=at
    )


register()
