"""What the beat does, without Redis: for a systemd timer."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from union_portal import queue
from welfare.disbursement import claims, returns, unknowns


class Command(BaseCommand):
    help = (
        "Drives waiting batches, imports the bank's answers, marks unanswered lines and rings"
        " for lost jobs. Safe to run at any time, beside workers or without them."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        taken = claims.wake()
        collected = returns.collect()
        unanswered = unknowns.mark(today=timezone.localdate())
        rung = queue.ring_lost()
        self.stdout.write(
            f"batches {taken}, return files {len(collected.imported)}"
            f" (refused {len(collected.refused)}), unanswered lines {unanswered}, jobs {rung}"
        )
        for name, reason in collected.refused:
            self.stderr.write(f"{name}: {reason}")
