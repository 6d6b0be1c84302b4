"""Something that a caller carries from one call to the next and can neither read nor change."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from union_portal.fields import keyring
from union_portal.kit.crypto import SealBroken
from union_portal.models import Account


def seal(kind: str, held: dict[str, Any], *, account: Account) -> str:
    """Seal it for this account, as personal data are sealed."""
    text = json.dumps({**held, "for": account.pk})
    return urlsafe_b64encode(keyring().seal(f"api {kind}", text)).decode("ascii").rstrip("=")


def open_(kind: str, sealed: str, *, account: Account) -> dict[str, Any] | None:
    """What was sealed for this account; None for anything else."""
    try:
        raw = urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
        held: dict[str, Any] = json.loads(keyring().open(f"api {kind}", raw))
    except (ValueError, SealBroken):
        return None
    return held if held.pop("for", None) == account.pk else None
