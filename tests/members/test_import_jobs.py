"""The worker's part of an import: progress, the end, cancelling, a file damaged on the disk."""

import pytest
from django.conf import settings
from django.core.files.base import ContentFile

from members import tasks  # noqa: F401  (registers the jobs)
from members.actions import imports, staging
from members.models import ImportRun, Person, StagedPerson
from members.states import ImportState
from tests.cast import NOW, make_cast, make_tree
from tests.members.sheets import as_csv, bring_in, make_rows
from union_portal import queue
from union_portal.models import Job
from union_portal.states import JobState

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_bell(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(queue, "ring", lambda job: None)


@pytest.fixture
def cast():
    return make_cast(make_tree())


def take_in(cast, rows) -> ImportRun:
    return imports.upload(
        content=ContentFile(as_csv(rows), "people.csv"),
        name="people.csv",
        organization=cast.tree.union,
        by=cast.qiao,
    )


def work_through(run: ImportRun) -> Job:
    run.refresh_from_db()
    queue.run_job(run.job_id)
    run.refresh_from_db()
    return Job.objects.get(pk=run.job_id)


def test_a_worker_checks_and_writes_a_file_with_progress(cast, monkeypatch):
    monkeypatch.setattr(staging, "CHUNK", 4)
    run = take_in(cast, make_rows(cast.tree.union, 10))
    job = work_through(run)
    assert (job.state, job.done_count, job.total_count) == (JobState.DONE, 10, 10)
    assert run.state == ImportState.CHECKED
    imports.confirm(run=run, by=cast.qiao, now=NOW)
    job = work_through(run)
    assert (job.state, job.percent) == (JobState.DONE, 100)
    assert (run.state, run.result["new"]) == (ImportState.APPLIED, 10)


def test_a_bell_that_rings_twice_checks_and_writes_once(cast):
    run = take_in(cast, make_rows(cast.tree.union, 3))
    work_through(run)
    work_through(run)
    imports.confirm(run=run, by=cast.qiao, now=NOW)
    work_through(run)
    work_through(run)
    assert Person.objects.count() == 3 + 1


def test_a_worker_that_died_half_way_leaves_nothing_in_the_way(cast, monkeypatch):
    monkeypatch.setattr(staging, "CHUNK", 2)
    run = take_in(cast, make_rows(cast.tree.union, 5))

    def die(done: int, total: int) -> None:
        if done >= 4:
            raise SystemExit

    with pytest.raises(SystemExit):
        imports.check(run=run, today=NOW.date(), now=NOW, progress=die)
    assert StagedPerson.objects.count() == 4
    work_through(run)
    assert (run.new_count, StagedPerson.objects.count()) == (5, 5)


def test_a_cancelled_check_stops_and_leaves_nothing(cast, monkeypatch):
    monkeypatch.setattr(staging, "CHUNK", 2)
    run = take_in(cast, make_rows(cast.tree.union, 5))
    imports.cancel(run=run, by=cast.qiao)
    job = work_through(run)
    assert (job.state, run.state) == (JobState.CANCELLED, ImportState.CANCELLED)
    assert not StagedPerson.objects.exists()


def test_people_who_moved_send_the_job_back_with_the_reason(cast):
    rows = make_rows(cast.tree.union, 2)
    run = take_in(cast, rows)
    work_through(run)
    imports.confirm(run=run, by=cast.qiao, now=NOW)
    bring_in(as_csv(rows[:1]), by=cast.officer, organization=cast.tree.city)
    run.refresh_from_db()
    queue.run_job(run.job_id)
    job = Job.objects.get(pk=run.job_id)
    assert job.state == JobState.FAILED
    assert "changed since the preview" in job.error
    run.refresh_from_db()
    assert run.state == ImportState.UPLOADED
    work_through(run)
    assert (run.new_count, run.unchanged_count) == (1, 1)


def test_staging_emptied_by_a_crash_of_the_database_is_noticed(cast):
    run = take_in(cast, make_rows(cast.tree.union, 2))
    work_through(run)
    imports.confirm(run=run, by=cast.qiao, now=NOW)
    StagedPerson.objects.all().delete()
    work_through(run)
    assert run.state == ImportState.UPLOADED
    assert Person.objects.count() == 1


def test_a_file_changed_on_the_disk_is_refused(cast):
    run = take_in(cast, make_rows(cast.tree.union, 2))
    [stored] = [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]
    stored.chmod(0o600)
    stored.write_bytes(b"x")
    work_through(run)
    assert run.state == ImportState.REFUSED
    assert "changed there" in run.fault
