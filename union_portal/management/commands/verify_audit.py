"""`manage.py verify_audit`: recount the whole chain of the audit log."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from union_portal import audit, history, witnesses
from union_portal.models import AuditBlock, AuditEntry
from union_portal.witnesses import Head


class Command(BaseCommand):
    help = (
        "Recount the audit log, compare it with what was seen from outside, and the rows that are"
        " never changed with their last digest in it; exit status 1 and a line for each difference."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--witness",
            action="append",
            default=[],
            metavar="FILE|NUMBER:DIGEST",
            help="compare with a block seen elsewhere: a saved e-mail, a file of lines, or the"
            " number and digest printed on a report; may be given again",
        )

    def handle(self, *args: Any, witness: list[str], **options: Any) -> None:
        seen = [head for given in witness for head in _heads(given)]
        faults = [*audit.verify(), *audit.compare(seen), *history.differences()]
        head = audit.head()
        if head and not witnesses.file().exists():
            faults.append(f"the witness file is missing: {witnesses.file()}")
        for fault in faults:
            self.stderr.write(fault)
        if faults:
            raise CommandError(f"the audit log was tampered with: {len(faults)} differences")
        known = set(
            AuditBlock.objects.filter(pk__in=[one.number for one in seen]).values_list("pk")
        )
        for one in seen:
            if (one.number,) in known:
                self.stdout.write(f"block {one.number} is the one that was seen")
        for gone in audit.lost():
            self.stdout.write(str(gone))
        waiting = AuditEntry.objects.filter(block__isnull=True).count()
        self.stdout.write(f"holds; last block: {head or 'none'}; not sealed yet: {waiting}")


def _heads(given: str) -> list[Head]:
    """What one argument names. Errors: CommandError if that is nothing."""
    path = Path(given)
    found = witnesses.read_file(path) if path.is_file() else witnesses.read(given)
    if not found:
        raise CommandError(f"no block is named in {given}: expected NUMBER:DIGEST or a file")
    return found
