"""The largest files that are taken, of nothing but one thing: the MiB that each of them takes."""

from collections.abc import Iterator
from typing import Final

from tests.fuzz.judging import judge
from tests.fuzz.layouts import LAYOUTS
from tests.processes import peak, restart_peak
from union_portal.kit.delimited_text import LONGEST_LINE
from welfare.disbursement.bankfile.iso20022 import MOST_TAGS

MEBIBYTE: Final = 1024 * 1024
MOST_BYTES: Final = 50 * MEBIBYTE
LAUGHS: Final = (
    b'<!DOCTYPE d [<!ENTITY a "' + b"x" * 1000 + b'"><!ENTITY b "' + b"&a;" * 1000 + b'">'
    b'<!ENTITY c "' + b"&b;" * 1000 + b'">]><Document a="&c;">&c;</Document>'
)  # fmt: skip
LINE: Final = b"," * (LONGEST_LINE - 1) + b"\n"


def files() -> Iterator[tuple[str, str, bytes]]:
    """What it is called, the layout it is read with, and its bytes."""
    for name, piece in (
        ("no-totals", b"\n"),
        ("no-totals", b","),
        ("no-totals", LINE),
        ("generic-gbk", b'"'),
        ("no-totals-bars", b"1\n"),
        ("pain.001", b"<a/>"),
        ("pain.001", b"<a>"),
    ):
        yield f"{piece[:4]!r}", name, piece * (MOST_BYTES // len(piece))
    # One character of four bytes makes every other as wide.
    yield "wide", "no-totals", b"1" * (MOST_BYTES - 4) + "𠅤".encode()
    yield "tags", "pain.001", b"<a>" + b"<a/>" * (MOST_TAGS - 2) + b"</a>"
    yield "laughs", "pain.001", LAUGHS


def main() -> None:
    for told, name, content in files():
        before = restart_peak() - len(content)
        if judge(LAYOUTS[name], content):
            raise SystemExit(f"{name} read {told}")
        print(f"{(peak() - before) // MEBIBYTE:>6} MiB  {name:<16} {told}", flush=True)


if __name__ == "__main__":
    main()
