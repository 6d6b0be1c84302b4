"""Tell a restored database what was sent."""

from typing import Any

from django.core.management.base import BaseCommand

from welfare.disbursement import replay


class Command(BaseCommand):
    help = (
        "After a restore: replays the sent register and the bank's archived answers until"
        " nothing changes, and names what remains. Two people lift the gate afterwards."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        left = replay.run()
        for number in left.batches:
            self.stdout.write(f"not placed: batch {number}")
        self.stdout.write(f"payments unknown to the database: {left.payments}")
