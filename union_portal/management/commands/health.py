"""`manage.py health`: what /health/ready tells, for processes that answer no requests."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from union_portal import health


class Command(BaseCommand):
    help = "Tell whether the portal can serve; the exit status is 1 where it can't."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--need", action="append", default=[], help="a check that must hold")

    def handle(self, *args: Any, need: list[str], **options: Any) -> None:
        found = health.report()
        self.stdout.write(json.dumps(found.told(), indent=1))
        unknown = set(need) - set(found.faults)
        if unknown:
            raise CommandError(f"no such check: {', '.join(sorted(unknown))}")
        if not found.is_ready or any(found.faults[name] for name in need):
            raise CommandError("not well")
