"""One sentence of an explanation, kept as a message id so that both languages can show it."""

from collections.abc import Mapping
from typing import Any, TypedDict

from django.utils.translation import gettext

from union_portal.kit.money import yuan


class Step(TypedDict):
    """`clause` and `message` name the rule; `amount_fen` is what this step adds."""

    clause: str
    message: str
    values: dict[str, Any]
    amount_fen: int


def step(clause: str, message: str, values: Mapping[str, Any], amount_fen: int = 0) -> Step:
    return {
        "clause": clause,
        "message": message,
        "values": dict(values),
        "amount_fen": amount_fen,
    }


def render(one: Mapping[str, Any]) -> str:
    """The sentence in the reader's language; values named `…_fen` are shown as yuan."""
    shown = {name: _shown(name, value) for name, value in one.get("values", {}).items()}
    text = gettext(one["message"])
    return text % shown if shown else text


def _shown(name: str, value: Any) -> str:
    return yuan(value) if name.endswith("_fen") else str(value)
