"""Corrections: asked for by the person, done through the field's own action, or declined."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from members.actions import corrections, profiles
from members.actions.corrections import FIELDS
from members.actions.refusals import PeopleRefused
from members.models import Correction, MemberProfile
from members.queries.privacy import corrections_waiting_for
from members.states import CorrectionState
from tests.cast import NOW, Cast, make_person
from union_portal import notifications
from union_portal.kit.refusals import Refused
from union_portal.lifecycle import Stale
from union_portal.models import AuditEntry, Message

pytestmark = pytest.mark.django_db
PHONE = "13912345678"
# A value for each field that is read; what the person is then.
WANTED = {
    "name": "林雨桐",
    "phone": PHONE,
    "address": "榆阳区某某路 1 号",
    "employer": "榆林示范厂",
    "ethnicity": "汉族",
    "education": "bachelor",
    "political_status": "masses",
    "hukou_type": "local_rural",
    "employment": "employed",
    "technical_grade": "senior",
    "is_farmer_worker": "yes",
}


def ask(cast: Cast, field: str = "phone", wanted: str = PHONE, **more: Any) -> Correction:
    asked = {"words": "New number since May.", "by": cast.lin, "now": NOW} | more
    return corrections.ask(person=cast.lin_person, field=field, wanted=wanted, **asked)


def do(correction: Correction, by: Any, answer: str = "") -> None:
    corrections.carry_out(correction=correction, by=by, now=NOW, answer=answer)


def test_every_field_has_a_value_that_the_tests_correct():
    assert set(WANTED) == set(FIELDS) - {"other"}
    assert set(profiles.FIELDS) < set(FIELDS)


@pytest.mark.parametrize("field", sorted(WANTED))
def test_a_correction_is_written_by_the_action_of_its_field(cast: Cast, field: str):
    if field == "is_farmer_worker":
        do(ask(cast, "hukou_type", WANTED["hukou_type"]), cast.qiao)
    correction = ask(cast, field, WANTED[field])
    do(correction, cast.qiao)
    person = type(cast.lin_person).objects.get(pk=cast.lin_person.pk)
    holder = person if hasattr(person, field) else MemberProfile.objects.get(person=person)
    wanted: Any = True if field == "is_farmer_worker" else WANTED[field]
    assert getattr(holder, field) == wanted
    told = Message.objects.get(topic="correction", key=str(correction.pk))
    assert "was corrected" in notifications.text_of(told) or "已" in notifications.text_of(told)
    assert told.recipient == person.pk
    entry = AuditEntry.objects.filter(action__in=["person.update", "person.profile"]).latest("id")
    assert (entry.actor_id, entry.detail["columns"]) == (cast.qiao.pk, [field])


def test_a_wrong_value_is_told_when_it_is_asked_for(cast: Cast):
    for field, wanted in (("phone", "123"), ("education", "wizard"), ("employer", "x" * 121)):
        with pytest.raises(Refused):
            ask(cast, field, wanted)
    with pytest.raises(Refused, match="missing"):
        ask(cast, "employer", "  ")
    assert not Correction.objects.exists()


def test_a_field_waits_for_one_answer_at_a_time(cast: Cast):
    first = ask(cast)
    with pytest.raises(PeopleRefused, match="waits for its answer"):
        ask(cast, wanted="13912345679")
    do(first, cast.qiao)
    ask(cast, wanted="13912345679")


def test_a_reason_is_needed_to_leave_it_as_it_is_and_the_member_reads_it(cast: Cast):
    asked = ask(cast, "name", "林雨")
    with pytest.raises(Refused, match="reason"):
        corrections.decline(correction=asked, by=cast.qiao, now=NOW, answer=" ")
    corrections.decline(correction=asked, by=cast.qiao, now=NOW, answer="The card says otherwise.")
    assert "The card says otherwise." in notifications.text_of(Message.objects.get())
    with pytest.raises(Stale):
        do(asked, cast.qiao)
    assert cast.lin_person.name == type(cast.lin_person).objects.get(pk=cast.lin_person.pk).name


def test_something_else_is_answered_with_what_was_done(cast: Cast):
    asked = ask(cast, "other", "My birth date is wrong")
    with pytest.raises(Refused, match="answer is missing"):
        do(asked, cast.qiao)
    asked.refresh_from_db()
    do(asked, cast.qiao, "Your number was entered anew.")
    assert asked.state == CorrectionState.DONE


def test_only_the_person_asks_and_only_their_union_answers(cast: Cast):
    with pytest.raises(PermissionDenied):
        ask(cast, by=cast.qiao)
    asked = ask(cast)
    for other in (cast.wei, cast.lin, cast.shi, cast.gao, cast.feng):
        with pytest.raises(PermissionDenied):
            do(asked, other)
    assert corrections_waiting_for(cast.qiao).count() == 1
    assert corrections_waiting_for(cast.shi).count() == 0


def test_nobody_answers_their_own(cast: Cast):
    person = make_person(cast.tree.union, account=cast.qiao)
    own = corrections.ask(
        person=person, field="phone", wanted=PHONE, words="", by=cast.qiao, now=NOW
    )
    with pytest.raises(Refused, match="yourself"):
        do(own, cast.qiao)


def test_a_number_is_masked_where_it_is_listed_and_kept_sealed(cast: Cast):
    asked = ask(cast)
    assert corrections.shown(asked) == "139****5678"
    assert corrections.whole(asked) == PHONE
    address = ask(cast, "address", WANTED["address"])
    assert corrections.shown(address) == "榆阳区…"
    log = "".join(str(entry.detail) + entry.reason for entry in AuditEntry.objects.all())
    assert PHONE not in log and WANTED["address"] not in log
