"""Check that the money is where the books say."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from welfare.disbursement import probes


class Command(BaseCommand):
    help = "Checks every invariant of the disbursement engine and names the exceptions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        results = probes.check_invariants()
        broken = [result for result in results if not result.holds]
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {
                        "checked": len(results),
                        "broken": len(broken),
                        "exceptions": {result.code: result.sample for result in broken},
                    },
                    ensure_ascii=False,
                )
            )
        else:
            for result in results:
                word = "ok" if result.holds else f"BROKEN ({result.broken})"
                self.stdout.write(f"{result.code:>4}  {word:<12} {result.title}")
                for name in result.sample:
                    self.stdout.write(f"        {name}")
            self.stdout.write(f"checked {len(results)}, broken {len(broken)}")
        if broken:
            raise CommandError("the money does not agree with the books")
