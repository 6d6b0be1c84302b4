"""Columns and acts in words, where rows and log have only names for programs."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext_noop

from union_portal.admin.trail import name_acts
from union_portal.kit import money

name_acts(
    {
        "subsidyround.proposed": gettext_noop("Proposed"),
        "honour.conferred": gettext_noop("Title entered"),
        "honourtitle.added": gettext_noop("Title added to the list"),
        "modelworker.enrolled": gettext_noop("Entered on the roll"),
        "modelworker.enrolled_set": gettext_noop("Entered on the roll from a sheet"),
        "modelworker.verified_set": gettext_noop("Verified for the year from a sheet"),
        "subsidycase.submitted": gettext_noop("Application filed"),
        "modelworker.updated": gettext_noop("Class, farmer or work capacity changed"),
        "modelworker.verified": gettext_noop("Verified for the year"),
        "modelworker.hardship": gettext_noop("Year of hardship entered"),
        "modelworker.hardship_withdrawn": gettext_noop("Year of hardship withdrawn"),
    }
)


def column(name: str, label: Any) -> Callable[[Any], Any]:
    """The column `name` under a heading people understand; a dash where it is empty."""

    @admin.display(description=label, ordering=name, empty_value="–")
    def shown(row: Any) -> Any:
        value = getattr(row, name)
        if isinstance(value, datetime):
            return f"{timezone.localtime(value):%Y-%m-%d %H:%M}"
        return value

    shown.__name__ = name
    return shown


def yuan_or_dash(fen: int | None) -> str:
    """Fen as ¥1,234.50; a dash where no sum is known."""
    return "–" if fen is None else money.shown(fen)
