"""The Celery application: it carries the work, PostgreSQL stays the truth."""

import logging
import os
import sys
import time
from typing import Any

from celery import Celery, signals
from kombu.transport import redis

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "union_portal.settings")

# A bell that nobody had acknowledged when the broker went is not put back by its worker: kombu
# (5.7) tries that over the connection it has just closed, and its error would end the worker.
# What the bell rings for stands in a row, and the beat rings again.
redis.Channel.do_restore = False

log = logging.getLogger("union_portal.task")

app = Celery("union_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def keep_our_logging(**given: Any) -> None:
    """That somebody listens is enough: Celery then leaves the loggers as the settings made them."""


@signals.worker_init.connect
@signals.beat_init.connect
def refuse_insecure_secrets(**given: Any) -> None:
    """An error of a listener would be logged and forgotten: the process ends itself."""
    from django.core.exceptions import ImproperlyConfigured

    from union_portal import checks

    try:
        checks.refuse_insecure_secrets()
    except ImproperlyConfigured as error:
        sys.exit(str(error))


@signals.task_prerun.connect
def note_begin(task: Any, **given: Any) -> None:
    task.request.began = time.monotonic()


@signals.task_postrun.connect
def log_task(task: Any, task_id: str, state: str | None, **given: Any) -> None:
    """One line a task, without its arguments and its result."""
    began = getattr(task.request, "began", None)
    ms = None if began is None else round((time.monotonic() - began) * 1000)
    log.info("task", extra={"action": task.name, "task": task_id, "status": state, "ms": ms})
