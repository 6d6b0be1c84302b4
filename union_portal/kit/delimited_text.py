"""Rows of text between separators of one or several characters, as banks write and read them.

Their files are described by configuration (encoding, separator, quotation marks); who reads one
says in its own words what a fault makes of the file.
"""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Protocol

from django.utils.translation import gettext_noop as _

from union_portal.kit import media_types
from union_portal.kit.plain_text import has_control_characters
from union_portal.kit.refusals import Refused

Cells = list[str]
# Makes of one fault the exception by which the whole file is refused.
Refuse = Callable[[Refused], Exception]

ENCODINGS: Final = frozenset({"gb2312", "gbk", "gb18030", "utf-8", "utf-8-sig"})
# In characters; how many bytes the widest takes; how many bytes are decoded at once.
LONGEST_LINE: Final = 10_000
WIDEST_CHARACTER: Final = 4
PIECE: Final = 1024 * 1024
# Head, titles and trailer are no rows.
AROUND: Final = 3
MARK: Final = "\ufeff"
_LINE: Final = re.compile(rb"([^\r\n]*)(?:\r\n|\r|\n|$)")


class Layout(Protocol):
    """How rows are written. Without a quotation mark no text may hold the separator."""

    @property
    def encoding(self) -> str: ...

    @property
    def separator(self) -> str: ...

    @property
    def quote(self) -> str: ...


def rows(
    layout: Layout, content: bytes, *, most_rows: int, refuse: Refuse
) -> Iterator[tuple[int, Cells]]:
    """Each line with something on it, with its number in the file. The file is never held twice.

    Raises what `refuse` makes of another encoding, a broken line, or more than `most_rows` rows.
    """
    _refuse_another_kind(content, refuse)
    _refuse_another_encoding(layout, content, refuse)
    return _split(layout, content, most_rows, refuse)


def joined(layout: Layout, cells: Cells) -> str:
    """One row as text, without its line end."""
    if not layout.quote:
        return layout.separator.join(cells)
    out = io.StringIO()
    csv.writer(
        out,
        delimiter=layout.separator,
        quotechar=layout.quote,
        quoting=csv.QUOTE_ALL,
        lineterminator="",
    ).writerow(cells)
    return out.getvalue()


def breaks_a_row(layout: Layout, text: str) -> bool:
    """Whether a text would end its cell or its row."""
    marks = ("\n", "\r") if layout.quote else ("\n", "\r", layout.separator)
    return any(mark in text for mark in marks)


def lacks(encoding: str, text: str) -> bool:
    """Whether the encoding has not every character of the text."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return True
    return False


def wrong_width(row: int, *, wanted: int, found: int) -> Refused:
    """A row that has not as many cells as the layout has columns."""
    return Refused(
        _("Row %(row)s has %(found)s columns, this format has %(wanted)s."),
        _("The file may be cut off or meant for another bank: fetch it again."),
        {"row": row, "found": found, "wanted": wanted},
    )


def unfit(row: int, values: Mapping[str, str], widest: Mapping[str, int]) -> Refused | None:
    """Why a row's texts can't be kept as they are, or None. `widest`: characters by name."""
    if any(map(has_control_characters, values.values())):
        return Refused(
            _("Row %(row)s holds a control character."),
            _("Fetch the file again as it is, without opening and saving it."),
            {"row": row},
        )
    wide = [name for name, most in widest.items() if len(values.get(name, "")) > most]
    if not wide:
        return None
    return Refused(
        _("Row %(row)s: “%(what)s” is longer than %(most)s characters."),
        _("The file may be damaged or meant for another bank: fetch it again."),
        {"row": row, "what": wide[0], "most": widest[wide[0]]},
    )


def _encoding(layout: Layout) -> str:
    """A mark at the beginning of UTF-8 is taken off by `_split`, whatever the encoding."""
    return "utf-8" if layout.encoding == "utf-8-sig" else layout.encoding


def _refuse_another_kind(content: bytes, refuse: Refuse) -> None:
    media_type = media_types.sniff(content[: media_types.HEAD])
    if media_type in (media_types.ZIP, media_types.OLE):
        told = _("This is a workbook or an archive, and this bank answers with plain text.")
    else:
        told = media_types.no_table(media_type)
    if told:
        raise refuse(
            Refused(told, _("Fetch the file again as it is, without opening and saving it."))
        )


def _refuse_another_encoding(layout: Layout, content: bytes, refuse: Refuse) -> None:
    """Before any row is read, a piece at a time: as a whole, text may take four times its bytes."""
    decoder = codecs.getincrementaldecoder(_encoding(layout))()
    row = 0
    for at in range(0, len(content), PIECE):
        piece = content[at : at + PIECE]
        try:
            decoder.decode(piece, final=at + PIECE >= len(content))
        except UnicodeDecodeError as error:
            # What it could not read is this piece, and what was left over from the one before.
            start = at + len(piece) - len(error.object) + error.start
            row = content.count(b"\n", 0, start) + 1
            break
    # Raised out here: as its context the error would carry a piece of the file with it.
    if row:
        raise refuse(
            Refused(
                _("Row %(row)s is not written in %(encoding)s."),
                _("Fetch the file again as it is, without opening and saving it."),
                {"row": row, "encoding": _encoding(layout).upper()},
            )
        )


def _split(
    layout: Layout, content: bytes, most_rows: int, refuse: Refuse
) -> Iterator[tuple[int, Cells]]:
    """One row a line, so that no quotation mark left open swallows the rows after it.

    Split as bytes: in no encoding that is known does a line end stand within a character.
    """
    for number, match in enumerate(_LINE.finditer(content), start=1):
        if number > most_rows + AROUND:
            raise refuse(_too_many_rows(most_rows))
        if match.end(1) - match.start(1) > WIDEST_CHARACTER * (LONGEST_LINE + len(MARK)):
            raise refuse(_broken(number))
        line = match[1].decode(_encoding(layout))
        if number == 1:
            line = line.removeprefix(MARK)
        if len(line) > LONGEST_LINE:
            raise refuse(_broken(number))
        if line:
            yield number, _cells_of(layout, number, line, refuse)


def _cells_of(layout: Layout, number: int, line: str, refuse: Refuse) -> Cells:
    if not layout.quote:
        return line.split(layout.separator)
    reader = csv.reader([line], delimiter=layout.separator, quotechar=layout.quote, strict=True)
    try:
        return next(reader)
    except csv.Error:
        pass
    # Raised out here: as its context the error would carry the row with it.
    raise refuse(_broken(number))


def _broken(row: int) -> Refused:
    return Refused(
        _("Row %(row)s is broken: a quotation mark or a line end is out of place."),
        _("Fetch the file again as it is, without opening and saving it."),
        {"row": row},
    )


def _too_many_rows(most: int) -> Refused:
    return Refused(
        _("The file holds more than %(most)s rows."),
        _("A bank's answer is a short list: check whether it is the right one."),
        {"most": most},
    )
