"""Whatever is wrong with a file of the bank, no error carries any of its content."""

from __future__ import annotations

import random
import traceback
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from welfare.disbursement import bankfile
from welfare.disbursement.bankfile import BankFileRefused, FileHead, Format, PayLine
from welfare.disbursement.simulator import OrdersUnreadable, Payment, read_orders, write_return

HOLDER, ACCOUNT, CAUSE = "欧阳某某", "6299990000000077777", "户名不符"
SECRETS = (HOLDER, ACCOUNT, ACCOUNT[4:12], CAUSE)
ROUNDS = 400


@pytest.fixture(params=bankfile.SHIPPED)
def layout(request) -> Format:
    return Format.from_config(request.param, bankfile.SHIPPED[request.param])


def orders(layout: Format) -> bytes:
    lines = [PayLine(n, f"U{n:010d}-1", 30_000, HOLDER, ACCOUNT, "演示银行") for n in (1, 2)]
    made = datetime(2026, 3, 2, tzinfo=UTC)
    head = FileHead("YL1", "总工会", "9999", date(2026, 3, 2), made, 2, 60_000)
    return bankfile.build(layout, head, lines)


def answers(layout: Format) -> bytes:
    rows = [
        Payment(n, f"U{n:010d}-1", ACCOUNT, 30_000, result="failed", cause=CAUSE, reference="B1")
        for n in (1, 2)
    ]
    return write_return(layout, "YL1", rows)


def spoiled(content: bytes) -> Iterator[bytes]:
    """The file cut off, with bytes changed, moved, doubled, in another encoding."""
    draw = random.Random(20260302)
    yield from (b"\x1c", b"\xff\xfe", content + b"\xff", b"\xff" + content, content * 2)
    yield content.replace(b"300.00", ACCOUNT.encode())
    yield content.replace(b"600.00", ACCOUNT.encode())
    yield content + b'"' + b"x" * 140_000
    for encoding in ("gb18030", "utf-16"):
        yield content.decode("gb18030", "replace").encode(encoding)
    for _round in range(ROUNDS):
        bad = bytearray(content)
        for _change in range(draw.randint(1, 4)):
            at = draw.randrange(len(bad))
            if draw.random() < 0.3:
                del bad[at : at + draw.randint(1, 60)]
            else:
                bad[at] = draw.choice((0, 10, 13, 34, 44, 60, 124, 0x80, 0xFF, draw.randrange(256)))
            if not bad:
                break
        yield bytes(bad)


def told(error: BaseException | None) -> str:
    """Everything a log, or a collector of errors, could take from it."""
    said = []
    while error is not None:
        said += [*traceback.format_exception(error), repr(vars(error)), repr(error.args)]
        said += [f"{fault} {vars(fault)}" for fault in getattr(error, "faults", [])]
        error = error.__cause__ or error.__context__
    return "\n".join(said)


@pytest.mark.parametrize(
    ("written", "read", "refusal"),
    [
        (orders, read_orders, OrdersUnreadable),
        (answers, bankfile.read_return, BankFileRefused),
    ],
)
def test_no_error_carries_what_stands_in_the_file(layout, written, read, refusal):
    refused = 0
    for content in spoiled(written(layout)):
        try:
            read(layout, content)
        except refusal as error:
            refused += 1
            everything = told(error)
            assert not [secret for secret in SECRETS if secret in everything]
            assert "UnicodeDecodeError(" not in everything
    assert refused > ROUNDS / 10
