"""Hostile markup in every value that is printed: no connection is made, no file is read."""

from __future__ import annotations

import ast
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

from tests.architecture.sources import ROOT, python_files, tree
from tests.reports import pdftools
from tests.reports.sample import AT, ISSUE, failures, figures, payees
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


def hostile(value: Any, text: str) -> Any:
    """The same values, with every text in them replaced, at any depth."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return replace(value, **{name: hostile(one, text) for name, one in fields.items()})
    if isinstance(value, tuple):
        return tuple(hostile(one, text) for one in value)
    return text if type(value) is str else value


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
    text = everything(listener)[:260]
    plain = payees(2, failing=2)
    rows = [hostile(row, text) for row in plain]
    known = hostile(figures(plain), text)
    (tmp_path / "sections").mkdir()
    # What is looked up by name stays what it is.
    known = replace(
        known, state="closed",
        approvals=tuple(replace(a, step="maker") for a in known.approvals),
    )  # fmt: skip
    paper = Report(known, folder=tmp_path / "sections", words=Wording("en"))
    paper.lay_out(rows, [hostile(one, text) for one in failures(plain)], hostile(ISSUE, text))
    out = paper.print(tmp_path / "out.pdf", made_at=ISSUE.made_at.isoformat(), progress=quiet).path
    reaches_nothing(listener, out)
    assert "<img" in "".join(pdftools.texts(out))


def test_a_voucher_reaches_for_nothing(listener: Listener, tmp_path: Path):
    text = everything(listener)[:260]
    plain = payees(1, failing=9)
    known = hostile(figures(plain), text)
    known = replace(
        known, state="closed",
        approvals=tuple(replace(a, step="maker") for a in known.approvals),
    )  # fmt: skip
    (tmp_path / "sections").mkdir()
    book = VoucherBook(
        known, folder=tmp_path / "sections", words=Wording("en"), made_on=text, witness=text
    )
    steps = (Step(text, text, 100),)
    book.lay_out(
        [Voucher(hostile(plain[0], text), text, AT, text, date(2026, 1, 2), text, text, steps)]
    )
    out = book.print(tmp_path / "out.pdf", made_at=ISSUE.made_at.isoformat(), progress=quiet).path
    reaches_nothing(listener, out)


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


def test_weasyprint_is_used_through_the_one_fetcher_alone():
    """Its import elsewhere, or a document without the fetcher, would be a way out."""
    calls, places = [], set()
    for path in python_files():
        for node in ast.walk(tree(path)):
            imported = node.module if isinstance(node, ast.ImportFrom) else None
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [imported]
            if any((name or "").split(".")[0] == "weasyprint" for name in names):
                places.add(str(path.relative_to(ROOT)))
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"HTML", "CSS"}:
                calls.append((path.name, [word.arg for word in node.keywords]))
    assert places == {"union_portal/kit/pdf.py", "union_portal/kit/pdf_renderer.py"}
    assert len(calls) == 2
    assert [name for name, words in calls if "url_fetcher" not in words] == []
