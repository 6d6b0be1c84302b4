"""manage.py figures: the headline figures, computed from the rows."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand
from django.utils import timezone

from union_portal import figures
from union_portal.kit.money import yuan


class Command(BaseCommand):
    help = "Print every headline figure; --json prints {key: integer}, sums in fen."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")
        parser.add_argument(
            "--look-back",
            action="store_true",
            help="count the ends of the past months anew, after rows were taken over",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["look_back"]:
            figures.look_back(today=timezone.localdate())
        values = figures.values()
        if options["json"]:
            self.stdout.write(json.dumps(values, indent=2))
            return
        for known in figures.registered():
            number = values[known.key]
            shown = yuan(number) if known.unit == figures.FEN else str(number)
            self.stdout.write(f"{known.key}\t{shown}\t{known.title}")
