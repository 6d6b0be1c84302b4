"""The judge of logs: an outage explains an error, a fault of ours is never explained away."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.logs import faults_of_ours, sizes
from tests.faults.world import LOG_FORM
from union_portal.embedded.places import CHECKOUT

LIBRARIES = f"{CHECKOUT}/.venv/lib/python3.11/site-packages"

# The broker was cut off while the worker waited, and kombu stumbled as it put the pieces away.
BROKER_GONE = """\
2026-11-28 15:22:36,091 WARNING celery.worker.consumer.consumer consumer: Connection to broker lost.
2026-11-28 15:22:36,094 CRITICAL celery.worker Unrecoverable error: AttributeError("'NoneType' …")
Traceback (most recent call last):
  File "{libraries}/redis/connection.py", line 1407, in read_response
    response = self._parser.read_response(
               ^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "{libraries}/redis/_parsers/socket.py", line 67, in _read_from_socket
    raise ConnectionError(SERVER_CLOSED_CONNECTION_ERROR)
redis.exceptions.ConnectionError: Connection closed by server.

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "{libraries}/celery/worker/worker.py", line 271, in start
    self.blueprint.start(self)
  File "{libraries}/celery/worker/consumer/consumer.py", line 427, in start
    self.on_connection_error_after_connected(exc)
  File "{libraries}/kombu/transport/redis.py", line 1959, in _connparams
    'host': conninfo.hostname or '127.0.0.1',
            ^^^^^^^^^^^^^^^^^^^
AttributeError: 'NoneType' object has no attribute 'hostname'
"""
# The same at the beat, which gives its own name to it.
BEAT_CUT_OFF = """\
2026-11-28 15:12:34,576 ERROR celery.beat Message Error: Couldn't apply scheduled task drive-batches
Traceback (most recent call last):
  File "{libraries}/redis/_parsers/socket.py", line 67, in _read_from_socket
    raise ConnectionError(SERVER_CLOSED_CONNECTION_ERROR)
redis.exceptions.ConnectionError: Connection closed by server.

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "{libraries}/celery/beat.py", line 288, in apply_entry
    result = self.apply_async(entry, producer=producer, advance=False)
  File "{libraries}/kombu/messaging.py", line 387, in _publish
    return channel.basic_publish(message, **publish_kwargs)
celery.beat.SchedulingError: Couldn't apply scheduled task drive-batches: Connection closed.
"""
# PostgreSQL was stopped at once in the middle of a task; Celery carries the traceback twice.
DATABASE_GONE = """\
2026-11-28 15:20:01,118 ERROR celery.app.trace Task disbursement.wake raised unexpected
billiard.einfo.RemoteTraceback:
Traceback (most recent call last):
  File "{libraries}/django/db/backends/utils.py", line 105, in _execute
    return self.cursor.execute(sql, params)
psycopg2.OperationalError: server closed the connection unexpectedly
\tThis probably means the server terminated abnormally
\tbefore or while processing the request.

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "{home}/welfare/disbursement/delivery.py", line 88, in generate
    file = BankFile.objects.get(batch=held)
django.db.utils.OperationalError: server closed the connection unexpectedly
\tThis probably means the server terminated abnormally
\tbefore or while processing the request.
"""
KILLED_WHILE_WRITING = """\
Traceback (most recent call last):
  File "{libraries}/celery/bootsteps.py", line 116, in start
    step.start(parent)
2026-11-28 15:22:46,685 INFO axes.apps AXES: BEGIN version 8.3.1
"""

# A fault of ours in a task, and nothing was lost.
OURS = """\
2026-11-28 15:20:01,118 ERROR celery.app.trace Task disbursement.wake raised unexpected
Traceback (most recent call last):
  File "{libraries}/celery/app/trace.py", line 453, in trace_task
    R = retval = fun(*args, **kwargs)
  File "{home}/welfare/disbursement/settlement.py", line 61, in reconcile_all
    batch.hostname
AttributeError: 'NoneType' object has no attribute 'hostname'
"""
# The broker was lost, and what we made of it is a fault of ours.
OURS_ON_A_LOST_BROKER = """\
Traceback (most recent call last):
  File "{libraries}/redis/_parsers/socket.py", line 67, in _read_from_socket
    raise ConnectionError(SERVER_CLOSED_CONNECTION_ERROR)
redis.exceptions.ConnectionError: Connection closed by server.

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "{libraries}/celery/app/trace.py", line 453, in trace_task
    R = retval = fun(*args, **kwargs)
  File "{home}/union_portal/queue.py", line 131, in ring
    log.warning("bell for job %s not sent", job.number)
AttributeError: 'NoneType' object has no attribute 'number'
"""
# Inside Celery alone, but nothing was lost: a wrong setting, for instance.
NOTHING_LOST = """\
Traceback (most recent call last):
  File "{libraries}/celery/worker/worker.py", line 271, in start
    self.blueprint.start(self)
  File "{libraries}/kombu/transport/redis.py", line 1959, in _connparams
    'host': conninfo.hostname or '127.0.0.1',
AttributeError: 'NoneType' object has no attribute 'hostname'
"""
# A lost connection first, and then a library that has nothing to do with it.
ANOTHER_LIBRARY = """\
Traceback (most recent call last):
  File "{libraries}/redis/_parsers/socket.py", line 67, in _read_from_socket
    raise ConnectionError(SERVER_CLOSED_CONNECTION_ERROR)
redis.exceptions.ConnectionError: Connection closed by server.

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "{libraries}/weasyprint/document.py", line 12, in write
    box.parent.style
AttributeError: 'NoneType' object has no attribute 'style'
"""
# Words of an outage in an error that is none.
LOCK_NOT_HAD = """\
Traceback (most recent call last):
  File "{home}/welfare/disbursement/locks.py", line 31, in batch
    held = PayoutBatch.objects.select_for_update().get(pk=batch_id)
django.db.utils.OperationalError: canceling statement due to lock timeout
"""
CURSOR_CLOSED = """\
Traceback (most recent call last):
  File "{home}/union_portal/sets.py", line 31, in refresh
    cursor.execute(statement)
psycopg2.InterfaceError: cursor already closed
"""
QUOTED = """\
Traceback (most recent call last):
  File "{home}/union_portal/sets.py", line 31, in refresh
    raise ValueError("TimeoutError")
ValueError: TimeoutError
"""
OURS_CUT_OFF = """\
Traceback (most recent call last):
  File "{home}/welfare/disbursement/settlement.py", line 61, in reconcile_all
    batch.hostname
"""


def told(folder: Path, *excerpts: str) -> list[tuple[str, str]]:
    """What is found in the log of a worker that wrote these."""
    text = "".join(e.format(libraries=LIBRARIES, home=CHECKOUT) for e in excerpts)
    (folder / "worker1.log").write_text(text)
    return list(faults_of_ours(folder))


@pytest.mark.parametrize("log", [BROKER_GONE, BEAT_CUT_OFF, DATABASE_GONE, KILLED_WHILE_WRITING])
def test_an_outage_and_what_celery_makes_of_it_are_no_faults_of_ours(tmp_path, log):
    assert told(tmp_path, log) == []


@pytest.mark.parametrize(
    "log",
    [
        OURS, OURS_ON_A_LOST_BROKER, NOTHING_LOST, ANOTHER_LIBRARY, LOCK_NOT_HAD, CURSOR_CLOSED,
        QUOTED, OURS_CUT_OFF,
    ],
)  # fmt: skip
def test_an_error_without_an_outage_and_any_error_through_our_files_are_found(tmp_path, log):
    assert len(told(tmp_path, log)) == 1


def test_an_outage_does_not_hide_the_fault_that_stands_beside_it(tmp_path):
    found = told(tmp_path, BROKER_GONE, OURS, DATABASE_GONE)
    assert found == [("worker1", "AttributeError: 'NoneType' object has no attribute 'hostname'")]


def test_what_a_process_of_the_world_logs_itself_is_found(tmp_path):
    """In the form in which they log: as JSON a traceback would stand in the middle of a line."""
    by_itself = [
        sys.executable,
        "-c",
        "import logging, sys\n"
        "from union_portal import logs\n"
        "logs.configure(logs.configuration(form=sys.argv[1], level='INFO'))\n"
        "try:\n    {}.missing\n"
        "except AttributeError:\n    logging.getLogger('x').exception('it failed')\n"
        "raise LookupError('nobody caught it')\n",
        LOG_FORM,
    ]
    with (tmp_path / "worker1.log").open("wb") as log:
        subprocess.run(by_itself, cwd=CHECKOUT, stdout=log, stderr=log, check=False)
    assert [end for _name, end in faults_of_ours(tmp_path)] == [
        "AttributeError: 'dict' object has no attribute 'missing'",
        "LookupError: nobody caught it",
    ]


def test_what_stood_there_before_may_be_left_out(tmp_path):
    assert len(told(tmp_path, OURS)) == 1
    before = sizes(tmp_path)
    assert list(faults_of_ours(tmp_path, before)) == []
    with (tmp_path / "worker1.log").open("a") as log:
        log.write(NOTHING_LOST.format(libraries=LIBRARIES))
    assert len(list(faults_of_ours(tmp_path, before))) == 1
