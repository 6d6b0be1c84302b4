"""Join rendered PDF sections into one document: fonts once, one outline, one tag tree.

A plain merge of pages drops the tag tree and keeps every section's copy of the fonts. The
parts must come from one WeasyPrint version and carry continuing page numbers already.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, String

FontTexts = Mapping[str, Mapping[str, str]]
"""By a font file's sha256: glyph number (as text) to the character it stands for."""


@dataclass(frozen=True)
class Details:
    """What the file says about itself. `made_at` is an ISO instant."""

    title: str
    author: str
    made_at: str
    language: str = "zh-CN"


@dataclass(frozen=True)
class Bookmark:
    """An entry of the outline; `page` counts from 0, `level` 0 is the outermost."""

    title: str
    page: int
    level: int = 0


def join(
    parts: Sequence[Path],
    out: Path,
    *,
    details: Details,
    outline: Sequence[Bookmark] = (),
    font_texts: FontTexts = MappingProxyType({}),
    is_tagged: bool = True,
) -> int:
    """Write the joined document and return its number of pages.

    A `<div>` that begins with `<pre>` is a list set in padded lines: in the tag tree it
    becomes a table with a row for each line. `font_texts` come from `pdf_fonts.settle`.
    """
    with ExitStack() as open_files, pikepdf.new() as joined:
        fonts = _Fonts(joined, font_texts)
        tags = _TagTree(joined) if is_tagged else None
        for number, path in enumerate(parts):
            # Streams are copied when the result is written: the sources stay open until then.
            part = open_files.enter_context(pikepdf.open(path))
            first = len(joined.pages)
            joined.pages.extend(part.pages)
            fonts.share(first)
            if tags is not None:
                tags.take(part, first, number)
        if tags is not None:
            tags.finish(details.language)
        _describe(joined, details)
        _add_outline(joined, outline)
        joined.save(
            out,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            deterministic_id=True,
        )
        return len(joined.pages)


class _Fonts:
    """Points every section's fonts to one font file, one map to Unicode and one set of widths."""

    def __init__(self, joined: pikepdf.Pdf, texts: FontTexts) -> None:
        self.joined = joined
        self.texts = texts
        self.known: dict[tuple[str, str], Any] = {}

    def share(self, first: int) -> None:
        """Take the fonts of the pages from `first` on."""
        done: set[tuple[int, int]] = set()
        for page in islice(self.joined.pages, first, None):
            resources = page.obj.get(Name.Resources)
            if resources is None or resources.objgen in done:
                continue
            if resources.objgen != (0, 0):
                done.add(resources.objgen)
            for font in (resources.get(Name.Font) or Dictionary()).values():
                self._share(font)

    def _share(self, font: Any) -> None:
        for descendant in font.get(Name.DescendantFonts) or ():
            descriptor = descendant.get(Name.FontDescriptor) or Dictionary()
            for key in (Name.FontFile, Name.FontFile2, Name.FontFile3):
                if key in descriptor:
                    digest = hashlib.sha256(descriptor[key].read_bytes()).hexdigest()
                    descriptor[key] = self._first(digest, "file", descriptor[key])
                    if digest in self.texts:
                        font.ToUnicode = self._map(digest)
                        descendant.W = self._first(digest, "widths", descendant.get(Name.W))

    def _first(self, digest: str, what: str, mine: Any) -> Any:
        """The first of its kind that came with this font file, as an object of its own."""
        if (digest, what) not in self.known:
            self.known[digest, what] = mine if mine.is_indirect else self.joined.make_indirect(mine)
        return self.known[digest, what]

    def _map(self, digest: str) -> Any:
        if (digest, "map") not in self.known:
            content = _to_unicode(self.texts[digest])
            self.known[digest, "map"] = self.joined.make_stream(content)
        return self.known[digest, "map"]


def _to_unicode(texts: Mapping[str, str]) -> bytes:
    """A CMap from glyph numbers to characters. Source: ISO 32000-1, 9.10.3."""
    rows = [
        f"<{int(glyph):04x}> <{text.encode('utf-16-be').hex()}>"
        for glyph, text in sorted(texts.items(), key=lambda pair: int(pair[0]))
    ]
    blocks = [rows[start : start + 100] for start in range(0, len(rows), 100)]
    lines = [
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
        "1 begincodespacerange <0000> <ffff> endcodespacerange",
        *(f"{len(rows)} beginbfchar\n" + "\n".join(rows) + "\nendbfchar" for rows in blocks),
        "endcmap CMapName currentdict /CMap defineresource pop end end",
    ]
    return "\n".join(lines).encode()


