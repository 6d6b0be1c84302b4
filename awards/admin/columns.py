"""Columns and trails in words, where the rows themselves have only names for programs."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from union_portal.admin.buttons import Text
from union_portal.admin.trail import Step, trail_of

_SAID: dict[str, Text] = {
    "subsidyround.proposed": _("Proposed"),
    "honour.conferred": _("Title entered"),
    "honourtitle.added": _("Title added to the list"),
    "modelworker.enrolled": _("Entered on the roll"),
    "modelworker.updated": _("Class, farmer or work capacity changed"),
    "modelworker.verified": _("Verified for the year"),
    "modelworker.hardship": _("Year of hardship entered"),
    "modelworker.hardship_withdrawn": _("Year of hardship withdrawn"),
    "rule_set.draft": _("Drafted"),
    "rule_set.edit": _("Draft changed"),
    "rule_set.adopt": _("Adopted"),
    "appeal.filed": _("Appeal filed"),
}


def column(name: str, label: Any) -> Callable[[Any], Any]:
    """The column `name` under a heading people understand; a dash where it is empty."""

    @admin.display(description=label, ordering=name, empty_value="–")
    def shown(row: Any) -> Any:
        return getattr(row, name)

    shown.__name__ = name
    return shown


def told_trail(*rows: Model) -> list[Step]:
    """What happened to some rows, each step in words."""
    return [replace(step, text=str(_SAID.get(step.text, step.text))) for step in trail_of(*rows)]
