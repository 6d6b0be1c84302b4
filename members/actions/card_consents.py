"""The consent to giving card data to the bank: asked for when one applies for a card."""

from django.db import transaction
from django.utils.translation import gettext_noop

from members.actions.refusals import CardRefused
from members.models import Channel, Consent, ConsentPurpose, ConsentText, Person
from union_portal import audit
from union_portal.models import Account


def text_now() -> ConsentText | None:
    """The newest adopted text on giving card data to the bank."""
    texts = ConsentText.objects.filter(purpose=ConsentPurpose.CARD, adopted_at__isnull=False)
    return texts.order_by("-version").first()


def has_given(person: Person) -> bool:
    """Whether the person agreed and has not withdrawn."""
    return Consent.objects.filter(
        person=person, text__purpose=ConsentPurpose.CARD, withdrawn_at__isnull=True
    ).exists()


@transaction.atomic
def give(*, person: Person, channel: Channel, by: Account) -> None:
    """Note that the person agrees to the text as it is now; agreeing twice is agreeing.

    At a desk the person has signed on paper; `by` is who saw it.
    """
    if has_given(person):
        return
    text = text_now()
    if text is None:
        raise CardRefused(
            gettext_noop("There is no text yet to which one could agree."),
            gettext_noop("The city union writes it and somebody else adopts it."),
        )
    consent = Consent.objects.create(person=person, text=text, channel=channel, given_by=by)
    audit.record("consent.give", consent, by=by, organization=person.organization)
