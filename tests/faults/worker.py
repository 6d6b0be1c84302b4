"""A Celery worker, beat or desk that obeys the plan: `python -m tests.faults.worker PROGRAM …`.

FAULTS_PLAN is the plan's folder, FAULTS_CLOCK how many seconds this process's clock is wrong,
FAULTS_DEFECT a seeded defect to live with.
"""

import datetime
import os
import sys
from pathlib import Path

import django
import time_machine


def prepare() -> None:
    """Set a wrong clock, load Django, arm the places, plant the defect."""
    skew = int(os.environ.get("FAULTS_CLOCK", "0"))
    if skew:
        now = datetime.datetime.now(datetime.UTC)
        time_machine.travel(now + datetime.timedelta(seconds=skew), tick=True).start()
    django.setup()
    from tests.faults import defects, points

    points.arm(Path(os.environ["FAULTS_PLAN"]))
    defects.plant(os.environ.get("FAULTS_DEFECT", ""))


def main() -> None:
    prepare()
    program, *arguments = sys.argv[1:]
    if program == "desk":
        from tests.faults import desk

        desk.run_for_ever()
    else:
        from union_portal.celery import app

        app.start(argv=[program, *arguments])


if __name__ == "__main__":
    main()
