"""Filters for templates: money, whole-number drawing."""

from typing import Any

from django import template

from union_portal.kit import money

register = template.Library()


@register.filter
def yuan(fen: Any) -> str:
    """Fen as ``¥1,234.50``; nothing for nothing."""
    return "" if fen in (None, "") else f"¥{money.yuan(int(fen))}"


@register.filter
def times(number: int, factor: int) -> int:
    return int(number) * int(factor)


@register.filter
def plus(number: int, other: int) -> int:
    return int(number) + int(other)


@register.filter
def over(number: int, divisor: int) -> int:
    return int(number) // int(divisor)
