"""Public notice: a frozen masked list, a window in working days, objections that stop money."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.db.models import F, OuterRef, Subquery, Value

from members.models import Person
from tests.cast import TODAY, make_cast, make_decision, make_person, make_rule_set, make_tree
from tests.kernel.attacks import refused_by
from tests.kernel.races import at_once, waits_for_lock
from union_portal import lifecycle, notices, workdays
from union_portal.kit.refusals import Refused
from union_portal.kit.workdays import UnknownYear
from union_portal.models import AuditEntry, Decision, Notice, Objection
from union_portal.states import DecisionState, NoticeState

pytestmark = pytest.mark.django_db
PHONE = "13800138000"


def draft(cast, decided=None, **more):
    rows = (decided if decided is not None else Decision.objects.all()).order_by("id")
    given = {
        "title": "Festival gift 2026",
        "scheme": "festival_gift",
        "period": "2026",
        "organization": cast.tree.city,
        "rows": rows.values(
            shown_name=Value("张*明"),
            shown_employer=F("organization__name"),
            shown_ground=Value(""),
            decision_id=F("id"),
        ),
        "place": "Notice board",
        "contact": "0912-1234",
        "days": 5,
        "counts_first_day": True,
        "by": cast.officer,
    }
    return notices.draft(**(given | more))


@pytest.fixture
def rules(cast):
    return make_rule_set(cast, notice_days=5)


@pytest.fixture
def decided(cast, rules):
    return [make_decision(cast, rules), make_decision(cast, rules, make_person(cast.tree.union))]


@pytest.fixture
def posted(cast, decided):
    return notices.publish(notice=draft(cast), by=cast.officer, today=TODAY)


def test_the_list_stands_in_the_order_asked_for(cast, rules):
    people = [make_person(cast.tree.union, employer=f"Works {n * 7 % 20:02d}") for n in range(20)]
    for person in people:
        make_decision(cast, rules, person, subject_id=person.pk)
    names = Person.objects.filter(pk=OuterRef("subject_id")).values("employer")
    rows = Decision.objects.annotate(works=Subquery(names)).order_by("-works")
    notice = notices.draft(
        title="x",
        scheme="festival_gift",
        period="2026",
        organization=cast.tree.city,
        rows=rows.values(
            decision_id=F("id"),
            shown_name=Value("张*明"),
            shown_employer=F("works"),
            shown_ground=Value(""),
        ),
        place="x",
        contact="x",
        days=5,
        counts_first_day=True,
        by=cast.officer,
    )
    listed = list(notice.entries.order_by("position").values_list("position", "shown_employer"))
    assert listed == [(n, f"Works {20 - n:02d}") for n in range(1, 21)]
    assert list(notice.entries.order_by("pk").values_list("position", flat=True)) == [
        *range(1, 21)
    ], "written in the order of the list too"


def test_those_who_share_a_place_in_the_order_stand_by_their_decisions(cast, rules):
    for _ in range(12):
        make_decision(cast, rules, make_person(cast.tree.union))
    rows = Decision.objects.order_by("scheme")
    notice = draft(cast, rows)
    ids = list(notice.entries.order_by("position").values_list("decision_id", flat=True))
    assert ids == sorted(ids)


def object_to(entry, *, by=None, today=TODAY, **more):
    given = {"objector": "王建国", "phone": PHONE, "text": "Not a model worker", "is_body": False}
    return notices.file_objection(entry=entry, by=by, today=today, **(given | more))


def state_of(decision):
    return Decision.objects.get(pk=decision.pk).state


def test_the_window_counts_working_days_and_the_posting_day(cast, posted):
    assert (posted.posted_on, posted.ends_on) == (date(2026, 3, 2), date(2026, 3, 6))
    assert {d.state for d in Decision.objects.all()} == {DecisionState.PUBLISHED}


def test_make_up_days_and_holidays_move_the_end_of_the_window(cast, decided):
    notice = draft(cast, counts_first_day=False)
    # 28 February 2026 is a Saturday that is worked; the Spring Festival ended on the 23rd.
    notices.publish(notice=notice, by=cast.officer, today=date(2026, 2, 23))
    assert notice.ends_on == date(2026, 2, 28)


def test_a_year_without_holidays_is_refused_before_anything_is_posted(cast, decided):
    notice = draft(cast)
    with pytest.raises(UnknownYear, match="2027"):
        notices.publish(notice=notice, by=cast.officer, today=date(2026, 12, 30))
    notice.refresh_from_db()
    assert notice.state == NoticeState.DRAFT


def test_a_list_holds_each_decision_once_and_only_those_that_may_stand_there(cast, rules, decided):
    refusal = make_decision(cast, rules, outcome="refused", amount_fen=0)
    notice = draft(cast)
    assert [entry.position for entry in notice.entries.all()] == [1, 2]
    assert refusal.pk not in notice.entries.values_list("decision_id", flat=True)
    with pytest.raises(notices.NothingToPublish):
        draft(cast)
    notices.withdraw(notice=notice, by=cast.officer, reason="Typo")
    assert draft(cast).entries.count() == 2


def test_only_the_right_roles_prepare_and_publish(cast, decided):
    with pytest.raises(PermissionDenied):
        draft(cast, by=cast.shi)
    notice = draft(cast)
    with pytest.raises(PermissionDenied):
        notices.publish(notice=notice, by=cast.gao, today=TODAY)


def test_a_decision_withdrawn_after_the_draft_stops_the_publication(cast, decided):
    notice = draft(cast)
    lifecycle.advance(decided[0], to=DecisionState.WITHDRAWN, by=cast.decider)
    with pytest.raises(Refused, match="withdrawn after"), transaction.atomic():
        notices.publish(notice=notice, by=cast.officer, today=TODAY)
    assert state_of(decided[1]) == DecisionState.MADE


def test_nothing_is_clear_while_the_window_runs(cast, posted):
    with pytest.raises(notices.WindowRunning, match="2026-03-06"):
        notices.close(notice=posted, by=cast.officer, today=date(2026, 3, 6))
    assert notices.close(notice=posted, by=cast.officer, today=date(2026, 3, 7)) == 2
    assert {d.state for d in Decision.objects.all()} == {DecisionState.CLEAR}
    with pytest.raises(lifecycle.Stale):
        notices.close(notice=posted, by=cast.officer, today=date(2026, 3, 8))


def test_an_objection_holds_back_its_own_entry_only(cast, decided, posted):
    entry = posted.entries.first()
    objection = object_to(entry)
    assert state_of(entry.decision) == DecisionState.CONTESTED
    assert notices.close(notice=posted, by=cast.officer, today=date(2026, 3, 9)) == 1
    assert state_of(entry.decision) == DecisionState.CONTESTED
    notices.answer(objection=objection, upheld=False, answer="Certificate seen", by=cast.shi)
    assert state_of(entry.decision) == DecisionState.CLEAR


def test_dismissed_within_the_window_the_decision_is_back_on_notice(cast, posted):
    entry = posted.entries.first()
    first, second = object_to(entry), object_to(entry)
    notices.answer(objection=first, upheld=False, answer="No", by=cast.officer)
    assert state_of(entry.decision) == DecisionState.CONTESTED
    notices.take_back(objection=second, by=cast.officer, reason="By phone")
    assert state_of(entry.decision) == DecisionState.PUBLISHED


def test_an_upheld_objection_withdraws_the_decision_for_good(cast, posted):
    entry = posted.entries.first()
    first, second = object_to(entry), object_to(entry)
    notices.answer(objection=first, upheld=True, answer="Honour revoked", by=cast.officer)
    assert state_of(entry.decision) == DecisionState.WITHDRAWN
    notices.answer(objection=second, upheld=True, answer="As before", by=cast.officer)
    with pytest.raises(Refused, match="withdrawn"):
        object_to(entry)
    with pytest.raises(lifecycle.Stale):
        notices.answer(objection=second, upheld=False, answer="Again", by=cast.officer)


@pytest.mark.parametrize("day", [TODAY - timedelta(days=1), date(2026, 3, 7)])
def test_the_public_objects_within_the_window_only(cast, posted, day):
    with pytest.raises(notices.WindowOver, match="0912-1234"):
        object_to(posted.entries.first(), today=day)


def test_staff_enter_a_late_objection_and_stop_what_was_clear(cast, posted):
    notices.close(notice=posted, by=cast.officer, today=date(2026, 3, 7))
    entry = posted.entries.first()
    objection = object_to(entry, by=cast.shi, today=date(2026, 3, 20))
    assert state_of(entry.decision) == DecisionState.CONTESTED
    assert objection.received_by == cast.shi
    with pytest.raises(PermissionDenied):
        object_to(entry, by=cast.qiao)


@pytest.mark.parametrize(
    "wrong",
    [{"objector": "  "}, {"objector": "anon 123"}, {"phone": "12"}, {"phone": ""}, {"text": " "}],
)
def test_an_objection_has_a_real_name_a_phone_and_a_text(cast, posted, wrong):
    with pytest.raises(Refused), transaction.atomic():
        object_to(posted.entries.first(), **wrong)
    assert not Objection.objects.exists()


def test_a_body_objects_under_its_seal_and_needs_no_mobile(cast, posted):
    objection = object_to(posted.entries.first(), objector="某某公司", phone="", is_body=True)
    assert objection.phone is None


def test_an_objection_never_puts_the_phone_into_the_log(cast, posted):
    object_to(posted.entries.first())
    entry = AuditEntry.objects.get(action="objection.filed")
    assert entry.actor == "public"
    assert PHONE not in str(entry.detail)


def test_who_calls_the_objector_back_says_why_and_is_logged(cast, posted):
    objection = object_to(posted.entries.first())
    seen = notices.unmask_phone(objection=objection, by=cast.officer, reason="to ask back")
    assert seen == PHONE
    entry = AuditEntry.objects.get(action="objection.unmask")
    assert (entry.actor_id, entry.reason) == (cast.officer.pk, "to ask back")
    assert PHONE not in str(entry.detail)


def test_the_objectors_number_opens_for_nobody_else_and_not_without_a_reason(cast, posted):
    objection = object_to(posted.entries.first())
    for stranger in (cast.qiao, cast.gao, cast.wei, cast.feng):
        with pytest.raises(PermissionDenied):
            notices.unmask_phone(objection=objection, by=stranger, reason="to ask back")
    with pytest.raises(Refused, match="reason"):
        notices.unmask_phone(objection=objection, by=cast.officer, reason=" ")
    assert not AuditEntry.objects.filter(action="objection.unmask").exists()


def test_without_a_notice_only_rule_sets_that_ask_for_none_clear(cast, rules, decided):
    free = make_decision(cast, make_rule_set(cast, "quick"))
    every = Decision.objects.all()
    assert notices.clear_without_notice(decisions=every, by=cast.decider) == 1
    assert state_of(free) == DecisionState.CLEAR
    assert state_of(decided[0]) == DecisionState.MADE


# -- against raw SQL ---------------------------------------------------------------------


def test_the_database_keeps_the_list_as_the_public_saw_it(cast, posted):
    refused_by("notice_entry_append_only", "UPDATE union_portal_noticeentry SET shown_name = 'x'")
    refused_by("notice_entry_append_only", "DELETE FROM union_portal_noticeentry")
    for change in ("title = 'x'", "ends_on = ends_on - 3", "text = 'x'", "contact = 'x'"):
        refused_by("notice_window_frozen", f"UPDATE union_portal_notice SET {change}")
    refused_by(
        "notice_entry_draft_only",
        "INSERT INTO union_portal_noticeentry (notice_id, decision_id, position, shown_name,"
        " shown_employer, shown_ground, amount_fen)"
        " SELECT notice_id, decision_id, position + 10, 'x', '', '', 1"
        " FROM union_portal_noticeentry",
    )


def test_the_database_lets_no_number_of_a_person_onto_a_list(cast, decided):
    for text in ("610802196501011234", "13800138000"):
        with pytest.raises(IntegrityError, match="shows_no_number"), transaction.atomic():
            draft(
                cast,
                rows=Decision.objects.values(
                    "organization_id",
                    decision_id=F("id"),
                    shown_name=Value("张*明"),
                    shown_employer=Value(text),
                    shown_ground=Value(""),
                ),
            )


def test_the_database_clears_nothing_before_the_window_has_ended(cast, decided):
    """By its own clock, whatever `today` the caller claims."""
    notice = draft(cast)
    connection.cursor().execute(
        "UPDATE union_portal_notice SET state = 'published', posted_on = CURRENT_DATE,"
        " ends_on = CURRENT_DATE + 9 WHERE id = %s",
        [notice.pk],
    )
    connection.cursor().execute("UPDATE union_portal_decision SET state = 'published'")
    refused_by("decision_clear", "UPDATE union_portal_decision SET state = 'clear'")
    notice.refresh_from_db()
    with pytest.raises(IntegrityError, match="has not ended"), transaction.atomic():
        notices.close(notice=notice, by=cast.officer, today=notice.ends_on + timedelta(days=1))


def test_the_database_clears_nothing_with_an_open_objection(cast, posted):
    object_to(posted.entries.first())
    refused_by("decision_clear", "UPDATE union_portal_decision SET state = 'clear'")


def test_the_database_refuses_an_objection_that_contests_nothing(cast, posted):
    entry = posted.entries.first()
    refused_by(
        "objection_contests",
        "INSERT INTO union_portal_objection (entry_id, decision_id, objector, is_body, text,"
        " filed_at, answer, state) VALUES (%s, %s, 'x', false, 'x', now(), '', 'open')",
        [entry.pk, entry.decision_id],
    )


def test_the_database_keeps_what_was_objected_and_answered(cast, posted):
    objection = object_to(posted.entries.first())
    for change in ("text = 'x'", "objector = 'x'", "entry_id = entry_id + 1"):
        refused_by("objection_frozen", f"UPDATE union_portal_objection SET {change}")
    refused_by("objection_frozen", "DELETE FROM union_portal_objection")
    refused_by(
        "objection_closed_with_answer", "UPDATE union_portal_objection SET state='dismissed'"
    )
    notices.answer(objection=objection, upheld=False, answer="Seen", by=cast.officer)
    refused_by("objection_frozen", "UPDATE union_portal_objection SET answer = 'x'")
    refused_by("objection_steps", "UPDATE union_portal_objection SET state = 'open'")


# -- two at once -------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_an_objection_in_the_second_of_closing_is_not_run_over():
    """Whoever closes waits for the objection's lock, then leaves its decision contested."""
    cast = make_cast(make_tree())
    rules = make_rule_set(cast, notice_days=5)
    contested, other = make_decision(cast, rules), make_decision(cast, rules)
    notice = notices.publish(notice=draft(cast), by=cast.officer, today=TODAY)
    entry = notice.entries.get(decision=contested)

    def close():
        fresh = Notice.objects.get(pk=notice.pk)
        return notices.close(notice=fresh, by=cast.officer, today=date(2026, 3, 9))

    with at_once(close) as closing, transaction.atomic():
        object_to(entry)
        closing.start()
        waits_for_lock(closing)
    assert closing.result == 1
    assert state_of(contested) == DecisionState.CONTESTED
    assert state_of(other) == DecisionState.CLEAR


# -- the table of holidays ---------------------------------------------------------------


def test_a_year_half_typed_in_is_not_known(cast):
    for day in (1, 2, 3):
        workdays.enter(
            day=date(2027, 1, day), is_workday=False, name="元旦", source="test", by=cast.officer
        )
    assert workdays.calendar().known_years == {2025, 2026}
    assert "2027" in workdays.warning(date(2026, 11, 2))
    assert workdays.warning(date(2026, 3, 2)) == ""


def test_days_off_are_entered_and_removed_by_whoever_may(cast):
    with pytest.raises(PermissionDenied):
        workdays.enter(day=TODAY, is_workday=False, name="x", source="test", by=cast.gao)
    entered = workdays.enter(
        day=TODAY, is_workday=False, name="x", source="test", by=cast.rules_clerk
    )
    assert not workdays.calendar().is_workday(TODAY)
    workdays.remove(holiday=entered, by=cast.rules_clerk, reason="mistyped")
    calendar = workdays.calendar()
    assert calendar.is_workday(TODAY)
    assert calendar.count(TODAY, calendar.add(TODAY, 5)) == 6
