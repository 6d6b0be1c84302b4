"""What an applicant states for a ground of special hardship (X6), and the facts it makes."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop

from union_portal.kit.money import fen_from_yuan
from union_portal.kit.refusals import Refused

PATIENTS = {
    "self": gettext_noop("myself"),
    "parent": gettext_noop("a parent"),
    "spouse": gettext_noop("my spouse"),
    "child": gettext_noop("a child"),
}
CAUSES = {
    "livelihood": {
        "lay_off": gettext_noop("lay-off"),
        "unemployment": gettext_noop("unemployment"),
        "lost_work_capacity": gettext_noop("lost work capacity"),
        "schooling": gettext_noop("children's schooling"),
    },
    "disaster": {
        "natural_disaster": gettext_noop("natural disaster"),
        "family_accident": gettext_noop("accident in the family"),
    },
}
# What must have paid first: basic insurance, major-illness insurance, medical assistance,
# and the aid to workers in hardship.
RELIEFS = ("basic_fen", "major_illness_fen", "assistance_fen", "worker_aid_fen")
AMOUNTS = ("costs_fen", *RELIEFS)


class GroundsRefused(Refused):
    """The statement can't be read; the text says which part."""


def read_details(ground: str, stated: Mapping[str, Any]) -> dict[str, Any]:
    """The statement in its stored form; amounts become fen.

    `stated` holds text, patient, cause, is_serious, is_school_in_china and the amounts of
    `AMOUNTS` without `_fen`, in yuan. Errors: GroundsRefused, MoneyError.
    """
    text = str(stated.get("text", "")).strip()
    if not text:
        raise GroundsRefused(
            gettext_noop("The situation is not described."),
            gettext_noop("Write in a few sentences what happened and what it costs."),
        )
    details: dict[str, Any] = {"text": text[:4000]}
    if ground == "illness":
        details["patient"] = str(stated.get("patient", ""))
        details["is_serious"] = bool(stated.get("is_serious"))
        details |= {name: _amount(stated, name.removesuffix("_fen")) for name in AMOUNTS}
    else:
        details["cause"] = str(stated.get("cause", ""))
        details["is_school_in_china"] = bool(stated.get("is_school_in_china"))
    return details


def facts(ground: str, details: Mapping[str, Any]) -> dict[str, Any]:
    """The facts the clauses ask about."""
    amounts = {name: details.get(name) for name in AMOUNTS}
    are_stated = all(amounts[name] is not None for name in AMOUNTS)
    paid = sum(amounts[name] or 0 for name in RELIEFS)
    return {
        "ground": ground,
        "patient": details.get("patient", ""),
        "cause": details.get("cause", ""),
        "is_serious": bool(details.get("is_serious")),
        "is_school_in_china": bool(details.get("is_school_in_china")),
        "are_reliefs_stated": are_stated,
        "remaining_fen": (amounts["costs_fen"] or 0) - paid,
    }


def _amount(stated: Mapping[str, Any], name: str) -> int | None:
    """An amount in yuan as fen; None where nothing is stated."""
    value = stated.get(name)
    if value is None or value == "":
        return None
    fen = fen_from_yuan(value)
    if fen < 0:
        raise GroundsRefused(
            gettext_noop("An amount is below zero."),
            gettext_noop("Write what was paid as a positive number, or 0."),
        )
    return fen
