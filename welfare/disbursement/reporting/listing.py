"""Long lists in pages of fixed lines, each page with its own sum and the sum so far.

Every line has one height and nothing wraps by itself, so the number of pages is known before
anything is rendered. Rows are grouped; a group that goes on repeats its heading.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from django.utils.functional import Promise

from welfare.disbursement.reporting.content import Tally
from welfare.disbursement.reporting.typesetting import cut, grid_width, wrap

LINES_PER_PAGE = 41
GAP = 2

Row = TypeVar("Row")


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column, `units` half widths wide.

    `is_cut`: a text too long gets an ellipsis; otherwise it goes on in a second line.
    """

    head: str | Promise
    units: int
    text: Callable[[Row], str]
    is_right: bool = False
    is_cut: bool = False


@dataclass(frozen=True)
class Layout(Generic[Row]):
    """How rows of one kind are listed. `amount` is the index of the column sums stand in."""

    columns: Sequence[Column[Row]]
    group: Callable[[Row], str]
    tally: Callable[[Row], Tally]
    amount: int

    @property
    def units(self) -> int:
        return sum(column.units for column in self.columns) + GAP * (len(self.columns) - 1)


@dataclass(frozen=True)
class Heading:
    """The name of a group, at its start or where it goes on."""

    name: str
    is_continued: bool
    height: int = 1


@dataclass(frozen=True)
class Line:
    """One row: each cell in lines. `is_plain` rows stand on the grid in one line."""

    cells: tuple[tuple[str, ...], ...]
    is_band: bool
    is_plain: bool

    @property
    def height(self) -> int:
        return max(len(cell) for cell in self.cells)


@dataclass(frozen=True)
class Subtotal:
    """The sum of one group."""

    name: str
    tally: Tally
    height: int = 1


Entry = Heading | Line | Subtotal


@dataclass
class Page:
    """One page of a list; `running` is the sum up to its foot."""

    number: int
    entries: list[Entry] = field(default_factory=list)
    height: int = 0
    tally: Tally = field(default_factory=Tally)
    running: Tally = field(default_factory=Tally)

    @property
    def starts(self) -> list[str]:
        """Names of the groups that begin on this page."""
        return [
            entry.name
            for entry in self.entries
            if isinstance(entry, Heading) and not entry.is_continued
        ]


def paginate(
    rows: Iterable[Row], layout: Layout[Row], lines_per_page: int = LINES_PER_PAGE
) -> Iterator[Page]:
    """The pages of a list, one after the other; rows must come group by group."""
    writer = _Writer(layout, lines_per_page)
    for row in rows:
        yield from writer.add(row)
    yield from writer.close()


@dataclass(frozen=True)
class _Held:
    """A row not yet on a page: the last of a group stays with the subtotal."""

    line: Line
    tally: Tally
    heading: Heading | None

    @property
    def height(self) -> int:
        return self.line.height + (self.heading.height if self.heading else 0)


class _Writer(Generic[Row]):
    def __init__(self, layout: Layout[Row], lines_per_page: int) -> None:
        self.layout = layout
        self.room = lines_per_page
        self.page = Page(1)
        self.running = Tally()
        self.group: str | None = None
        self.group_tally = Tally()
        self.is_band = False
        self.held: _Held | None = None

    def add(self, row: Row) -> Iterator[Page]:
        name = self.layout.group(row)
        line = _set(row, self.layout.columns)
        heading = None
        if name != self.group:
            yield from self._end_group()
            heading = Heading(name, is_continued=False)
            self.group, self.group_tally = name, Tally()
        else:
            yield from self._release()
        self.held = _Held(line, self.layout.tally(row), heading)

    def close(self) -> Iterator[Page]:
        yield from self._end_group()
        if self.page.entries:
            yield self._finished()

    def _end_group(self) -> Iterator[Page]:
        if self.group is not None:
            yield from self._release(followed_by=1)
            self._put(Subtotal(self.group, self.group_tally))
            self.group = None

    def _release(self, *, followed_by: int = 0) -> Iterator[Page]:
        """Put the held row onto a page that has room for it and for what must follow it."""
        held, self.held = self.held, None
        if held is None:
            return
        if self.page.entries and self.page.height + held.height + followed_by > self.room:
            yield self._finished()
            self.page = Page(self.page.number + 1)
            if self.group is not None and held.heading is None:
                self._put(Heading(self.group, is_continued=True))
        if held.heading is not None:
            self._put(held.heading)
        self._put(replace(held.line, is_band=self.is_band))
        self.is_band = not self.is_band
        self.page.tally += held.tally
        self.group_tally += held.tally

    def _put(self, entry: Entry) -> None:
        if isinstance(entry, Heading):
            self.is_band = False
        self.page.entries.append(entry)
        self.page.height += entry.height

    def _finished(self) -> Page:
        self.running += self.page.tally
        self.page.running = self.running
        return self.page


def _set(row: Row, columns: Sequence[Column[Row]]) -> Line:
    cells: list[tuple[str, ...]] = []
    is_plain = True
    for column in columns:
        text = column.text(row)
        units = grid_width(text)
        if units is not None and units <= column.units:
            cells.append((text,))
            continue
        if column.is_cut:
            text = cut(text, column.units)
            is_plain = is_plain and grid_width(text) is not None
            cells.append((text,))
        else:
            lines = wrap(text, column.units)
            is_plain = False
            cells.append(tuple(lines))
    return Line(tuple(cells), is_band=False, is_plain=is_plain)