class _TagTree:
    """The joined structure tree: one /Document, one parent tree with shifted numbers."""

    def __init__(self, joined: pikepdf.Pdf) -> None:
        self.joined = joined
        self.root = joined.make_indirect(Dictionary(Type=Name.StructTreeRoot))
        self.document = joined.make_indirect(
            Dictionary(Type=Name.StructElem, S=Name.Document, P=self.root)
        )
        self.children: list[Any] = []
        self.numbers: list[Any] = []
        self.next_number = 0

    def take(self, part: pikepdf.Pdf, first: int, part_number: int) -> None:
        """Hang the part's tree under the common document."""
        foreign = part.Root.get(Name.StructTreeRoot)
        if foreign is None:
            raise ValueError(f"section {part_number} carries no tags")
        copy = self.joined.copy_foreign(foreign)
        self._take_numbers(copy.ParentTree.Nums, first)
        for child in copy.K[0].K:
            child.P = self.document
            _tidy(self.joined, child, f"{part_number}.")
            self.children.append(child)

    def _take_numbers(self, nums: Any, first: int) -> None:
        offset, highest = self.next_number, -1
        for index in range(0, len(nums), 2):
            number = int(nums[index])
            highest = max(highest, number)
            self.numbers += [number + offset, nums[index + 1]]
        for page in islice(self.joined.pages, first, None):
            if Name.StructParents in page.obj:
                page.obj.StructParents = int(page.obj.StructParents) + offset
            for annotation in page.obj.get(Name.Annots) or ():
                if Name.StructParent in annotation:
                    annotation.StructParent = int(annotation.StructParent) + offset
        self.next_number = offset + highest + 1

    def finish(self, language: str) -> None:
        tree = self.joined.make_indirect(Dictionary(Nums=Array(self.numbers)))
        self.document.K = Array(self.children)
        self.root.K = Array([self.document])
        self.root.ParentTree = tree
        self.root.ParentTreeNextKey = self.next_number
        self.joined.Root.StructTreeRoot = self.root
        self.joined.Root.MarkInfo = Dictionary(Marked=True)
        self.joined.Root.Lang = String(language)


def _tidy(joined: pikepdf.Pdf, element: Any, prefix: str) -> None:
    """Make cell ids unique in the joined document, and tables of lists set in lines."""
    waiting = [element]
    while waiting:
        element = waiting.pop()
        if _is_padded_list(element):
            _make_table(joined, element)
        if Name.ID in element:
            element.ID = String(prefix + str(element.ID))
        attributes = element.get(Name.A)
        if isinstance(attributes, Dictionary) and Name.Headers in attributes:
            attributes.Headers = Array([String(prefix + str(h)) for h in attributes.Headers])
        waiting += _elements(element)


def _elements(element: Any) -> list[Any]:
    kids = element.get(Name.K)
    if not isinstance(kids, Array):
        return []
    return [kid for kid in kids if isinstance(kid, Dictionary) and Name.S in kid]


def _is_padded_list(element: Any) -> bool:
    if Name.Div != element.S:
        return False
    kids = _elements(element)
    return bool(kids) and Name.NonStruct == kids[0].S


def _make_table(joined: pikepdf.Pdf, element: Any) -> None:
    """Turn a block of lines into a table: a row per line, the first block its head."""
    rows: list[Any] = []
    columns = 1
    for position, block in enumerate(_elements(element)):
        if Name.Table == block.S:
            taken = _rows_of(block)
            columns = max([columns, *(len(_elements(row)) for row in taken)])
            for row in taken:
                row.P = element
            rows += taken
            continue
        for line in _elements(block):
            row = joined.make_indirect(Dictionary(Type=Name.StructElem, S=Name.TR, P=element))
            row.K = Array([line])
            line.S, line.P = (Name.TH if position == 0 else Name.TD), row
            rows.append(row)
    _span(rows, columns)
    element.S, element.K = Name.Table, Array(rows)


def _span(rows: list[Any], columns: int) -> None:
    for row in rows:
        cells = _elements(row)
        if len(cells) == 1 and Name.A not in cells[0]:
            attributes = Dictionary(O=Name.Table)
            if columns > 1:
                attributes.ColSpan = columns
            if cells[0].S == Name.TH:
                attributes.Scope = Name.Column
            cells[0].A = attributes


def _rows_of(table: Any) -> list[Any]:
    rows = []
    for kid in _elements(table):
        rows += [kid] if kid.S == Name.TR else _rows_of(kid)
    return rows


def _describe(joined: pikepdf.Pdf, details: Details) -> None:
    joined.Root.Lang = String(details.language)
    joined.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
    with joined.open_metadata(set_pikepdf_as_editor=False) as metadata:
        metadata["dc:title"] = details.title
        metadata["dc:creator"] = [details.author]
        metadata["dc:language"] = [details.language]
        metadata["xmp:CreateDate"] = details.made_at
        metadata["pdf:Producer"] = "Union Portal"


def _add_outline(joined: pikepdf.Pdf, outline: Sequence[Bookmark]) -> None:
    with joined.open_outline() as tree:
        levels = [tree.root]
        for bookmark in outline:
            item = pikepdf.OutlineItem(bookmark.title, bookmark.page, "FitH")
            item.is_closed = False
            del levels[bookmark.level + 1 :]
            levels[bookmark.level].append(item)
            levels.append(item.children)
