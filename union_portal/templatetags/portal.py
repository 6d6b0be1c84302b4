"""Filters for templates: money, and the names of browsers."""

from typing import Any

from django import forms, template
from django.forms import BoundField
from django.utils.translation import gettext

from union_portal.kit import money

register = template.Library()

PROGRAMS = (
    ("MicroMessenger", "WeChat"),
    ("DingTalk", "DingTalk"),
    ("HuaweiBrowser", "Huawei Browser"),
    ("MiuiBrowser", "Mi Browser"),
    ("QQBrowser", "QQ Browser"),
    ("UCBrowser", "UC Browser"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
DEVICES = (
    ("HarmonyOS", "HarmonyOS"),
    ("OpenHarmony", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


@register.filter
def yuan(fen: Any) -> str:
    """Fen as ``¥1,234.50``; nothing for nothing."""
    return "" if fen in (None, "") else money.shown(int(fen))


@register.filter
def first_shown(rows: Any) -> int:
    """The place of the first row on this page of a list."""
    return min((rows.page_num - 1) * rows.paginator.per_page + 1, rows.result_count)


@register.filter
def last_shown(rows: Any) -> int:
    """The place of the last row on this page of a list."""
    return min(rows.page_num * rows.paginator.per_page, rows.result_count)


@register.filter
def all_found(rows: Any) -> str:
    """How many rows a list has; “1000+” where there are more than are counted."""
    if rows.paginator.about is not None:
        return gettext("about %(count)s") % {"count": rows.result_count}
    return f"{rows.result_count}{'+' if rows.paginator.has_more else ''}"


@register.filter
def uncut(field: BoundField) -> Any:
    """The field; a browser would cut a long text off without a word, so the server judges it."""
    return field.as_widget(attrs={"maxlength": False}) if longest(field) else field


@register.filter
def longest(field: BoundField) -> int | None:
    """How many characters a text of several lines may have; nothing for other fields."""
    is_text = isinstance(field.field.widget, forms.Textarea)
    return getattr(field.field, "max_length", None) if is_text else None


@register.filter
def browser(user_agent: Any) -> str:
    """The program and the device by the names that people know; unknown ones are shortened.

    Most programs claim to be others as well: the first name of the lists that fits counts.
    """
    told = str(user_agent or "")
    found = [
        next((name for mark, name in names if mark in told), "") for names in (PROGRAMS, DEVICES)
    ]
    return " · ".join(filter(None, found)) or told[:40]
