"""A Celery worker, beat or desk that obeys the plan: `python -m tests.faults.worker PROGRAM …`.

FAULTS_PLAN is the plan's folder, FAULTS_CLOCK how many seconds this process's clock is wrong.
"""

import datetime
import os
import sys
from pathlib import Path

import django
import time_machine


def prepare() -> None:
    """Set a wrong clock, load Django, arm the places, follow the defect."""
    skew = int(os.environ.get("FAULTS_CLOCK", "0"))
    if skew:
        now = datetime.datetime.now(datetime.UTC)
        time_machine.travel(now + datetime.timedelta(seconds=skew), tick=True).start()
    django.setup()
    from celery.signals import task_prerun

    from tests.faults import points
    from tests.faults.defects import planted

    plan = Path(os.environ["FAULTS_PLAN"])
    points.arm(plan)
    task_prerun.connect(lambda **more: planted.follow(plan.parent), weak=False)


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
