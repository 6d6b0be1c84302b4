"""`manage.py demo`: play the main job with the workers that are running."""

import json
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from union_portal.demo import federation
from union_portal.demo.main_job import MainJob
from union_portal.demo.summary import summary
from union_portal.demo.waiting import DemoStopped
from union_portal.kit.money import yuan
from union_portal.kit.refusals import Refused

PEOPLE = 1000


class Command(BaseCommand):
    help = "Make up a federation and pay its model workers for real, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--people", type=int, default=PEOPLE, help="how many people")
        parser.add_argument("--out", type=Path, help="folder for files and summary.json")

    def handle(self, *args: Any, people: int, out: Path | None, **options: Any) -> None:
        if not settings.EMBEDDED:
            raise CommandError("The demo runs on its own servers only: ./portal demo")
        if people < 1:
            raise CommandError("--people takes a number from 1")
        seconds = json.loads(os.environ.get("PORTAL_DEMO_SECONDS", "{}"))
        job = MainJob(people=people, today=timezone.localdate(), say=self._say, seconds=seconds)
        try:
            job.run()
        except (DemoStopped, Refused) as error:
            raise CommandError(str(error)) from error
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
        self._tell(summary(seconds=job.seconds, out=out))

    def _say(self, text: str) -> None:
        self.stdout.write(f"demo: {text}")
        self.stdout.flush()

    def _tell(self, told: dict[str, Any]) -> None:
        for batch in told["batches"]:
            self._say(
                f"batch {batch['number']} {batch['scheme']}: {batch['state']},"
                f" {batch['paid']} paid, {batch['failed']} failed,"
                f" {yuan(batch['paid_fen'])} yuan"
            )
        held = told["invariants"]
        self._say(f"invariants: {held['checked']} checked, {held['broken']} broken")
        if held["broken"]:
            raise CommandError("an invariant is broken: manage.py check_invariants")
        self._say(f"log in with the password {federation.PASSWORD} as")
        for staff in federation.STAFF:
            self._say(f"  {staff.username:<6} {staff.name} – {staff.role.label}")
        self._say("the second factor's code: ./portal manage demo_code NAME")
