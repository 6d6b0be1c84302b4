"""Widths of text in half-width units, as the report font sets it (one unit is half an em)."""

from functools import cache, lru_cache
from typing import Any

from union_portal.kit import pdf


@cache
def _font() -> Any:
    import uharfbuzz

    blob = uharfbuzz.Blob.from_file_path(str(pdf.bundled_font("regular")))
    return uharfbuzz.Font(uharfbuzz.Face(blob))


@cache
def _advance(character: str, *, is_half: bool) -> int:
    """Advance in thousandths of an em; 0 if the font has no such glyph."""
    import uharfbuzz

    buffer = uharfbuzz.Buffer()
    buffer.add_str(character)
    buffer.guess_segment_properties()
    buffer.language = "zh-cn"
    uharfbuzz.shape(_font(), buffer, {"hwid": is_half})
    if any(glyph.codepoint == 0 for glyph in buffer.glyph_infos):
        return 0
    return sum(position.x_advance for position in buffer.glyph_positions)


@cache
def _grid_units(character: str) -> int | None:
    """1 or 2 if the character stands exactly on the grid of half widths, else None."""
    if " " <= character <= "~":
        return 1
    if _advance(character, is_half=False) == _advance(character, is_half=True) == 1000:
        return 2
    return None


@lru_cache(maxsize=4096)
def grid_width(text: str) -> int | None:
    """Width in units; None if a character does not stand on the grid of half widths."""
    if text.isascii():
        return len(text)
    total = 0
    for character in text:
        units = _grid_units(character)
        if units is None:
            return None
        total += units
    return total


@lru_cache(maxsize=4096)
def set_width(text: str) -> int:
    """Width in units as a list sets it (half-width forms on), rounded up."""
    if text.isascii():
        return len(text)
    return -(-sum(_advance(character, is_half=True) or 1000 for character in text) // 500)


def width(text: str) -> int:
    """Width in units, rounded up, the wider of both forms; a character the font lacks is two."""
    exact = grid_width(text)
    if exact is not None:
        return exact
    return -(-sum(map(_widest, text)) // 500)


def _widest(character: str) -> int:
    if " " <= character <= "~":
        return 500
    forms = (_advance(character, is_half=False), _advance(character, is_half=True))
    return max(forms) or 1000


def cut(text: str, units: int) -> str:
    """The text, or as much of it as fits with an ellipsis."""
    if width(text) <= units:
        return text
    kept = text
    while kept and width(kept) > units - 2:
        kept = kept[:-1]
    return f"{kept}…"


def wrap(text: str, units: int) -> list[str]:
    """The whole text in lines of at most `units`, broken anywhere (names keep every letter)."""
    lines, line = [], ""
    for character in text:
        if line and width(line + character) > units:
            lines.append(line)
            line = ""
        line += character
    return [*lines, line]
