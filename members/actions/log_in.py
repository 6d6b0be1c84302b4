"""A member's phone or service card in the place of the log-in name.

Both are found by their keyed hashes alone. Whoever asks learns nothing: the same two questions
are asked for every number, whether it is somebody's or not, and a wrong password is told in the
same words. Staff log in by their name.
"""

import re
from typing import Final

from members.models import Person
from members.states import CardState
from union_portal import backends, readers
from union_portal.fields import fingerprint
from union_portal.kit.plain_text import digits_as_typed
from union_portal.readers import Door

_PHONE: Final = re.compile(r"(?:\+?86)?(1[0-9]{10})")
_CARD: Final = re.compile(r"[0-9]{16,19}")
# A lost card may lie in other hands, and a replaced one says nothing any more.
_IN_HAND: Final = (
    CardState.ISSUED,
    CardState.COLLECTED,
    CardState.ACTIVE,
    CardState.SUSPENDED,
)


@backends.find_name_by
@readers.seeing(Door.LOG_IN)
def name_of(typed: str) -> str:
    """The log-in name of the one member with this phone or card; '' for nobody and for several."""
    number = digits_as_typed(typed)
    members = Person.objects.filter(
        account__isnull=False, account__is_staff=False, account__roles__isnull=True
    )
    if phone := _PHONE.fullmatch(number):
        found = members.filter(phone_index=fingerprint("phone", phone[1]))
    elif _CARD.fullmatch(number):
        found = members.filter(
            cards__fingerprint=fingerprint("card_number", number), cards__state__in=_IN_HAND
        )
    else:
        return ""
    names = list(found.values_list("account__username", flat=True)[:2])
    return names[0] if len(names) == 1 else ""
