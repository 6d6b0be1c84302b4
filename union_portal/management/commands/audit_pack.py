"""`manage.py audit_pack OUT.zip`: the audit log for somebody without our database."""

import json
import zipfile
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from union_portal import audit
from union_portal.models import AuditBlock

ABOUT = """审计包 / Audit pack

entries.jsonl   每行一条审计记录，即计算摘要的原文 / one entry a line, exactly as it is hashed
blocks.json     区块链：编号、条数、根、前一区块、摘要 / the chain of blocks
verify.py       只用 Python 标准库的核验程序 / a check that needs Python's standard library only

    python3 verify.py

核验通过时打印最后一个区块的摘要，请与报表上印的、或另存的摘要比对。
If it holds, it prints the last block's digest: compare it with one printed on a report.
"""


class Command(BaseCommand):
    help = "Write the sealed audit log with a stand-alone check into a zip file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("out", type=Path)

    def handle(self, *args: Any, out: Path, **options: Any) -> None:
        if out.exists():
            raise CommandError(f"{out} exists already; choose another name")
        entries = write_pack(out)
        self.stdout.write(f"{out}: {entries} entries")


@transaction.atomic
def write_pack(out: Path) -> int:
    """Write every sealed entry and block, as one snapshot; how many entries."""
    check = Path(__file__).resolve().parents[2] / "offline" / "verify_pack.py"
    blocks = list(
        AuditBlock.objects.order_by("number").values(
            "number", "entries", "root", "previous", "digest"
        )
    )
    last = blocks[-1]["number"] if blocks else 0
    count = 0
    with zipfile.ZipFile(out, "x", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("README.txt", ABOUT)
        pack.writestr("blocks.json", json.dumps(blocks, indent=1))
        pack.writestr("verify.py", check.read_text(encoding="utf-8"))
        with pack.open("entries.jsonl", "w", force_zip64=True) as lines:
            for number, line in _lines(last):
                lines.write(f"{number}\t{line}\n".encode())
                count += 1
    return count


def _lines(last: int) -> Any:
    """Rows of (block, hashed text) in the order of the chain, through a server-side cursor."""
    raw = connection.connection
    with raw.cursor(name="audit_pack") as cursor:
        cursor.itersize = 5000
        cursor.execute(
            f"SELECT block, {audit.LINE} FROM union_portal_auditentry"  # noqa: S608
            " WHERE block <= %s ORDER BY block, id",
            [last],
        )
        yield from cursor
