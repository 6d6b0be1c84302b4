"""Imports that are killed, doubled or run beside an export: whole, or not at all."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from members import tasks  # noqa: F401  (registers the jobs)
from members.actions import exports, import_checks, imports, people
from members.models import BankAccount, ImportRun, Person, StagedPerson
from members.states import ImportState
from tests.cast import NOW, TODAY, Cast, make_cast, make_tree
from tests.disbursement.race import Runner, meanwhile, together
from tests.members.sheets import as_csv, make_rows, upload
from tests.processes import surroundings
from union_portal import queue
from union_portal.models import AuditEntry, Job
from union_portal.states import JobState

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 12
WORKER = """
import os, signal, sys
import django
django.setup()
from members import tasks
from members.actions import import_writes, imports, staging
from union_portal import queue
staging.CHUNK = 3

def killed_before(owner, name, call):
    plain, calls = getattr(owner, name), []
    def act(*args, **more):
        calls.append(name)
        if len(calls) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return plain(*args, **more)
    setattr(owner, name, act)

point, job = sys.argv[1:]
owner, name, call = {
    "the first chunk": (staging, "_copy", 1),
    "the third chunk": (staging, "add_findings", 3),
    "the checks of the whole": (imports.import_checks, "check_whole", 1),
    "the end of the check": (imports, "_finish_check", 1),
    "the first person": (import_writes.import_checks, "summarise", 1),
    "the entry in the log": (import_writes.audit, "record_ref", 1),
    "the new state": (imports.lifecycle, "advance", 1),
    "the end of the job": (queue.Run, "finish", 1),
}[point]
killed_before(owner, name, call)
queue.run_job(job)
"""
STAGING = ("the first chunk", "the third chunk", "the checks of the whole", "the end of the check")
WRITING = ("the first person", "the entry in the log")


@pytest.fixture(autouse=True)
def _no_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "ring", lambda job: True)


@pytest.fixture
def cast() -> Cast:
    return make_cast(make_tree())


@pytest.fixture
def rows(cast: Cast) -> list[dict[str, str]]:
    return make_rows(cast.tree.union, PEOPLE)


def killed_at(point: str, run: ImportRun) -> None:
    """Have a worker in a process of its own do the run's job, and die at the named point."""
    run.refresh_from_db()
    done = subprocess.run(
        [sys.executable, "-c", WORKER, point, str(run.job_id)],
        env=surroundings(PORTAL_MEDIA_DIR=str(django_settings.MEDIA_ROOT)),
        cwd=Path(__file__).parents[2],
        timeout=120,
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]
    # As the database's clock will do, without waiting for it.
    lapsed = timezone.now() - timedelta(seconds=1)
    Job.objects.filter(state=JobState.RUNNING).update(lease_until=lapsed)


def taken_in(cast: Cast, rows: list[dict[str, str]]) -> ImportRun:
    return imports.upload(
        content=ContentFile(as_csv(rows), "people.csv"),
        name="people.csv",
        organization=cast.tree.union,
        by=cast.qiao,
    )


def confirmed(cast: Cast, rows: list[dict[str, str]]) -> ImportRun:
    run = upload(as_csv(rows), by=cast.qiao, organization=cast.tree.union)
    imports.confirm(run=run, by=cast.qiao, now=NOW)
    run.refresh_from_db()
    return run


def written() -> tuple[int, int, int]:
    """People beside the one of the cast, their accounts, and entries of imports."""
    logged = AuditEntry.objects.filter(action="person.import").count()
    return Person.objects.count() - 1, BankAccount.objects.count(), logged


@pytest.mark.slow
@pytest.mark.parametrize("point", STAGING)
def test_a_check_killed_half_way_starts_again_and_stages_every_row_once(cast, rows, point):
    run = taken_in(cast, rows)
    killed_at(point, run)
    run.refresh_from_db()
    assert (run.state, written()) == (ImportState.UPLOADED, (0, 0, 0))
    queue.run_waiting()
    run.refresh_from_db()
    assert (run.state, run.new_count, run.error_count) == (ImportState.CHECKED, PEOPLE, 0)
    assert StagedPerson.objects.count() == PEOPLE


