"""Gunicorn's own settings: `gunicorn --config python:union_portal.webserver union_portal.wsgi`."""

import os
import shutil
import tempfile
from typing import Any

# Before prometheus_client is imported: its processes add up what they count through files here.
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="portal-metrics-"))

from union_portal import metrics, settings

# Its line of a request would show what was searched for; the portal writes its own.
accesslog = None
logconfig_dict = settings.LOGGING
# A Chinese character takes nine in an address: so long a line as nginx in front passes on, and no
# search that somebody types ends in the bare words of the server.
limit_request_line = 8190


def child_exit(server: Any, worker: Any) -> None:
    metrics.forget(worker.pid)


def on_exit(server: Any) -> None:
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
