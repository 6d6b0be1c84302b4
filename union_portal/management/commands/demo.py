"""`manage.py demo`: play the main job with the workers that are running."""

import json
import os
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from union_portal.demo import words
from union_portal.demo.main_job import MainJob, held_people, was_played
from union_portal.demo.summary import summary
from union_portal.demo.waiting import DemoStopped
from union_portal.kit.refusals import Refused

PEOPLE = 1000
# The database may be killed under us: its keeper starts it again within seconds.
ATTEMPTS = 5
PATIENCE_SECONDS = 60


class Command(BaseCommand):
    help = "Make up a federation and pay its model workers for real, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--people", type=int, help=f"how many people; {PEOPLE} if not given")
        parser.add_argument(
            "--out", type=Path, help="folder for files, summary.json and figures.json"
        )

    def handle(self, *args: Any, people: int | None, out: Path | None, **options: Any) -> None:
        if not settings.EMBEDDED:
            raise CommandError("The demo runs on its own servers only: ./portal demo")
        if people is not None and people < 1:
            raise CommandError("--people takes a number from 1")
        seconds = json.loads(os.environ.get("PORTAL_DEMO_SECONDS", "{}"))
        try:
            self._play(people, seconds)
        except (DemoStopped, Refused) as error:
            raise CommandError(
                f"{error}\nNothing is lost and nothing is paid twice: run the command again, or"
                " begin anew with: ./portal stop && rm -r var/demo"
            ) from error
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
        self._tell(summary(seconds=seconds, out=out), out)

    def _play(self, people: int | None, seconds: dict[str, float]) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                if was_played():
                    self._say("played to its end before; it is left as it is")
                else:
                    today = timezone.localdate()
                    MainJob(people or PEOPLE, today=today, say=self._say, seconds=seconds).run()
                break
            except (OperationalError, InterfaceError):
                if attempt == ATTEMPTS:
                    raise
                self._say("the database went away; going on where it stopped")
                self._await_database()
        held = held_people()
        if people is not None and people != held:
            self._say(
                f"this demo holds {held} people; for {people} begin anew:"
                " ./portal stop && rm -r var/demo"
            )

    def _await_database(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            connection.close()
            try:
                connection.ensure_connection()
                return
            except OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)

    def _say(self, text: str) -> None:
        self.stdout.write(f"demo: {text}")
        self.stdout.flush()

    def _tell(self, told: dict[str, Any], out: Path | None) -> None:
        if told["invariants"]["broken"]:
            raise CommandError("an invariant is broken: ./portal manage check_invariants")
        if out is not None:
            self._say(f"files, summary.json and figures.json: {out}")
        for line in words.farewell(told, site=os.environ.get("PORTAL_DEMO_SITE", "")):
            self.stdout.write(line)
        self.stdout.flush()
