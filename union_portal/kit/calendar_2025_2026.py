"""Public holidays and make-up days of 2025 and 2026, as the State Council announced them.

Sources: 国办发明电〔2024〕12号 (2025) and 国办发明电〔2025〕7号 (2026).
"""

from datetime import date, timedelta
from typing import Final

from django.utils.translation import gettext_noop

KNOWN_YEARS: Final = frozenset({2025, 2026})

_NEW_YEAR = gettext_noop("New Year's Day")
_SPRING = gettext_noop("Spring Festival")
_QINGMING = gettext_noop("Qingming Festival")
_LABOUR = gettext_noop("Labour Day")
_DRAGON = gettext_noop("Dragon Boat Festival")
_AUTUMN = gettext_noop("Mid-Autumn Festival")
_NATIONAL = gettext_noop("National Day")
_NATIONAL_AND_AUTUMN = gettext_noop("National Day and Mid-Autumn Festival")

_DAYS_OFF: Final = (
    (date(2025, 1, 1), 1, _NEW_YEAR),
    (date(2025, 1, 28), 8, _SPRING),
    (date(2025, 4, 4), 3, _QINGMING),
    (date(2025, 5, 1), 5, _LABOUR),
    (date(2025, 5, 31), 3, _DRAGON),
    (date(2025, 10, 1), 8, _NATIONAL_AND_AUTUMN),
    (date(2026, 1, 1), 3, _NEW_YEAR),
    (date(2026, 2, 15), 9, _SPRING),
    (date(2026, 4, 4), 3, _QINGMING),
    (date(2026, 5, 1), 5, _LABOUR),
    (date(2026, 6, 19), 3, _DRAGON),
    (date(2026, 9, 25), 3, _AUTUMN),
    (date(2026, 10, 1), 7, _NATIONAL),
)

_MAKE_UP_DAYS: Final = (
    (date(2025, 1, 26), _SPRING),
    (date(2025, 2, 8), _SPRING),
    (date(2025, 4, 27), _LABOUR),
    (date(2025, 9, 28), _NATIONAL_AND_AUTUMN),
    (date(2025, 10, 11), _NATIONAL_AND_AUTUMN),
    (date(2026, 1, 4), _NEW_YEAR),
    (date(2026, 2, 14), _SPRING),
    (date(2026, 2, 28), _SPRING),
    (date(2026, 5, 9), _LABOUR),
    (date(2026, 9, 20), _NATIONAL),
    (date(2026, 10, 10), _NATIONAL),
)

NAMES: Final[dict[date, str]] = {
    **{
        first + timedelta(days=offset): name
        for first, length, name in _DAYS_OFF
        for offset in range(length)
    },
    **dict(_MAKE_UP_DAYS),
}
"""Message id of the holiday that each listed day belongs to."""

HOLIDAYS: Final[dict[date, bool]] = {
    **dict.fromkeys(NAMES, False),
    **dict.fromkeys((day for day, _ in _MAKE_UP_DAYS), True),
}
"""True: a weekend day that is worked. False: a day off."""
