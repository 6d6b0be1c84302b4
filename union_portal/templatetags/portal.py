"""Filters for templates: money, and the names of browsers."""

from typing import Any

from django import template

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
def browser(user_agent: Any) -> str:
    """The program and the device by the names that people know; unknown ones are shortened.

    Most programs claim to be others as well: the first name of the lists that fits counts.
    """
    told = str(user_agent or "")
    found = [
        next((name for mark, name in names if mark in told), "") for names in (PROGRAMS, DEVICES)
    ]
    return " · ".join(filter(None, found)) or told[:40]
