"""The codes that a member shows at a till: one live one a card, and sheets printed in advance.

Only keyed hashes are stored. Every instant is the database's: neither the phone's clock nor a
web server's matters.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now
from django.utils.translation import gettext_noop

from members.models import BenefitOffer, CardCode, CodeKind, ServiceCard
from members.queries import till as queries_till
from members.rules import card_tokens
from members.states import CardState, OfferState
from union_portal import audit
from union_portal.fields import fingerprint
from union_portal.kit.refusals import Refused
from union_portal.models import Account

SHEET: Final = 10
SHEET_LIFE: Final = timedelta(days=30)
# A drawn code that is somebody's already (one in millions) is drawn again.
_DRAWS: Final = 3

sign: Final = partial(fingerprint, "card_token")


class CardClosed(Refused):
    """The card makes no codes: it is not active, or its holder is no member now."""


class OfferClosed(Refused):
    """The chosen offer is not open."""


@dataclass(frozen=True)
class LiveCode:
    """The code as it is shown once: digits to type and the token to scan."""

    code: str
    token: str
    expires_at: datetime


@dataclass(frozen=True)
class Sheet:
    """Codes to be printed now: they are stored as keyed hashes alone and never shown again."""

    codes: list[str]
    expires_at: datetime


@transaction.atomic
def renew(*, card: ServiceCard, by: Account, offer: BenefitOffer | None = None) -> LiveCode:
    """A new live code in the place of the one before, good for one minute.

    The one before counts until its own minute ends, unless another offer was chosen meanwhile.
    Errors: PermissionDenied unless `by` holds the card; CardClosed; OfferClosed.
    """
    held = _require_open(card, by)
    if offer is not None and offer.state != OfferState.PUBLISHED:
        raise OfferClosed(
            gettext_noop("This offer is not open."), gettext_noop("Choose another one.")
        )
    revision = None if offer is None else offer.revision
    code, row = _drawn(lambda digest: _written(held, digest, offer, revision))
    token = card_tokens.issue(code, at=row.issued_at, sign=sign)
    return LiveCode(code, token, row.expires_at)


@transaction.atomic
def print_sheet(*, card: ServiceCard, by: Account) -> Sheet:
    """Ten codes that each count once, for thirty days; those of an earlier sheet end now.

    Errors: PermissionDenied unless `by` holds the card; CardClosed.
    """
    held = _require_open(card, by)
    earlier = CardCode.objects.filter(card=held, kind=CodeKind.PRINTED, used_at__isnull=True)
    earlier.filter(expires_at__lte=Now()).delete()
    earlier.update(expires_at=Now())
    made = [_drawn(partial(_printed, held, position)) for position in range(1, SHEET + 1)]
    audit.record("card.print_codes", held, by=by, count=SHEET)
    return Sheet([code for code, _row in made], made[0][1].expires_at)


@transaction.atomic
def sweep() -> int:
    """Forget codes a day after they expired. A use keeps the hash of its own code."""
    removed, _by_model = CardCode.objects.filter(expires_at__lt=Now() - timedelta(days=1)).delete()
    return removed


def digest_of(code: str) -> str:
    """What is stored of a code."""
    return fingerprint("card_code", code)


def _require_open(card: ServiceCard, by: Account) -> ServiceCard:
    """The locked card, of which `by` is the holder and which is good today."""
    held = (
        ServiceCard.objects.select_for_update(of=("self",)).select_related("person").get(pk=card.pk)
    )
    if held.person.account_id != by.pk:
        raise PermissionDenied
    if held.state != CardState.ACTIVE:
        raise CardClosed(
            gettext_noop("Your card makes no codes now: it is “%(state)s”."),
            gettext_noop("Your card's page shows how it stands and what to do."),
            {"state": held.get_state_display()},
        )
    if queries_till.live_membership(held.person) is None:
        raise CardClosed(
            gettext_noop("Your card makes no codes now: you are no member of a union today."),
            gettext_noop("Your union's office tells you more."),
        )
    return held


def _drawn(write: Callable[[str], CardCode]) -> tuple[str, CardCode]:
    """A fresh code and its row."""
    for _draw in range(_DRAWS):
        code = card_tokens.make_code(secrets.randbelow)
        try:
            with transaction.atomic():
                return code, write(digest_of(code))
        except IntegrityError as error:
            if "digest" not in str(error):
                raise
    raise RuntimeError("no free code was drawn")


def _written(
    card: ServiceCard, digest: str, offer: BenefitOffer | None, revision: int | None
) -> CardCode:
    """The live row of the card with its new code."""
    changes: dict[str, Any] = {
        "digest": digest,
        "offer": offer,
        "offer_revision": revision,
        "issued_at": Now(),
        "expires_at": Now() + card_tokens.LIFE,
        "used_at": None,
    }
    rows = CardCode.objects.filter(card=card, kind=CodeKind.LIVE)
    if not rows.update(**changes, **_kept_before(offer, revision)):
        CardCode.objects.create(card=card, kind=CodeKind.LIVE, **changes)
    return rows.get()


def _kept_before(offer: BenefitOffer | None, revision: int | None) -> dict[str, Any]:
    """The code before, if it was unused and of the same choice."""
    same = Q(offer=offer) if offer else Q(offer__isnull=True)
    same &= Q(offer_revision=revision) if offer else Q()
    kept = When(Q(used_at__isnull=True) & same, then=F("digest"))
    return {
        "former_digest": Case(kept, default=Value("")),
        "former_expires_at": F("expires_at"),
    }


def _printed(card: ServiceCard, position: int, digest: str) -> CardCode:
    made = CardCode.objects.create(
        card=card,
        kind=CodeKind.PRINTED,
        digest=digest,
        position=position,
        issued_at=Now(),
        expires_at=Now() + SHEET_LIFE,
    )
    made.refresh_from_db()
    return made
