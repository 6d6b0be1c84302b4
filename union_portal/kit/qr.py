"""QR codes as one small path of SVG, drawn on the page itself: no file, no script, no request."""

from dataclasses import dataclass
from typing import Final

import qrcode
from qrcode.constants import ERROR_CORRECT_M

# What the standard asks to be left white around the code, in modules.
_MARGIN: Final = 4


@dataclass(frozen=True)
class Drawing:
    """`size` is the side in modules, margin included; `path` the black runs, row by row."""

    size: int
    path: str


def draw(text: str) -> Drawing:
    """The QR code of a short text, damage of 15% allowed for."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=0)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    path = "".join(_runs(row, y + _MARGIN) for y, row in enumerate(rows))
    return Drawing(len(rows) + 2 * _MARGIN, path)


def _runs(row: list[bool], y: int) -> str:
    """The black runs of one row, each a bar one module high."""
    drawn, start = [], None
    for x, is_black in enumerate([*row, False]):
        if is_black and start is None:
            start = x
        elif not is_black and start is not None:
            drawn.append(f"M{start + _MARGIN} {y}h{x - start}v1h-{x - start}z")
            start = None
    return "".join(drawn)
