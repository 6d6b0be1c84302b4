"""Retention: counted first, removed by another, and a row one day too young stays."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from axes.models import AccessFailureLog, AccessLog
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from members.actions import copies, corrections, imports, retention
from members.actions.refusals import PeopleRefused
from members.actions.retention import SWEEPS
from members.models import (
    CardCode,
    Correction,
    ImportFinding,
    ImportRun,
    JoinApplication,
    LoginCode,
    RetentionRun,
    ServiceCard,
)
from members.rules import retention as rules
from members.states import JoinState
from members.tasks import retain
from tests.cast import TODAY, Cast
from tests.members.cards import make_bank
from union_portal import audit, files, lifecycle, notifications, queue
from union_portal.models import AuditEntry, Job, Message, StoredFile
from union_portal.models.notifications import Channel
from union_portal.states import JobState, MessageState

pytestmark = pytest.mark.django_db


def at(day: date, hour: int = 0) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(hour)))


# -- a row of every rule, of a given day -------------------------------------------------------
def a_file(purpose: str, day: date, **about: Any) -> StoredFile:
    made = files.store(
        purpose=purpose, name="x.csv", content=b"x", organization=None, by=audit.WORKER, **about
    )
    # The row is never changed: one of another day is made anew.
    with_day = StoredFile(
        id=None, purpose=purpose, name="y.csv", content_type="text/csv", size=1,
        sha256=made.sha256, subject_type=made.subject_type, subject_id=made.subject_id,
        created_at=at(day),
    )  # fmt: skip
    from uuid import uuid4

    with_day.pk = uuid4()
    files._path(with_day).parent.mkdir(parents=True, exist_ok=True)
    files._path(with_day).write_bytes(b"x")
    with_day.save(force_insert=True)
    return with_day


def my_data_files(cast: Cast, day: date) -> Any:
    return a_file(copies.PURPOSE, day, subject=cast.lin_person)


def login_codes(cast: Cast, day: date) -> Any:
    return LoginCode.objects.create(
        person=cast.lin_person, asked_for="x", asked_from="y", code_hash="z",
        created_at=at(day), expires_at=at(day),
    )  # fmt: skip


def a_message(cast: Cast, day: date, topic: str) -> Message:
    notifications.template("retention_test", text="%(words)s")
    made = Message.objects.create(
        topic=topic, key=f"{topic}{day}", channel=Channel.SMS, recipient=cast.lin_person.pk,
        address="13800138000", template="retention_test", values={"words": "Secret"},
        subject_type="x", subject_id="1", created_at=at(day),
    )  # fmt: skip
    lifecycle.advance(made, to=MessageState.SENT, by=audit.WORKER, sent_at=at(day))
    return made


def code_messages(cast: Cast, day: date) -> Any:
    return a_message(cast, day, "login_code")


def message_texts(cast: Cast, day: date) -> Any:
    return a_message(cast, day, "subsidy")


def a_card(cast: Cast) -> ServiceCard:
    card, _new = ServiceCard.objects.get_or_create(
        person=cast.lin_person, organization=cast.tree.union, bank=make_bank(), handle="h",
        channel="portal",
    )  # fmt: skip
    return card


def card_codes(cast: Cast, day: date) -> Any:
    return CardCode.objects.create(
        card=a_card(cast), kind="printed", digest=f"d{day}", expires_at=at(day)
    )


def join_applications(cast: Cast, day: date) -> Any:
    made = JoinApplication.objects.create(
        name="王林", national_id="610802199001011234", national_id_shown="610", phone="13800138000",
        phone_shown="138", organization=cast.tree.union, receipt=f"R{day}", channel="portal",
        applied_at=at(day - timedelta(days=30)),
    )  # fmt: skip
    lifecycle.advance(made, to=JoinState.REFUSED, by=cast.qiao, decided_at=at(day))
    return made


def an_import(cast: Cast, day: date) -> ImportRun:
    return ImportRun.objects.create(
        file_name="p.csv", organization=cast.tree.union, reach=[], uploaded_by=cast.qiao,
        uploaded_at=at(day),
    )  # fmt: skip


def import_files(cast: Cast, day: date) -> Any:
    run = an_import(cast, day)
    run.file = files.store(
        purpose=imports.PURPOSE, name="p.csv", content=b"x", subject=run,
        organization=cast.tree.union, by=cast.qiao,
    )  # fmt: skip
    run.save(update_fields=["file"])
    return run.file


def import_findings(cast: Cast, day: date) -> Any:
    return ImportFinding.objects.create(
        run=an_import(cast, day), row=1, severity="error", message_id="x"
    )


def a_correction(cast: Cast, day: date, **more: Any) -> Correction:
    made = corrections.ask(
        person=cast.lin_person, field="employer", wanted="Factory", words="Really",
        by=cast.lin, now=at(day), **more,
    )  # fmt: skip
    corrections.decline(correction=made, by=cast.qiao, now=at(day), answer="No such place")
    return made


def correction_words(cast: Cast, day: date) -> Any:
    return a_correction(cast, day)


def correction_evidence(cast: Cast, day: date) -> Any:
    from tests.web.awards_play import photo

    paper = files.store(
        purpose=corrections.EVIDENCE, name="p.jpg", content=photo("p.jpg"),
        subject=cast.lin_person, organization=cast.tree.union, by=cast.lin,
    )  # fmt: skip
    a_correction(cast, day, evidence=paper)
    return paper


def log_in_records(cast: Cast, day: date) -> Any:
    made = AccessLog.objects.create(username="lin", ip_address="10.0.0.1")
    AccessLog.objects.filter(pk=made.pk).update(attempt_time=at(day))
    failed = AccessFailureLog.objects.create(username="lin", ip_address="10.0.0.1")
    AccessFailureLog.objects.filter(pk=failed.pk).update(attempt_time=at(day))
    return made


MAKERS = {
    "my_data_files": my_data_files,
    "login_codes": login_codes,
    "code_messages": code_messages,
    "card_codes": card_codes,
    "join_applications": join_applications,
    "import_files": import_files,
    "import_findings": import_findings,
    "corrections": correction_words,
    "correction_evidence": correction_evidence,
    "log_in_records": log_in_records,
    "message_texts": message_texts,
}


def is_forgotten(row: Any) -> bool:
    if isinstance(row, StoredFile):
        return not files._path(row).exists() and hasattr(
            StoredFile.objects.get(pk=row.pk), "forgotten"
        )
    held = type(row).objects.filter(pk=row.pk).first()
    if isinstance(held, Message):
        return held.values == {"forgotten": held.values.get("forgotten")} and held.address is None
    if isinstance(held, Correction):
        return (held.wanted, held.words) == (retention.EMPTIED, retention.EMPTIED)
    return held is None


# -- runs ---------------------------------------------------------------------------------------
def ran(job: Job) -> Job:
    queue.run_job(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.DONE, job.error
    return job


def counted(cast: Cast, *, on: date = TODAY, by: Any = "account_admin") -> RetentionRun:
    ran(retention.ask_dry_run(by=getattr(cast, by) if by else None, today=on))
    return RetentionRun.objects.filter(is_dry=True).latest("id")


@pytest.fixture
def second(cast: Cast) -> Any:
    from tests.cast import make_account
    from union_portal.access import Role

    return make_account("ding2", role=Role.ACCOUNT_ADMIN, at=cast.tree.city)


def remove(shown: RetentionRun, by: Any, *, today: date = TODAY) -> RetentionRun:
    ran(retention.ask_removal(shown=shown, by=by, today=today))
    return RetentionRun.objects.get(shown_by=shown)


def test_every_rule_has_its_sweep_its_source_and_a_test():
    keys = [rule.key for rule in rules.RULES]
    assert set(keys) == set(SWEEPS) == set(MAKERS) and len(keys) == len(set(keys))
    for rule in rules.RULES:
        assert (rule.days > 0 and rule.why and "art." in rule.source) or "GB/T" in rule.source
    assert rules.first_kept_day(rules.by_key("card_codes"), TODAY) == TODAY - timedelta(days=30)


@pytest.mark.parametrize("key", sorted(MAKERS))
def test_a_row_of_yesterdays_last_day_goes_and_one_a_day_younger_stays(
    cast: Cast, second: Any, key: str
):
    first = TODAY - timedelta(days=rules.by_key(key).days)
    old = MAKERS[key](cast, first - timedelta(days=1))
    young = MAKERS[key](cast, first)
    shown = counted(cast)
    each = 2 if key == "log_in_records" else 1
    assert shown.counts[key] == each
    assert not is_forgotten(old), "a dry run touches nothing"
    done = remove(shown, second)
    assert (is_forgotten(old), is_forgotten(young)) == (True, False)
    assert done.counts[key] == each
    again = counted(cast)
    assert again.counts[key] == 0


def test_a_text_that_is_gone_says_so_and_how_it_was_told_stays(cast: Cast, second: Any):
    old = message_texts(cast, TODAY - timedelta(days=731))
    assert notifications.text_of(old) == "Secret"
    remove(counted(cast), second)
    old.refresh_from_db()
    assert "not kept any longer" in notifications.text_of(old)
    assert old.sent_at is not None and old.channel == Channel.SMS


def test_a_file_that_is_gone_says_since_when_and_its_row_stays(cast: Cast, second: Any):
    old = my_data_files(cast, TODAY - timedelta(days=8))
    remove(counted(cast), second)
    with pytest.raises(files.FileForgotten, match="not kept any longer"):
        files.open_for(old)
    assert StoredFile.objects.get(pk=old.pk).sha256 == old.sha256


def test_open_applications_and_messages_on_their_way_stay(cast: Cast, second: Any):
    long_ago = TODAY - timedelta(days=2000)
    waiting = JoinApplication.objects.create(
        name="王林", national_id="610802199001011234", national_id_shown="610", phone="13800138000",
        phone_shown="138", organization=cast.tree.union, receipt="W", channel="portal",
        applied_at=at(long_ago),
    )  # fmt: skip
    unsent = Message.objects.create(
        topic="subsidy", key="w", channel=Channel.SMS, template="x", values={"words": "x"},
        subject_type="x", subject_id="1", created_at=at(long_ago),
    )  # fmt: skip
    done = remove(counted(cast), second)
    assert not is_forgotten(waiting) and not is_forgotten(unsent)
    assert sum(done.counts.values()) == 0


def test_whoever_counted_does_not_remove_and_nobody_else_may_either(cast: Cast, second: Any):
    shown = counted(cast)
    for other in (cast.account_admin, cast.security_admin, cast.gao, cast.officer, cast.lin):
        with pytest.raises(PermissionDenied):
            retention.ask_removal(shown=shown, by=other, today=TODAY)
        if other != cast.account_admin:
            with pytest.raises(PermissionDenied):
                retention.ask_dry_run(by=other, today=TODAY)
    for wrong in (
        {"requested_by": cast.account_admin},
        {"requested_by": second, "run_on": TODAY + timedelta(days=1)},
        {"requested_by": second, "shown_by": None},
    ):
        fields = {"is_dry": False, "run_on": TODAY, "shown_by": shown} | wrong
        with pytest.raises(IntegrityError, match="retention"), transaction.atomic():
            RetentionRun.objects.create(**fields)


def test_a_dry_run_is_carried_out_once_and_while_it_is_fresh(cast: Cast, second: Any):
    shown = counted(cast)
    late = TODAY + timedelta(days=retention.FRESH_DAYS + 1)
    with pytest.raises(PeopleRefused, match="too old"):
        retention.ask_removal(shown=shown, by=second, today=late)
    done = remove(shown, second)
    with pytest.raises(PeopleRefused, match="already"):
        retention.ask_removal(shown=shown, by=second, today=TODAY)
    with pytest.raises(PeopleRefused, match="no dry run"):
        retention.ask_removal(shown=done, by=cast.account_admin, today=TODAY)


def test_what_became_too_old_since_the_dry_run_waits_for_the_next(cast: Cast, second: Any):
    first = rules.first_kept_day(rules.by_key("card_codes"), TODAY)
    shown = counted(cast)
    row = card_codes(cast, first)
    remove(shown, second, today=TODAY + timedelta(days=5))
    assert not is_forgotten(row)


def test_many_rows_go_in_chunks_and_a_killed_run_goes_on_with_its_counts(
    cast: Cast, second: Any, monkeypatch: pytest.MonkeyPatch
):
    day = TODAY - timedelta(days=40)
    rows = [card_codes(cast, day - timedelta(days=n)) for n in range(7)]
    monkeypatch.setattr(retention, "CHUNK", 2)
    shown = counted(cast)
    job = retention.ask_removal(shown=shown, by=second, today=TODAY)
    plain = queue.Run.progress
    calls = []

    def killed(self: queue.Run, *given: Any, **more: Any) -> None:
        calls.append(given)
        if len(calls) == 2:
            raise queue.LeaseLost
        plain(self, *given, **more)

    with monkeypatch.context() as patch:
        patch.setattr(queue.Run, "progress", killed)
        queue.run_job(job.pk)
    assert sum(map(is_forgotten, rows)) == 4
    assert not RetentionRun.objects.filter(shown_by=shown).exists()
    lapsed = timezone.now() - timedelta(seconds=1)
    Job.objects.filter(pk=job.pk).update(lease_until=lapsed)
    ran(job)
    assert all(map(is_forgotten, rows))
    assert RetentionRun.objects.get(shown_by=shown).counts["card_codes"] == 7


def test_the_schedule_removes_what_it_counted_a_week_ago(cast: Cast):
    def week(day: date) -> None:
        retention.by_schedule(today=day)
        queue.run_waiting()

    row = card_codes(cast, TODAY - timedelta(days=40))
    week(TODAY)
    week(TODAY)
    assert RetentionRun.objects.count() == 1 and not is_forgotten(row)
    week(TODAY + timedelta(days=7))
    assert is_forgotten(row)
    done = RetentionRun.objects.get(is_dry=False)
    assert (done.requested_by, done.counts["card_codes"]) == (None, 1)
    assert RetentionRun.objects.filter(is_dry=True).count() == 2


def test_the_scheduled_task_asks_for_a_count(cast: Cast):
    retain()
    assert Job.objects.get().name == retention.COUNT


def test_money_log_and_consents_are_in_no_rule():
    touched = {
        sweep.rows(at(TODAY)).model._meta.label for sweeps in SWEEPS.values() for sweep in sweeps
    }
    assert touched == {
        "union_portal.StoredFile", "union_portal.Message", "members.LoginCode",
        "members.CardCode", "members.JoinApplication", "members.ImportFinding",
        "members.Correction", "axes.AccessLog", "axes.AccessFailureLog",
    }  # fmt: skip
    kept = {"disbursement_report", "report", "bank_account_evidence"}
    purposes = {copies.PURPOSE, imports.PURPOSE, corrections.EVIDENCE}
    assert purposes & kept == set()


def test_the_log_tells_who_asked_and_how_much_went(cast: Cast, second: Any):
    card_codes(cast, TODAY - timedelta(days=40))
    remove(counted(cast), second)
    acts = AuditEntry.objects.filter(action__startswith="retention.").order_by("id")
    assert [one.action for one in acts] == [
        "retention.count", "retention.counted", "retention.remove", "retention.removed",
    ]  # fmt: skip
    assert acts[3].detail["counts"]["card_codes"] == 1
