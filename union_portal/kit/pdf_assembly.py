"""Sections to one PDF: number, print in parallel, check the pages, join, take the digest.

Sections are HTML files in one folder, so memory does not grow with their number. Page numbers
are known before anything is printed and are compared with the printed pages afterwards.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from union_portal.kit import pdf, pdf_join
from union_portal.kit.pdf_press import SLOTS, Press, RenderFailed

_TRIES = 4
GROUP = 10

Progress = Callable[[int, int], None]
Bookmark = tuple[str, int, int]
"""Title, page within the section (from 0), level."""


@dataclass
class Section:
    """A run of pages. `pages` is a guess while `is_guess`: free text is counted by printing."""

    name: str
    body: Path
    pages: int
    bookmarks: list[Bookmark] = field(default_factory=list)
    is_guess: bool = False
    printed_as: tuple[int, int] | None = None

    @property
    def out(self) -> Path:
        return self.body.with_suffix(".pdf")


@dataclass(frozen=True)
class Printed:
    """The finished file; `digest` is of its bytes. `peak_kb`: the largest rendering process."""

    path: Path
    pages: int
    digest: str
    peak_kb: int


class Assembly:
    """The sections of one document in order.

    `furniture(first, total)` is the style of a section that begins with page `first`: its
    headers, footers and counters. `style` is shared by all sections. `cache_dir`: see `Press`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        cache_dir: Path,
        style: str,
        furniture: Callable[[int, int], str],
        is_tagged: bool,
    ) -> None:
        self.folder = folder
        self.cache_dir = cache_dir
        self.style = style
        self.furniture = furniture
        self.is_tagged = is_tagged
        self.sections: list[Section] = []
        # Not .json: what the request that writes it has to say goes to that name (`Press`).
        self._font_texts = folder / "font-texts.map"
        self.characters = set(style) | set(furniture(1, 1))

    def add(
        self,
        name: str,
        html: str,
        pages: int,
        bookmarks: Iterable[Bookmark],
        *,
        is_guess: bool = False,
        is_first: bool = False,
    ) -> None:
        """Append a section, or put it before all others; its HTML goes to the folder at once."""
        body = self.folder / f"{len(self.sections):05d}-{name}.html"
        body.write_text(html, encoding="utf-8")
        self.characters |= set(html)
        section = Section(body.stem, body, pages, list(bookmarks), is_guess)
        self.sections.insert(0 if is_first else len(self.sections), section)

    def print(
        self,
        out: Path,
        *,
        details: pdf_join.Details,
        progress: Progress,
        slots: int = SLOTS,
    ) -> Printed:
        """Render everything `slots` at a time and join it into `out`.

        Raises PangoMissing, FontMissing, RenderFailed, and what `progress` raises.
        """
        pdf.require_pango()
        pdf.require_fonts()
        style = self.folder / "style.css"
        style.write_text(self.style, encoding="utf-8")
        with Press(self.folder, cache_dir=self.cache_dir, slots=slots) as press:
            shared = {
                "work": "print",
                "style": str(style),
                "fonts": self._cut_fonts(press),
                "is_tagged": self.is_tagged,
            }
            self._settle(press, shared, progress)
            pages = self._join(press, out, details)
            peak_kb = press.peak_kb
        return Printed(out, pages, _sha256(out), peak_kb)

    def _cut_fonts(self, press: Press) -> list[str]:
        """In a process of its own: the whole fonts and their tables are large."""
        characters = self.folder / "characters.txt"
        characters.write_text("".join(sorted(self.characters)), encoding="utf-8")
        answer = press.one(
            {"work": "fonts", "characters": str(characters), "out": str(self._font_texts)}
        )
        fonts: list[str] = answer["fonts"]
        return fonts

    def _settle(self, press: Press, shared: dict[str, Any], progress: Progress) -> None:
        """Free text first: once its pages are counted, every number is known."""
        free = [section for section in self.sections if section.is_guess]
        for _try in range(_TRIES):
            self._print(press, shared, free, progress)
            if not self._print(press, shared, self.sections, progress):
                return
        raise RenderFailed("the page numbers do not settle")

    def _print(
        self, press: Press, shared: dict[str, Any], sections: list[Section], progress: Progress
    ) -> bool:
        """Print the sections whose numbers changed; True if the pages of one differ."""
        numbers = self._numbers()
        stale = {
            str(section.out): section
            for section in sections
            if section.printed_as != numbers[section.name]
        }
        requests = (
            shared
            | {
                "out": out,
                "body": str(section.body),
                "page_style": self.furniture(*numbers[section.name]),
            }
            for out, section in stale.items()
        )
        differs = False
        for request, answer in press.all(requests):
            section = stale[request["out"]]
            section.printed_as = numbers[section.name]
            differs = differs or answer["pages"] != section.pages
            section.pages = answer["pages"]
            done = sum(section.pages for section in self.sections if section.printed_as)
            progress(done, self._total())
        return differs

    def _total(self) -> int:
        return sum(section.pages for section in self.sections)

    def _numbers(self) -> dict[str, tuple[int, int]]:
        """First page and total as each section prints them."""
        numbers, first, total = {}, 1, self._total()
        for section in self.sections:
            numbers[section.name] = (first, total)
            first += section.pages
        return numbers

    def _join(self, press: Press, out: Path, details: pdf_join.Details) -> int:
        """Join the sections, many of them by groups first: each open file costs memory."""
        numbers = self._numbers()
        shared = {
            "work": "join",
            "details": asdict(details),
            "font_texts": str(self._font_texts),
            "is_tagged": self.is_tagged,
        }
        parts = [str(section.out) for section in self.sections]
        if len(parts) > GROUP:
            parts = self._join_groups(press, shared, parts)
        outline = [
            (title, numbers[section.name][0] - 1 + page, level)
            for section in self.sections
            for title, page, level in section.bookmarks
        ]
        answer = press.one(shared | {"parts": parts, "out": str(out), "outline": outline})
        if answer["pages"] != self._total():
            raise RenderFailed(f"{answer['pages']} pages joined, {self._total()} printed")
        return self._total()

    def _join_groups(self, press: Press, shared: dict[str, Any], parts: list[str]) -> list[str]:
        groups = [parts[start : start + GROUP] for start in range(0, len(parts), GROUP)]
        outs = [str(self.folder / f"group-{number:05d}.pdf") for number in range(len(groups))]
        requests = (
            shared | {"parts": group, "out": out, "outline": []}
            for group, out in zip(groups, outs, strict=True)
        )
        for _request, _answer in press.all(requests):
            pass
        return outs


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
