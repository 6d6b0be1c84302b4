"""A QR code drawn as one path covers exactly the modules of the code."""

import re

import pytest
import qrcode
from qrcode.constants import ERROR_CORRECT_M

from union_portal.kit import qr

TOKEN = "UP1-123456789012-1764339572-ABCDEFGHIJKLMNOP"
RUN = re.compile(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z")


def black(drawing: qr.Drawing) -> set[tuple[int, int]]:
    """The modules that the path covers; nothing else may stand in it."""
    assert RUN.sub("", drawing.path) == ""
    found = set()
    for x, y, width, back in (map(int, run) for run in RUN.findall(drawing.path)):
        assert width == back
        found |= {(x + step, y) for step in range(width)}
    return found


@pytest.mark.parametrize("text", ["123456789012", TOKEN])
def test_the_path_covers_the_black_modules_and_leaves_the_margin_white(text):
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=4)
    code.add_data(text)
    code.make(fit=True)
    matrix = code.get_matrix()
    drawing = qr.draw(text)
    assert drawing.size == len(matrix)
    assert black(drawing) == {
        (x, y) for y, row in enumerate(matrix) for x, is_black in enumerate(row) if is_black
    }


def test_a_token_is_a_small_picture():
    assert len(qr.draw(TOKEN).path) < 4_000
