"""Hostile markup in every value that is printed: no connection is made, no file is read."""

from __future__ import annotations

import dataclasses
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from members import own_data
from members.models import Person
from tests.reports import pdftools
from tests.reports.sample import AT, ISSUE, failures, figures, payees
from union_portal import my_data
from union_portal.kit import pdf
from union_portal.letters import Letter, print_letters
from welfare.disbursement.reporting.content import Step, Voucher
from welfare.disbursement.reporting.document import Report
from welfare.disbursement.reporting.vouchers import VoucherBook
from welfare.disbursement.reporting.wording import Wording

SECRET = "canary-20260302-never-printed"
# `{at}` is an address of the listener, `{file}` the canary on the disk.
REACHES = (
    '<img src="{at}img">',
    '<img srcset="{at}srcset 2x" src="{at}img2">',
    '<link rel="stylesheet" href="{at}css">',
    '<link rel="attachment" href="{at}attachment">',
    '<link rel="attachment" href="{file}">',
    '<a rel="attachment" href="{file}">x</a>',
    '<style>@import url("{at}import");</style>',
    '<style>@font-face{{font-family:x;src:url({at}font)}}p{{font-family:x}}</style>',
    "<style>p{{background:url({at}background)}}</style>",
    "<style>p::before{{content:url({at}content)}}</style>",
    "<style>li{{list-style-image:url({at}list)}}</style><ul><li>x</li></ul>",
    '<object data="{at}object"></object>',
    '<object data="{file}"></object>',
    '<embed src="{at}embed">',
    '<embed src="{file}">',
    '<img src="{file}">',
    '<style>@import "{file}";</style>',
    '<svg><image href="{at}image" width="9" height="9"/></svg>',
    '<svg><use href="{at}use#a"/></svg>',
    '<svg><style>@import url({at}svgcss);</style></svg>',
    "<img src=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' "
    "xmlns:x='http://www.w3.org/1999/xlink'%3E%3Cimage x:href='{file}'/%3E%3C/svg%3E\">",
    "<base href=\"{at}\"><img src=\"relative\">",
    '<p style="background-image:url({at}style)">x</p>',
    '<iframe src="{at}frame"></iframe><script src="{at}script"></script>',
)  # fmt: skip
LONGEST = 260
BREAKS_OUT = ("</style></td></table>\"'>", "]]>", '"; }} @import url("{at}css2"); p{{color:"')


@dataclass
class Listener:
    """A server on this machine that counts who comes, and a file nobody may read."""

    at: str
    canary: Path
    came: list[bytes]

    def filled(self, text: str) -> str:
        return text.format(at=self.at, file=self.canary.as_uri())


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    canary = tmp_path / "canary.svg"
    canary.write_text(f'<svg xmlns="http://www.w3.org/2000/svg"><text>{SECRET}</text></svg>')
    came: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def count() -> None:
            while True:
                try:
                    caller, _address = server.accept()
                except OSError:
                    return
                with caller:
                    caller.settimeout(1)
                    came.append(caller.recv(1000))

        waiting = threading.Thread(target=count, daemon=True)
        waiting.start()
        yield Listener(f"http://127.0.0.1:{server.getsockname()[1]}/", canary, came)
        server.shutdown(socket.SHUT_RDWR)
    waiting.join(5)


@pytest.fixture
def cache(tmp_path: Path, settings: Any) -> Path:
    return Path(settings.VAR_DIR) / "fontconfig"


class Hostile:
    """Gives every text the next few reaches in its stead, and the same text the same ones."""

    def __init__(self, listener: Listener) -> None:
        self._slices = slices([*map(listener.filled, BREAKS_OUT + REACHES)])
        self._given: dict[str, str] = {}

    def text(self, plain: str) -> str:
        return self._given.setdefault(plain, self._slices[len(self._given) % len(self._slices)])

    def all_in(self, value: Any) -> Any:
        """The same values, with every text in them replaced, at any depth."""
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
            return replace(value, **{name: self.all_in(one) for name, one in fields.items()})
        if isinstance(value, tuple):
            return tuple(map(self.all_in, value))
        return self.text(value) if type(value) is str else value

    @property
    def is_given_whole(self) -> bool:
        """Whether each reach stands in one text at least."""
        return set(self._given.values()) == set(self._slices)


def slices(reaches: list[str]) -> list[str]:
    """Whole reaches, together at most so long as a value of a report is."""
    found = [""]
    for reach in reaches:
        if found[-1] and len(found[-1]) + len(reach) > LONGEST:
            found.append("")
        found[-1] += reach
    return found


def reaches_nothing(listener: Listener, out: Path) -> None:
    assert listener.came == []
    assert SECRET not in "".join(pdftools.texts(out))
    with pikepdf.open(out) as document:
        assert not document.attachments
        assert SECRET.encode() not in b"".join(
            one.read_bytes() for one in document.objects if isinstance(one, pikepdf.Stream)
        )


