"""Banks that issue cards: described and changed by the rules' office, checked before it is kept."""

import re
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext_noop

from members.actions.refusals import CardRefused
from members.models import CardBank, CardBatch
from members.rules.card_applicants import Conditions
from members.rules.card_layouts import CardLayout
from members.states import CardBatchState
from union_portal import access, audit
from union_portal.access import Permission
from union_portal.kit.refusals import require_text
from union_portal.models import Account

# A batch relies on its layout until the bank has answered.
RELYING: Final = (CardBatchState.MADE, CardBatchState.SENT)
_PREFIXES: Final = re.compile(r"(?:[0-9]{1,12}(?:[ ,]+|$))*")


@transaction.atomic
def describe(
    *,
    code: str,
    name: str,
    hotline: str,
    layout: dict[str, Any],
    by: Account,
    prefixes: str = "",
    cut_off_day: int | None = None,
    conditions: dict[str, Any] | None = None,
    is_active: bool = True,
) -> CardBank:
    """Write down a bank; the same code again changes it.

    Errors: LayoutRefused, ConditionsRefused naming what is wrong; CardRefused while a batch
    that relies on the layout is on its way.
    """
    access.require(by, Permission.RULES_EDIT)
    CardLayout.from_config(layout)
    Conditions.from_config(conditions or {})
    if not _PREFIXES.fullmatch(prefixes.strip()):
        raise CardRefused(
            gettext_noop("The first digits of the cards are numbers divided by spaces."),
            gettext_noop("For example 622848 622849; leave it empty for any."),
        )
    known = CardBank.objects.select_for_update(no_key=True).filter(code=code).first()
    if known is not None and known.layout != layout:
        _refuse_while_relied_on(known)
    made, is_new = CardBank.objects.update_or_create(
        code=code,
        defaults={
            "name": require_text(
                name, gettext_noop("The name is missing."), gettext_noop("Name the bank.")
            ),
            "hotline": hotline.strip(),
            "prefixes": " ".join(prefixes.replace(",", " ").split()),
            "layout": layout,
            "cut_off_day": cut_off_day,
            "conditions": conditions or {},
            "is_active": is_active,
        },
    )
    audit.record("cardbank.describe", made, by=by, layout=layout, is_new=is_new)
    return made


def _refuse_while_relied_on(bank: CardBank) -> None:
    relying = CardBatch.objects.filter(bank=bank, state__in=RELYING)
    if count := relying.count():
        raise CardRefused(
            gettext_noop("%(count)s batches of this bank are on their way."),
            gettext_noop("Wait for the bank's answers, or describe the bank under another code."),
            {"count": count},
        )
