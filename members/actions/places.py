"""Shops of a merchant, each with its point on the map."""

from decimal import Decimal
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from members.actions.refusals import BenefitRefused
from members.models import Merchant, MerchantPlace
from members.rules.places import read_division, read_point
from members.rules.rows import read_line
from union_portal import access, audit
from union_portal.access import Permission
from union_portal.kit.refusals import require_text
from union_portal.models import Account

_LENGTHS: Final = {"name": 80, "address": 200, "phone": 30, "hours": 80}


@transaction.atomic
def add(
    *, merchant: Merchant, latitude: Decimal, longitude: Decimal, by: Account, **words: str
) -> MerchantPlace:
    """Add a shop. Errors: Refused for a point or division that can't be; a name that is taken."""
    access.require(by, Permission.MERCHANT_EDIT, merchant.organization)
    place = MerchantPlace(merchant=merchant)
    _write(place, latitude, longitude, words)
    audit.record("merchantplace.add", place, by=by, organization=merchant.organization)
    return place


@transaction.atomic
def change(
    *, place: MerchantPlace, latitude: Decimal, longitude: Decimal, by: Account, **words: str
) -> None:
    """Correct a shop. Errors: as for `add`."""
    access.require(by, Permission.MERCHANT_EDIT, place.merchant.organization)
    _write(place, latitude, longitude, words)
    audit.record("merchantplace.change", place, by=by, organization=place.merchant.organization)


@transaction.atomic
def set_open(*, place: MerchantPlace, is_open: bool, by: Account) -> None:
    """Take a closed shop off map and list, or put it back."""
    access.require(by, Permission.MERCHANT_EDIT, place.merchant.organization)
    place.is_active = is_open
    place.save(update_fields=["is_active"])
    audit.record(
        "merchantplace.open" if is_open else "merchantplace.close",
        place,
        by=by,
        organization=place.merchant.organization,
    )


def _write(
    place: MerchantPlace, latitude: Decimal, longitude: Decimal, words: dict[str, str]
) -> None:
    place.latitude, place.longitude = read_point(latitude, longitude)
    place.division_code = read_division(words.pop("division_code"))
    for column, longest in _LENGTHS.items():
        setattr(place, column, read_line(words.pop(column, ""), longest))
    _refuse_unknown(words)
    require_text(
        place.name, gettext_noop("The name of the shop is missing."), gettext_noop("Fill it in.")
    )
    require_text(
        place.address, gettext_noop("The address is missing."), gettext_noop("Fill it in.")
    )
    try:
        with transaction.atomic():
            place.save()
    except IntegrityError as error:
        if "merchant_place_name_once" not in str(error):
            raise
        raise BenefitRefused(
            gettext_noop("The merchant has a shop of this name already."),
            gettext_noop("Add the street to the name."),
            at="name",
        ) from None


def _refuse_unknown(words: dict[str, Any]) -> None:
    if words:
        raise ValueError(", ".join(sorted(words)))