@pytest.mark.slow
@pytest.mark.parametrize("point", WRITING)
def test_a_writing_killed_half_way_wrote_nobody_and_is_done_by_the_next(cast, rows, point):
    run = confirmed(cast, rows)
    killed_at(point, run)
    run.refresh_from_db()
    assert (run.state, written()) == (ImportState.CONFIRMED, (0, 0, 0))
    queue.run_waiting()
    run.refresh_from_db()
    assert (run.state, written()) == (ImportState.APPLIED, (PEOPLE, PEOPLE, 1))
    assert run.result["new"] == PEOPLE


@pytest.mark.slow
def test_a_worker_killed_after_the_writing_leaves_a_job_that_ends_without_writing_again(cast, rows):
    run = confirmed(cast, rows)
    killed_at("the end of the job", run)
    assert written() == (PEOPLE, PEOPLE, 1)
    queue.run_waiting()
    run.refresh_from_db()
    assert Job.objects.get(pk=run.job_id).state == JobState.DONE
    assert written() == (PEOPLE, PEOPLE, 1)


def test_two_clerks_with_one_file_in_the_same_second_write_everybody_once(cast, rows):
    runs = [confirmed(cast, rows), confirmed(cast, rows)]
    done = together(*(lambda run=run: imports.apply(run=run, today=TODAY, now=NOW) for run in runs))
    assert [runner.error for runner in done] == [None, None]
    assert sorted(runner.result for runner in done) == [False, True]
    assert written() == (PEOPLE, PEOPLE, 1)
    queue.run_waiting()
    late = ImportRun.objects.get(state=ImportState.CHECKED)
    assert (late.new_count, late.unchanged_count) == (0, PEOPLE)


def test_a_second_writing_waits_for_the_first_and_finds_everybody_there(cast, rows):
    first, second = confirmed(cast, rows), confirmed(cast, rows)
    late = meanwhile(
        lambda: imports.apply(run=first, today=TODAY, now=NOW),
        lambda: imports.apply(run=second, today=TODAY, now=NOW),
    )
    assert (late.error, late.result) == (None, False)
    assert written() == (PEOPLE, PEOPLE, 1)


def test_somebody_entered_by_hand_amid_the_writing_sends_the_file_back(cast, rows, monkeypatch):
    run, plain = confirmed(cast, rows), import_checks.summarise

    def then_somebody_is_entered(held: ImportRun):
        counted = plain(held)
        clerk = Runner(
            lambda: people.register(
                name=rows[0]["姓名"],
                national_id=rows[0]["证件号码"],
                organization=cast.tree.union,
                by=cast.qiao,
                today=TODAY,
            )
        )
        clerk.start()
        assert clerk.finished().error is None
        return counted

    with monkeypatch.context() as patch:
        patch.setattr(import_checks, "summarise", then_somebody_is_entered)
        assert imports.apply(run=run, today=TODAY, now=NOW) is False
    assert written() == (1, 0, 0)
    queue.run_waiting()
    run.refresh_from_db()
    assert (run.new_count, run.changed_count) == (PEOPLE - 1, 1)


def test_an_export_that_runs_is_neither_waited_for_nor_mixed_with_an_import(cast, rows):
    run = confirmed(cast, rows[:8])
    imports.apply(run=run, today=TODAY, now=NOW)
    before = Person.objects.count()
    other = confirmed(cast, [{**row, "工作单位": "新单位"} for row in rows])

    with transaction.atomic():
        leaving: Iterator[Person] = exports.begin(
            people=Person.objects.all(), by=cast.officer, kind="csv"
        ).iterator(chunk_size=2)
        seen = [next(leaving)]
        importer = Runner(lambda: imports.apply(run=other, today=TODAY, now=NOW))
        importer.start()
        importer.finished()
        assert (importer.error, importer.result) == (None, True)
        seen += leaving
    assert len(seen) == before
    assert "新单位" not in {person.employer for person in seen}
    assert Person.objects.filter(employer="新单位").count() == PEOPLE
