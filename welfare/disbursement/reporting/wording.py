"""The words of a report: Chinese alone, or Chinese with small English beside it."""

from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import override

CHINESE = "zh-hans"
ENGLISH = "en"


class Wording:
    """Turns message ids into what is printed. Reports are Chinese first in both languages."""

    def __init__(self, language: str = CHINESE) -> None:
        self.is_bilingual = language.startswith("en")

    def chinese(self, text: str | Promise, **values: Any) -> str:
        with override(CHINESE):
            return _filled(text, values)

    def english(self, text: str | Promise, **values: Any) -> str:
        """The English beside the Chinese; empty in the Chinese version."""
        if not self.is_bilingual:
            return ""
        with override(ENGLISH):
            return _filled(text, values)

    def __call__(self, text: str | Promise, **values: Any) -> SafeString:
        """The label as HTML, its values escaped."""
        chinese, english = self.chinese(text, **values), self.english(text, **values)
        if english and english != chinese:
            return format_html('{} <small lang="en">{}</small>', chinese, english)
        return conditional_escape(chinese)

    def plain(self, text: str | Promise, **values: Any) -> str:
        """The label as text."""
        chinese, english = self.chinese(text, **values), self.english(text, **values)
        return f"{chinese} {english}" if english and english != chinese else chinese

    def day(self, on: date) -> str:
        if self.is_bilingual:
            return on.isoformat()
        return f"{on.year}年{on.month}月{on.day}日"

    def moment(self, at: datetime) -> str:
        local = timezone.localtime(at)
        return f"{self.day(local.date())} {local:%H:%M}"


def _filled(text: str | Promise, values: dict[str, Any]) -> str:
    filled = str(text)
    return filled % values if values else filled
