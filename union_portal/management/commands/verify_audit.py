"""`manage.py verify_audit`: recount the whole chain of the audit log."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from union_portal import audit
from union_portal.models import AuditBlock, AuditEntry


class Command(BaseCommand):
    help = "Recount the audit log; exit status 1 and a line for each difference."

    def handle(self, *args: Any, **options: Any) -> None:
        faults = audit.verify()
        for fault in faults:
            self.stderr.write(fault)
        if faults:
            raise CommandError(f"the audit log was tampered with: {len(faults)} differences")
        last = AuditBlock.objects.order_by("-number").first()
        waiting = AuditEntry.objects.filter(block__isnull=True).count()
        head = f"{last.number} {last.digest}" if last else "none"
        self.stdout.write(f"holds; last block: {head}; not sealed yet: {waiting}")
