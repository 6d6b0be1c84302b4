"""Offers that a member keeps at hand."""

from django.db import transaction

from members.models import BenefitOffer, Favourite, Person


@transaction.atomic
def keep(*, offer: BenefitOffer, person: Person) -> None:
    """Keep an offer; keeping it twice is keeping it once. A matter of the member's own."""
    Favourite.objects.get_or_create(person=person, offer=offer)


@transaction.atomic
def drop(*, offer: BenefitOffer, person: Person) -> None:
    """Let go of a kept offer."""
    Favourite.objects.filter(person=person, offer=offer).delete()