def everything(listener: Listener) -> str:
    return listener.filled("".join(BREAKS_OUT) + "".join(REACHES))


def test_the_disbursement_report_reaches_for_nothing(listener: Listener, tmp_path: Path):
    hostile, plain = Hostile(listener), payees(2, failing=2)
    rows = [hostile.all_in(row) for row in plain]
    known = hostile.all_in(figures(plain))
    (tmp_path / "sections").mkdir()
    # What is looked up by name stays what it is.
    known = replace(
        known, state="closed",
        approvals=tuple(replace(a, step="maker") for a in known.approvals),
    )  # fmt: skip
    paper = Report(known, folder=tmp_path / "sections", words=Wording("en"))
    paper.lay_out(rows, [*map(hostile.all_in, failures(plain))], hostile.all_in(ISSUE))
    assert hostile.is_given_whole
    out = paper.print(tmp_path / "out.pdf", made_at=ISSUE.made_at.isoformat(), progress=quiet).path
    reaches_nothing(listener, out)
    assert "<img" in "".join(pdftools.texts(out))


def test_a_voucher_reaches_for_nothing(listener: Listener, tmp_path: Path):
    hostile, plain = Hostile(listener), payees(1, failing=9)
    known = hostile.all_in(figures(plain))
    known = replace(
        known, state="closed",
        approvals=tuple(replace(a, step="maker") for a in known.approvals),
    )  # fmt: skip
    (tmp_path / "sections").mkdir()
    book = VoucherBook(
        known, folder=tmp_path / "sections", words=Wording("en"),
        made_on=hostile.text("made on"), witness=hostile.text("witness"),
    )  # fmt: skip
    text, steps = map(hostile.text, map(str, range(4))), (Step("clause", "sentence", 100),)
    paid = Voucher(plain[0], next(text), AT, next(text), date(2026, 1, 2), next(text), next(text),
                   steps)  # fmt: skip
    book.lay_out([hostile.all_in(paid)])
    assert hostile.is_given_whole
    out = book.print(tmp_path / "out.pdf", made_at=ISSUE.made_at.isoformat(), progress=quiet).path
    reaches_nothing(listener, out)
    assert "<img" in "".join(pdftools.texts(out))


def test_a_letter_reaches_for_nothing(listener: Listener, tmp_path: Path):
    text = everything(listener)
    letter = Letter(text[:300], text, text, text[:300], date(2026, 3, 2))
    folder = tmp_path / "sections"
    folder.mkdir()
    printed = print_letters(
        [letter],
        tmp_path / "out.pdf",
        folder=folder,
        made_at=AT.isoformat(),
        phone=text[:200],
        witness=text[:200],
    )
    reaches_nothing(listener, printed.path)
    assert "<object" in "".join(pdftools.texts(printed.path))


def test_a_copy_of_ones_data_reaches_for_nothing(
    listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    text = everything(listener)
    row = [my_data.Entry("x", text, text, text)]
    section = my_data.Section("x", text, lambda _person: [row], ())
    monkeypatch.setattr(my_data, "sections", lambda: [section])
    (tmp_path / "sections").mkdir()
    printed = own_data.print_copy(
        Person(pk=1, name=text[:300], national_id_shown=text[:300]),
        tmp_path / "out.pdf",
        folder=tmp_path / "sections",
        made_at=AT,
        witness=text[:200],
        progress=quiet,
    )
    reaches_nothing(listener, printed.path)
    assert "<object" in "".join(pdftools.texts(printed.path))


def quiet(_done: int, _total: int) -> None:
    """Nobody watches."""


def test_markup_that_got_in_reaches_for_nothing(listener: Listener, tmp_path: Path, cache: Path):
    """Were it not escaped: each is refused, or drawn without what it asked for."""
    fonts = pdf.report_fonts(["x"], tmp_path)
    out, refused = tmp_path / "out.pdf", 0
    for reach in REACHES:
        page = f'<!doctype html><html lang="zh-CN"><body><p>x</p>{listener.filled(reach)}</body>'
        out.unlink(missing_ok=True)
        try:
            pdf.render(page, out, fonts=fonts, cache_dir=cache)
        except pdf.ResourceDenied:
            refused += 1
            assert not out.exists()
        else:
            reaches_nothing(listener, out)
        assert listener.came == [], reach
    assert refused >= 15


def test_the_listener_hears_who_comes(listener: Listener):
    port = int(listener.at.rpartition(":")[2].strip("/"))
    with socket.create_connection(("127.0.0.1", port), timeout=5) as caller:
        caller.sendall(b"hello")
        caller.settimeout(5)
        assert caller.recv(1) == b""
    assert listener.came == [b"hello"]
