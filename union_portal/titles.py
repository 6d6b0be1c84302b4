"""Titles of jobs and reports in the reader's language, though each is kept as it was written.

A title is kept in the language of whoever asked, or of the office where a worker wrote it. Who
writes one registers its wording here, so that it is known again and said anew.
"""

from __future__ import annotations

import re
from functools import cache

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise

_wordings: list[str | Promise] = []


def wording(text: str | Promise) -> None:
    """Register how titles of a kind are worded: a lazy message with named places."""
    _wordings.append(text)


def shown(kept: str) -> str:
    """The title as the reader says it; as it was kept if nobody registered its wording."""
    for number, pattern in _patterns(len(_wordings)):
        if found := pattern.fullmatch(kept):
            return str(_wordings[number]) % found.groupdict()
    return kept


@cache
def _patterns(count: int) -> list[tuple[int, re.Pattern[str]]]:
    """Each wording as each language has it, the longest first: it says most."""
    said: dict[str, int] = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            said |= {str(text): number for number, text in enumerate(_wordings[:count])}
    return [
        (number, re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+)", re.escape(text))))
        for text, number in sorted(said.items(), key=lambda one: -len(one[0]))
    ]
