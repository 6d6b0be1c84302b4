"""A worker that dies between two sections of a report: another makes it, whole and once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes import family, surroundings
from tests.reports import pdftools
from union_portal import files, queue, reports
from union_portal.kit.money import yuan
from union_portal.models import Job, ReportRun

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

# The worker says when its first section is printed and then waits, the next ones in print.
WORKER = """
import sys
import django
django.setup()
from union_portal import queue, tasks  # noqa: F401
told = queue.Run.progress
def progress(run, *given, **more):
    told(run, *given, **more)
    print("printed", flush=True)
    sys.stdin.read()
queue.Run.progress = progress
queue.run_job(sys.argv[1])
"""


def test_a_worker_killed_between_sections_leaves_nothing_and_the_next_one_finishes(
    office, tmp_path, monkeypatch
):
    batch = office.sealed(60)
    run = reports.request(
        kind="disbursement_pdf", subject=batch, by=office.cast.feng,
        organization=office.cast.tree.city,
    )  # fmt: skip
    assert run.job is not None
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, str(run.job.pk)],
        env=surroundings(TMPDIR=str(tmp_path)), cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as worker:  # fmt: skip
        assert worker.stdout is not None
        assert worker.stdout.readline() == "printed\n"
        renderers = family(worker.pid)
        assert renderers
        os.kill(worker.pid, signal.SIGKILL)
    _until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in renderers))
    run.refresh_from_db()
    assert (run.state, run.file) == ("requested", None)
    assert list(tmp_path.glob("report-*/sections/*.html"))

    queue.run_job(run.job.pk)
    run.refresh_from_db()
    assert run.state == "requested"  # the lease of the dead still runs
    # As the database's clock will do, without waiting for it.
    Job.objects.update(lease_until=queue._clock())
    queue.run_job(run.job.pk)

    run.refresh_from_db()
    assert (run.state, ReportRun.objects.count()) == ("ready", 1)
    assert not list(tmp_path.glob("report-*"))
    with files.open_for(run.file) as stream:
        (tmp_path / "made.pdf").write_bytes(stream.read())
    text = "\n".join(pdftools.texts(tmp_path / "made.pdf"))
    for line in batch.lines.select_related("entitlement__person"):
        assert text.count(line.entitlement.person.national_id_shown) >= 1
    assert f"¥{yuan(batch.total_fen)}" in text


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
