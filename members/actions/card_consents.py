"""The consent to giving card data to the bank: asked for when one applies for a card."""

from datetime import date

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from members.actions.refusals import CardRefused
from members.models import Channel, Consent, Person
from members.queries_cards import card_text_in_force
from union_portal import audit
from union_portal.models import Account


@transaction.atomic
def give(*, person: Person, version: int, by: Account, today: date) -> None:
    """The person agrees to the text in force; agreeing twice is agreeing.

    `version` is the one that was read. Errors: CardRefused if there is none, or another one
    meanwhile.
    """
    text = card_text_in_force(today)
    if text is None or text.version != version:
        raise CardRefused(
            gettext_noop("The text of the consent has changed, or there is none yet."),
            gettext_noop("Open the page again and read it, then decide."),
        )
    if _standing(person).filter(text=text).exists():
        return
    consent = Consent.objects.create(person=person, text=text, channel=Channel.PORTAL, given_by=by)
    audit.record("consent.give", consent, by=by, organization=person.organization)


def _standing(person: Person) -> QuerySet[Consent]:
    return Consent.objects.filter(person=person, withdrawn_at__isnull=True)
