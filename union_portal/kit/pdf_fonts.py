"""Prepare a report's fonts so that every section may embed them whole and share them.

Sections that embed the same whole font are small when joined. But WeasyPrint then maps only
the glyphs that a font names for a character; the mainland shapes and half-width figures are
reached by layout features, and their text could be neither searched nor copied.
"""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from union_portal.kit.pdf import FontFiles

MAINLAND = "zh-cn"
# What Pango may call a stretch of text: Latin letters in Chinese text are taken for English.
SETTINGS = (("Hani", MAINLAND), ("Latn", MAINLAND), ("Latn", "en"), ("Zyyy", "en"))
FEATURES: tuple[dict[str, bool], ...] = ({}, {"hwid": True})


def settle(fonts: FontFiles, characters: Iterable[str]) -> dict[str, dict[str, str]]:
    """Make mainland shapes the fonts' own and number their glyphs plainly, in place.

    A subset keeps the character ids of the whole font, while WeasyPrint writes glyph numbers:
    strict readers would draw other characters. Text in SVG carries no language, so it would
    get Japanese shapes. Returns by each file's sha256 the character a glyph stands for (its
    number as text).
    """
    wanted = sorted({character for text in characters for character in text})
    texts = {}
    for path in (fonts.regular, fonts.bold):
        _number_plainly(path)
        _prefer_mainland(path, wanted)
        texts[hashlib.sha256(path.read_bytes()).hexdigest()] = _glyph_texts(path, wanted)
    return texts


def _number_plainly(path: Path) -> None:
    from fontTools.ttLib import TTFont

    with TTFont(path, recalcTimestamp=False, recalcBBoxes=False) as font:
        table = font["CFF "].cff[0]
        names = [".notdef", *(f"cid{number:05d}" for number in range(1, len(table.charset)))]
        glyphs = table.CharStrings.charStrings
        table.CharStrings.charStrings = {
            new: glyphs[old] for old, new in zip(table.charset, names, strict=True)
        }
        table.charset = names
        # The other tables count glyphs, they do not name them: they are copied as they are.
        font.save(path)


def _prefer_mainland(path: Path, characters: Iterable[str]) -> None:
    from fontTools.ttLib import TTFont

    shaped = _shaped(path, characters, *SETTINGS[0], {})
    with TTFont(path, recalcTimestamp=False, recalcBBoxes=False) as font:
        names = font.getGlyphOrder()
        for table in font["cmap"].tables:
            if table.format in (4, 12):
                for character, glyph in shaped.items():
                    if ord(character) in table.cmap:
                        table.cmap[ord(character)] = names[glyph]
        font.save(path)


def _glyph_texts(path: Path, characters: Sequence[str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for setting in SETTINGS:
        for features in FEATURES:
            for character, glyph in _shaped(path, characters, *setting, features).items():
                texts.setdefault(str(glyph), character)
    return texts


def _shaped(
    path: Path,
    characters: Iterable[str],
    script: str,
    language: str,
    features: dict[str, bool],
) -> dict[str, int]:
    """The glyph of each character that has exactly one."""
    import uharfbuzz

    font = uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(path))))
    glyphs = {}
    for character in characters:
        buffer = uharfbuzz.Buffer()
        buffer.add_str(character)
        buffer.guess_segment_properties()
        buffer.script, buffer.language = script, language
        uharfbuzz.shape(font, buffer, features)
        if len(buffer.glyph_infos) == 1 and buffer.glyph_infos[0].codepoint:
            glyphs[character] = buffer.glyph_infos[0].codepoint
    return glyphs
