"""manage.py sweep: everything the scheduler would do, once, without broker, beat or worker."""

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from union_portal import queue
from union_portal.celery import app


class Command(BaseCommand):
    help = (
        "Run every scheduled task and every waiting job once in this process. Call it from a "
        "system timer: then work is done even while Redis, beat or the workers are away."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        app.loader.import_default_modules()
        failed = []
        for name in sorted(str(entry["task"]) for entry in settings.CELERY_BEAT_SCHEDULE.values()):
            outcome = app.tasks[name].apply()
            if outcome.failed():
                failed.append(f"{name}: {type(outcome.result).__name__}")
        tried = queue.run_waiting()
        self.stdout.write(f"{tried} jobs tried")
        if failed:
            raise CommandError("; ".join(failed))
