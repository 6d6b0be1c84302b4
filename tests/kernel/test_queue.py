"""Jobs: the row is the truth, the bell only a bell, and nobody works with a lost lease."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from celery.app.base import Celery
from django.db import DatabaseError, IntegrityError, connection, transaction
from kombu.exceptions import OperationalError

from tests.kernel.attacks import refused_by
from tests.kernel.races import at_once, waits_for_lock
from tests.roles import AS_OWNER
from union_portal import audit, lifecycle, queue
from union_portal.kit.refusals import Refused
from union_portal.models import Job
from union_portal.states import JobState

pytestmark = pytest.mark.django_db
seen: list[str] = []


@queue.work("tests.note")
def note(run, **arguments):
    seen.append("note")
    run.progress(1, 2, "half")
    return {"arguments": arguments}


@queue.work("tests.refuse")
def refuse(run):
    raise queue.Refused("The period is not open.")


@queue.work("tests.fail", given_up=lambda job: seen.append(f"given up: {job.state}"))
def fail(run, *, how):
    raise {"disk": OSError("disk full"), "code": KeyError("code")}[how]


@queue.work("tests.act")
def act(run):
    return _act[0](run)


_act = [lambda run: None]


@pytest.fixture(autouse=True)
def _fresh():
    seen.clear()


@pytest.fixture
def bells(monkeypatch):
    rung = []
    monkeypatch.setattr(
        Celery, "send_task", lambda self, name, kwargs, **_: rung.append((name, kwargs["job_id"]))
    )
    return rung


def put(name="tests.note", **more):
    return queue.enqueue(name, by=None, **more)


def expire(job):
    Job.objects.filter(pk=job.pk).update(
        lease_until=queue._clock() - timedelta(seconds=1), rung_at=queue._clock()
    )


def again(job):
    return Job.objects.get(pk=job.pk)


def claimed(job):
    return queue.Run(queue._claim(job.pk))


def test_the_bell_rings_after_the_commit_and_not_after_a_rollback(
    bells, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        job = put()
        assert bells == []
    assert bells == [("tests.note", str(job.pk))]
    with (
        django_capture_on_commit_callbacks(execute=True),
        pytest.raises(ZeroDivisionError),
        transaction.atomic(),
    ):
        put()
        raise ZeroDivisionError
    assert len(bells) == 1
    assert Job.objects.count() == 1


def test_a_job_is_done_with_its_progress_and_result():
    job = put(total=2, period="2026")
    queue.run_job(job.pk)
    job = again(job)
    assert (job.state, job.done_count, job.total_count) == (JobState.DONE, 1, 2)
    assert job.result == {"arguments": {"period": "2026"}}
    assert (job.fence, job.attempts, job.lease_until) == (1, 1, None)


def test_a_second_bell_finds_nothing_to_do():
    job = put()
    queue.run_job(job.pk)
    queue.run_job(job.pk)
    queue.run_job(uuid4())
    assert seen == ["note"]


def test_a_job_that_is_being_worked_on_is_left_alone():
    job = put()
    assert claimed(job).fence == 1
    queue.run_job(job.pk)
    assert seen == []


def test_a_live_job_with_the_same_key_is_the_same_job():
    first = put(key="k")
    assert put(key="k") == first
    queue.run_job(first.pk)
    assert put(key="k") != first


def test_a_refusal_ends_the_job_with_its_words():
    job = put("tests.refuse")
    queue.run_job(job.pk)
    assert (again(job).state, again(job).error) == (JobState.FAILED, "The period is not open.")


def test_a_fault_of_the_surroundings_is_tried_again_and_given_up_in_the_open():
    job = put("tests.fail", how="disk")
    for attempt in range(1, queue.MAX_ATTEMPTS):
        queue.run_job(job.pk)
        assert (again(job).state, again(job).attempts) == (JobState.QUEUED, attempt)
    assert seen == []
    queue.run_job(job.pk)
    assert (again(job).state, again(job).error) == (JobState.FAILED, "OSError: disk full")
    assert seen == ["given up: failed"]


def be_terminated(run):
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def find_it_closed(run):
    connection.connection.close()
    run.progress(1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lose", [be_terminated, find_it_closed])
def test_a_lost_connection_is_one_line_and_another_try(lose, bells, monkeypatch, caplog):
    monkeypatch.setattr("tests.kernel.test_queue._act", [lose])
    job = put("tests.act")
    queue.run_job(job.pk)
    assert (again(job).state, again(job).attempts) == (JobState.QUEUED, 1)
    said = [line.getMessage() for line in caplog.records if line.name == "union_portal.queue"]
    assert said[0].startswith(f"job {job.pk} (tests.act) lost the database: ")
    assert "Traceback" not in caplog.text


def test_a_fault_of_the_code_is_not_tried_again():
    job = put("tests.fail", how="code")
    queue.run_job(job.pk)
    assert again(job).state == JobState.FAILED


def test_a_job_nobody_can_do_fails_in_the_open():
    job = put("tests.unheard_of")
    queue.run_job(job.pk)
    assert (again(job).state, again(job).error) == (JobState.FAILED, "KeyError: 'tests.unheard_of'")


def test_a_database_error_is_told_without_the_values_of_the_row():
    with (
        pytest.raises(IntegrityError) as caught,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(AS_OWNER)
        cursor.execute("CREATE TEMP TABLE secret (phone text UNIQUE)")
        cursor.execute("INSERT INTO secret VALUES ('13800138000'), ('13800138000')")
    told = queue.told(caught.value)
    assert "duplicate key" in told
    assert "13800138000" not in told


# -- lease and fence ---------------------------------------------------------------------


def test_a_lease_that_ran_out_is_taken_over_and_the_old_worker_writes_nothing():
    job = put()
    old = claimed(job)
    expire(job)
    new = claimed(job)
    assert new.fence == old.fence + 1
    with pytest.raises(queue.LeaseLost):
        old.progress(1)
    with pytest.raises(queue.LeaseLost), transaction.atomic():
        old.hold()
    old.finish(JobState.DONE, result={"by": "old"})
    old.retry_or_fail(OSError("late"), "late")
    assert again(job).state == JobState.RUNNING
    new.finish(JobState.DONE, result={"by": "new"})
    assert again(job).result == {"by": "new"}


def test_progress_renews_the_lease():
    job = put()
    run = claimed(job)
    before = again(job).lease_until
    run.progress(5, note="x" * 500)
    assert again(job).lease_until > before
    assert len(again(job).note) == 200


def test_a_job_that_kills_its_workers_is_given_up():
    job = put("tests.fail", how="disk")
    for _ in range(queue.MAX_ATTEMPTS):
        assert queue._claim(job.pk) is not None
        expire(job)
    assert queue._claim(job.pk) is None
    assert again(job).state == JobState.FAILED
    assert seen == ["given up: failed"]


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_one_gets_the_job(bells):
    job = put()
    with at_once(lambda: queue._claim(job.pk)) as other, transaction.atomic():
        mine = queue._claim(job.pk)
        other.start()
        other.join(10)
        assert not other.is_alive(), "a claimed row is skipped, not waited for"
    assert mine is not None
    assert (other.result, other.error) == (None, None)


@pytest.mark.django_db(transaction=True)
def test_nobody_takes_over_while_the_result_is_being_committed(bells):
    job = put()
    run = claimed(job)
    expire(job)
    with at_once(lambda: queue._claim(job.pk)) as other, transaction.atomic():
        run.hold()
        other.start()
        other.join(10)
        run.finish(JobState.DONE)
    assert other.result is None
    assert again(job).state == JobState.DONE


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_keeps_a_long_step_alive(bells, settings):
    """The work holds on until it has seen its lease move by itself."""
    settings.QUEUE_LEASE_SECONDS = 1
    job = put("tests.act")

    def wait_for_a_beat(run):
        first = again(job).lease_until
        ticks = threading.Event()
        for _ in range(400):
            if again(job).lease_until > first:
                return {"beat": True}
            ticks.wait(0.01)
        return {"beat": False}

    _act[0] = wait_for_a_beat
    queue.run_job(job.pk)
    assert again(job).result == {"beat": True}


@pytest.mark.django_db(transaction=True)
def test_a_heartbeat_that_fails_once_beats_on(bells, settings, monkeypatch):
    settings.QUEUE_LEASE_SECONDS = 1
    job = put("tests.act")
    beats = []
    plain = queue.Run._renew

    def renew(self, **changes):
        beats.append(None)
        if len(beats) == 1:
            raise DatabaseError("connection lost")
        plain(self, **changes)

    monkeypatch.setattr(queue.Run, "_renew", renew)

    def wait_for_three(run):
        ticks = threading.Event()
        for _ in range(400):
            if len(beats) < 3:
                ticks.wait(0.01)

    _act[0] = wait_for_three
    queue.run_job(job.pk)
    assert len(beats) >= 3
    assert again(job).state == JobState.DONE


# -- bells that were lost ----------------------------------------------------------------


def test_a_broker_that_is_away_loses_nothing(monkeypatch, django_capture_on_commit_callbacks):
    rung = []

    def away(self, name, kwargs, **_):
        rung.append(name)
        raise OperationalError("no broker")

    monkeypatch.setattr(Celery, "send_task", away)
    with django_capture_on_commit_callbacks(execute=True):
        job = put()
        put()
    assert again(job).state == JobState.QUEUED
    Job.objects.update(rung_at=queue._clock() - timedelta(hours=1))
    rung.clear()
    assert queue.ring_lost() == 0
    assert rung == ["tests.note"], "one try is enough to know that nobody is there"
    assert queue.run_waiting() == 2
    assert seen == ["note", "note"]


def test_lost_bells_ring_again_and_fresh_ones_are_left_in_peace(bells):
    fresh, unheard, lapsed, alive = put(), put(), put(), put()
    Job.objects.filter(pk=unheard.pk).update(rung_at=queue._clock() - timedelta(hours=1))
    claimed(lapsed)
    expire(lapsed)
    claimed(alive)
    bells.clear()
    assert queue.ring_lost() == 2
    assert {job_id for _name, job_id in bells} == {str(unheard.pk), str(lapsed.pk)}
    assert str(fresh.pk) not in str(bells)


# -- stop and try again -------------------------------------------------------------------


def test_a_waiting_job_stops_at_once(cast):
    job = put("tests.fail", how="disk")
    queue.cancel(job=job, by=cast.qiao)
    assert (job.state, seen) == (JobState.CANCELLED, ["given up: cancelled"])
    queue.run_job(job.pk)
    assert again(job).state == JobState.CANCELLED
    with pytest.raises(lifecycle.Stale):
        queue.cancel(job=job, by=cast.qiao)


def test_a_running_job_stops_at_its_next_step(cast):
    job = put()
    run = claimed(job)
    queue.cancel(job=job, by=cast.qiao)
    assert job.state == JobState.RUNNING
    with pytest.raises(queue.Cancelled):
        run.progress(1)
    run.finish(JobState.CANCELLED)
    assert again(job).state == JobState.CANCELLED


def test_a_failed_job_may_be_tried_again(cast):
    job = put("tests.refuse")
    queue.run_job(job.pk)
    queue.retry(job=again(job), by=cast.qiao)
    job = again(job)
    assert (job.state, job.error, job.attempts, job.finished_at) == (JobState.QUEUED, "", 0, None)
    assert queue._claim(job.pk).fence == 2
    with pytest.raises(lifecycle.Stale):
        queue.retry(job=again(job), by=cast.qiao)


@pytest.mark.django_db(transaction=True)
def test_whoever_stops_a_job_in_the_second_of_its_claim_asks_the_worker(bells):
    from tests.cast import make_account

    qiao = make_account("qiao")
    job = put()

    def cancel():
        queue.cancel(job=Job.objects.get(pk=job.pk), by=qiao)

    with at_once(cancel) as other, transaction.atomic():
        run = claimed(job)
        other.start()
        waits_for_lock(other)
    assert other.error is None
    with pytest.raises(queue.Cancelled):
        run.progress(1)


def test_a_refusal_of_the_kit_is_a_refusal_of_the_job():
    assert queue.Refused is Refused
    assert issubclass(lifecycle.Stale, Refused)


def test_the_log_carries_the_job_as_its_request(tree):
    found = []
    _act[0] = lambda run: found.append(audit.request_id.get())
    job = put("tests.act")
    queue.run_job(job.pk)
    assert found == [str(job.pk)]
    assert audit.request_id.get() == ""


def test_the_database_keeps_one_live_job_per_key():
    put(key="k")
    refused_by(
        "job_one_live_per_key",
        "INSERT INTO union_portal_job (id, name, title, key, arguments, done_count, total_count,"
        " note, result, error, attempts, fence, owner, is_cancel_asked, state) SELECT"
        " gen_random_uuid(), name, title, key, arguments, 0, 0, '', '{}', '', 0, 0, '', false,"
        " 'queued' FROM union_portal_job",
    )
