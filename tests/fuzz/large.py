"""The largest files that are taken, of nothing but one thing: the KiB that reading them takes."""

import resource
from typing import Final

from tests.fuzz.judging import judge
from tests.fuzz.layouts import LAYOUTS

MOST_BYTES: Final = 50 * 1024 * 1024
LAUGHS: Final = (
    b'<!DOCTYPE d [<!ENTITY a "' + b"x" * 1000 + b'"><!ENTITY b "' + b"&a;" * 1000 + b'">'
    b'<!ENTITY c "' + b"&b;" * 1000 + b'">]><Document a="&c;">&c;</Document>'
)  # fmt: skip
PIECES: Final = (
    ("no-totals", b"\n"),
    ("no-totals", b","),
    ("generic-gbk", b'"'),
    ("no-totals-bars", b"1\n"),
    ("pain.001", b"<a/>"),
    ("pain.001", b"<a>"),
    ("pain.001", LAUGHS),
)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    before = _peak()
    for name, piece in PIECES:
        times = 1 if piece is LAUGHS else MOST_BYTES // len(piece)
        if judge(LAYOUTS[name], piece * times):
            raise SystemExit(f"{name} read {piece[:10]!r}")
    print(_peak() - before)


if __name__ == "__main__":
    main()
