"""`manage.py audit_pack OUT.zip`: the audit log for somebody without our database."""

import json
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from union_portal import audit
from union_portal.models import AuditBlock

CHECK = Path(__file__).resolve().parents[2] / "offline" / "verify_pack.py"

ABOUT = """审计包

entries.jsonl   每行一条审计记录：区块号、制表符、计算校验值的原文，按区块与编号排列
blocks.json     区块链：编号、封存时间、条数、根、前一区块、校验值
verify.py       核验程序，只用 Python 3.8 以上的标准库，不需数据库和网络

核验：解压到一个文件夹，在其中运行

    python3 verify.py

打印“核验通过”和最后一个区块的“编号:校验值”。任何一条记录被改、被删、被插入、次序被调，任何一个
区块被改、缺失，都会逐行指出，退出码为 1。

一条链如果从某处起整个重算，本身仍然相接；只有外部见证能发现。请把收到的见证邮件或报表所印的
“区块编号 校验值”一并给出，可给多个：

    python3 verify.py 12:9f2c……（64 位）

verify.py 本身是否被换：它最后打印自己的 SHA-256，应与制作审计包时打印的一致；也可以用另外保存
的同一程序来核验：python3 另存的verify.py 文件夹

校验值的算法：每条记录取其原文（UTF-8）的 SHA-256（小写十六进制）；一个区块的根，是其各条记录的
校验值按编号相连后再取 SHA-256；区块的校验值，是“编号|封存时间|条数|前一区块校验值|根”的 SHA-256。

----------------------------------------------------------------------------------------------

Audit pack

entries.jsonl   one entry a line: block, tab, the text that is hashed, in order of block and id
blocks.json     the chain: number, time of sealing, count, root, block before, digest
verify.py       the check: Python 3.8 or later, standard library only, no database, no network

Unpack into a folder, and run there: python3 verify.py

It prints “holds” and the last block as NUMBER:DIGEST. It names every entry's block that was
changed, removed, slipped in or moved, and every block that was changed or is missing; exit
status 1.

A chain that was recomputed as a whole from some block on still links: only what was seen
outside finds that out. Give what your e-mails or printed reports say, as many as you have:

    python3 verify.py 12:9f2c… (64 digits)

Whether verify.py itself was exchanged: it prints its own SHA-256 last, which is the one that was
printed when the pack was made. Or check with a copy you kept: python3 kept_verify.py FOLDER

The digests: of an entry, the SHA-256 of its text in UTF-8 (lower-case hexadecimal); a block's
root, the SHA-256 of its entries' digests joined in order of id; a block's digest, the SHA-256 of
“number|sealed_at|entries|previous|root”.
"""


class Command(BaseCommand):
    help = "Write the sealed audit log with a stand-alone check into a zip file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("out", type=Path)

    def handle(self, *args: Any, out: Path, **options: Any) -> None:
        if out.exists():
            raise CommandError(f"{out} exists already; choose another name")
        entries, last = write_pack(out)
        self.stdout.write(f"{out}: {entries} entries, last block {last or 'none'}")
        self.stdout.write(f"SHA-256 of verify.py: {sha256(CHECK.read_bytes()).hexdigest()}")
        self.stdout.write("Hand both lines over apart from the pack.")


@transaction.atomic
def write_pack(out: Path) -> tuple[int, str]:
    """Write every sealed entry and block, as one snapshot; how many entries, and the last block."""
    blocks = [_block(block) for block in AuditBlock.objects.order_by("number").iterator()]
    last = blocks[-1] if blocks else None
    count = 0
    with zipfile.ZipFile(out, "x", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("README.txt", ABOUT)
        pack.writestr("blocks.json", json.dumps(blocks, indent=1))
        pack.writestr("verify.py", CHECK.read_text(encoding="utf-8"))
        with pack.open("entries.jsonl", "w", force_zip64=True) as lines:
            for number, line in _lines(last["number"] if last else 0):
                lines.write(f"{number}\t{line}\n".encode())
                count += 1
    return count, f"{last['number']}:{last['digest']}" if last else ""


def _block(block: AuditBlock) -> dict[str, Any]:
    """A block as JSON, with its time as the digest covers it."""
    names = ("number", "entries", "root", "previous", "digest")
    return {name: getattr(block, name) for name in names} | {
        "sealed_at": audit.moment(block.sealed_at)
    }


def _lines(last: int) -> Iterator[tuple[int, str]]:
    """Rows of (block, hashed text) in the order of the chain, through a server-side cursor."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            f"SELECT block, {audit.LINE} FROM union_portal_auditentry"  # noqa: S608
            " WHERE block <= %s ORDER BY block, id",
            [last],
        )
        while rows := cursor.fetchmany(audit.ROWS_AT_ONCE):
            yield from rows
