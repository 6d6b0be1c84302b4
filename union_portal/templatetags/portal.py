"""Filters for templates: money."""

from typing import Any

from django import template

from union_portal.kit import money

register = template.Library()


@register.filter
def yuan(fen: Any) -> str:
    """Fen as ``¥1,234.50``; nothing for nothing."""
    return "" if fen in (None, "") else f"¥{money.yuan(int(fen))}"
