"""Return files to begin with, and ways to spoil them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from union_portal.kit import fictional
from welfare.disbursement.bankfile import Format
from welfare.disbursement.simulator import CAUSES, Payment, write_return

NUMBER: Final = "P20260000001"
DAY: Final = date(2026, 3, 2)
NOW: Final = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
RESULTS: Final = ("paid", "failed", "unknown", "returned")
# What breaks readers: separators, quotation marks, line ends of every alphabet, half characters,
# numbers that are none, words of the formats, markup.
TOKENS: Final[Sequence[bytes]] = (
    b"", b",", b"|", b"|!", b"\t", b'"', b'""', b"\r", b"\n", b"\r\n", b"\x00", b"\x0b", b"\x1c",
    b"\xef\xbb\xbf", b"\xfe\xff", b"\x81", b"\xff", b"\xc2\x85", b"\xe2\x80\xa8", b"\xed\xa0\x80",
    b"\x84\x31\xa4\x37", b"\x81\x30\x84\x35", b"-", b"+0", b"0", b"1e9", b"NaN", b"300.000",
    b"9" * 16 + b".99", b"9" * 40, b"-300.00", b"\xef\xbc\x91", b"300,00", b"1", b"2",
    NUMBER.encode(), b"P" * 40, "成功".encode(), "成功".encode("gbk"), "失败".encode(),
    "退票".encode("gbk"), "处理中".encode(), "\u200b".encode(), "𠅤".encode(), b" ", b"=1+1",
    b"<!--x-->", b"<?x?>", b"<![CDATA[1]]>", b"&amp;", b"&x;", b"&#0;", b"<x/>", b"</TxInfAndSts>",
    b"<TxInfAndSts/>", b"<TxInfAndSts xmlns=''/>", b"<TxSts>ACSC</TxSts>", b'Ccy="USD"', b"RJCT",
    b"<OrgnlEndToEndId>X</OrgnlEndToEndId>", b"<InstdAmt>1</InstdAmt>", b"AC04R",
    b"<!DOCTYPE d [<!ENTITY x 'y'>]>", b'encoding="x"', b"%s%(x)s", b"A" * 3000,
)  # fmt: skip


@dataclass(frozen=True)
class Spoil:
    """One change: at so many thousandths of the file cut `cut` bytes, put in `token`.

    With `copy` the bytes from there on come again, so that rows repeat or run together.
    """

    at: int
    cut: int = 0
    token: int = 0
    copy: int = 0

    def __call__(self, content: bytes) -> bytes:
        at = len(content) * self.at // 1000
        again = content[at : at + self.copy]
        return content[:at] + again + TOKENS[self.token] + content[at + self.cut :]


def spoiled(content: bytes, spoils: Sequence[Spoil]) -> bytes:
    for spoil in spoils:
        content = spoil(content)
    return content


def payments(count: int, seed: int) -> list[Payment]:
    """What a bank says of so many payments to made-up accounts."""
    rng = random.Random(seed)
    said = []
    for index in range(1, count + 1):
        result = rng.choice(RESULTS)
        said.append(
            Payment(
                sequence=index,
                e2e=f"{NUMBER}-{index:06d}",
                account=fictional.make_card_number(rng),
                amount_fen=rng.choice((1, 30_000, 150_005, 10**9)),
                result=result,
                cause=rng.choice(CAUSES) if result in ("failed", "returned") else "",
                reference=f"B{rng.randrange(10**6)}",
            )
        )
    return said


def answer(layout: Format, count: int = 3, seed: int = 0) -> bytes:
    """A return file as the bank of the demo writes it."""
    return write_return(layout, NUMBER, payments(count, seed))
