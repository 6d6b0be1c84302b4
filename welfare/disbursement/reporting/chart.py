"""A bar chart as SVG, made on the server: no script, readable without colours."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, LABEL, VALUE, ROW, BAR = 520, 96, 92, 19, 11


@dataclass(frozen=True)
class Bar:
    """One row: the part that arrived and the rest, in one unit (fen), with its text."""

    label: str
    done: int
    rest: int
    text: str


def bars(title: str, rows: Sequence[Bar]) -> SafeString:
    """Horizontal bars, longest to the full width; lengths are whole tenths of a point."""
    longest = max((row.done + row.rest for row in rows), default=0) or 1
    room = (WIDTH - LABEL - VALUE) * 10
    height = ROW * len(rows) + 4
    drawn = format_html_join(
        "", "{}", ((_bar(row, index * ROW + 4, room, longest),) for index, row in enumerate(rows))
    )
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" width="{}" height="{}" role="img"'
        ' font-family="Union Report" xmlns="http://www.w3.org/2000/svg"><title>{}</title>'
        '<line x1="{}" y1="0" x2="{}" y2="{}" stroke="#8a94a0" stroke-width="0.6"/>{}</svg>',
        *(WIDTH, height, WIDTH, height, title, LABEL, LABEL, height, drawn),
    )


def _bar(row: Bar, top: int, room: int, longest: int) -> SafeString:
    done, rest = row.done * room // longest, row.rest * room // longest
    middle = top + BAR - 2
    return format_html(
        '<text font-family="Union Report" x="{}" y="{}" text-anchor="end" font-size="8.5"'
        ' fill="#2b2f33">{}</text>'
        '<rect x="{}" y="{}" width="{}" height="{}" fill="#3f5f7f"/>'
        '<rect x="{}" y="{}" width="{}" height="{}" fill="#c9a59a"/>'
        '<text font-family="Union Report" x="{}" y="{}" font-size="8.5"'
        ' fill="#2b2f33">{}</text>',
        *(LABEL - 6, middle, row.label),
        *(LABEL, top, _tenths(done), BAR),
        *(_tenths(LABEL * 10 + done), top, _tenths(rest), BAR),
        *(_tenths(LABEL * 10 + done + rest + 50), middle, row.text),
    )


def _tenths(value: int) -> str:
    return f"{value // 10}.{value % 10}"
