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
    values = shown(one.get("values", {}))
    text = gettext(one["message"])
    return text % values if values else text


def shown(values: Mapping[str, Any]) -> dict[str, str]:
    """The values of a sentence as a reader sees them."""
    return {
        name: yuan(value) if name.endswith("_fen") else str(value) for name, value in values.items()
    }
