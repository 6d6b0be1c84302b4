"""Consents: each purpose by itself, to the words in force, withdrawn as easily as given."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from members import consent_samples
from members.actions import consents, people
from members.actions.consents import ConsentMissing
from members.actions.refusals import PeopleRefused
from members.models import Channel, Consent, ConsentPurpose, ConsentText, Person
from members.queries.privacy import (
    consents_missing,
    purposes_of,
    standing_consents,
    text_in_force,
    texts_in_force,
    wants_sms,
)
from tests.cast import NOW, TODAY, Cast, make_person
from union_portal import files, notifications
from union_portal.kit.refusals import Refused
from union_portal.models import AuditEntry, Message, StoredFile
from union_portal.models.notifications import Channel as By
from union_portal.states import MessageState

pytestmark = pytest.mark.django_db


@pytest.fixture
def texts(cast: Cast) -> list[ConsentText]:
    return consents.install_samples(by=cast.rules_clerk, second=cast.decider, today=TODAY, now=NOW)


def give(cast: Cast, purpose: str = "card", **more: Any) -> Consent:
    asked = {"person": cast.lin_person, "by": cast.lin, "now": NOW, "today": TODAY} | more
    return consents.give(purpose=purpose, **asked)


def withdraw(cast: Cast, purpose: str = "card", **more: Any) -> int:
    asked = {"person": cast.lin_person, "by": cast.lin, "now": NOW + timedelta(days=1)} | more
    return consents.withdraw(purpose=purpose, **asked)


def next_version(cast: Cast, purpose: str = "card", valid_from: date = TODAY) -> ConsentText:
    text = consents.draft(
        purpose=purpose, text="新的", text_en="New", valid_from=valid_from, by=cast.rules_clerk
    )
    consents.adopt(text=text, by=cast.decider, now=NOW)
    return text


def paper(cast: Cast) -> StoredFile:
    from tests.web.awards_play import photo

    return files.store(
        purpose=consents.EVIDENCE, name="sheet.jpg", content=photo("sheet.jpg"),
        subject=cast.lin_person, organization=cast.tree.union, by=cast.qiao,
    )  # fmt: skip


# -- texts ---------------------------------------------------------------------------------------
def test_the_samples_cover_every_purpose_in_both_languages_and_say_that_they_are_samples(texts):
    assert {sample.purpose for sample in consent_samples.SAMPLES} == set(ConsentPurpose)
    assert {text.purpose for text in texts} == set(ConsentPurpose)
    for sample in consent_samples.SAMPLES:
        assert "样例" in sample.text and "Sample" in sample.text_en


def test_the_samples_are_entered_once(texts, cast: Cast):
    again = consents.install_samples(by=cast.rules_clerk, second=cast.decider, today=TODAY, now=NOW)
    assert again == []


def test_whoever_wrote_a_text_does_not_adopt_it(cast: Cast):
    text = consents.draft(
        purpose="card", text="甲", text_en="A", valid_from=TODAY, by=cast.rules_clerk
    )
    for by in (cast.rules_clerk, cast.qiao, cast.officer):
        with pytest.raises(PermissionDenied):
            consents.adopt(text=text, by=by, now=NOW)
    with pytest.raises(IntegrityError, match="written_by_not_adopted_by"), transaction.atomic():
        ConsentText.objects.filter(pk=text.pk).update(adopted_by=cast.rules_clerk)


def test_an_adopted_text_is_replaced_and_never_edited(texts, cast: Cast):
    words = {"words": "乙", "words_en": "B", "valid_from": TODAY, "by": cast.rules_clerk}
    with pytest.raises(PeopleRefused, match="replaced"):
        consents.edit_draft(text=texts[0], **words)
    with pytest.raises(IntegrityError, match="adopted text"), transaction.atomic():
        ConsentText.objects.filter(pk=texts[0].pk).update(text="丙")


def test_a_text_holds_from_its_day_on_and_only_when_it_is_adopted(texts, cast: Cast):
    later = next_version(cast, valid_from=TODAY + timedelta(days=10))
    consents.draft(purpose="card", text="丁", text_en="D", valid_from=TODAY, by=cast.rules_clerk)
    assert text_in_force("card", TODAY).version == 1
    assert text_in_force("card", TODAY + timedelta(days=10)) == later
    assert texts_in_force(TODAY - timedelta(days=1)).count() == 0


# -- giving and withdrawing ------------------------------------------------------------------
def test_each_purpose_is_given_by_itself(texts, cast: Cast):
    give(cast, "card")
    consents.require(cast.lin_person, "card", today=TODAY)
    for other in set(ConsentPurpose) - {ConsentPurpose.CARD}:
        with pytest.raises(ConsentMissing):
            consents.require(cast.lin_person, other, today=TODAY)


def test_agreeing_twice_is_noted_once(texts, cast: Cast):
    assert give(cast) == give(cast)
    assert AuditEntry.objects.filter(action="consent.give").count() == 1


def test_what_is_withdrawn_allows_nothing_more_and_stays_on_record(texts, cast: Cast):
    given = give(cast)
    assert withdraw(cast) == 1
    with pytest.raises(ConsentMissing, match="has not agreed"):
        consents.require(cast.lin_person, "card", today=TODAY)
    given.refresh_from_db()
    assert given.withdrawn_at == NOW + timedelta(days=1)
    with pytest.raises(PeopleRefused, match="no consent to withdraw"):
        withdraw(cast)
    again = give(cast, now=NOW + timedelta(days=2))
    assert again != given
    assert consents.require(cast.lin_person, "card", today=TODAY) == again


def test_a_consent_to_older_words_is_asked_for_anew(texts, cast: Cast):
    give(cast)
    next_version(cast)
    with pytest.raises(ConsentMissing):
        consents.require(cast.lin_person, "card", today=TODAY)
    shown = next(one for one in purposes_of(cast.lin_person, TODAY) if one.purpose == "card")
    assert (shown.is_old, shown.is_open) == (True, True)
    assert [text.purpose for text in consents_missing(cast.lin_person.pk, TODAY)] == [
        "card", "membership",
    ]  # fmt: skip
    give(cast)
    assert withdraw(cast) == 2, "every version that stands"
    assert [text.purpose for text in consents_missing(cast.lin_person.pk, TODAY)] == ["membership"]


def test_what_changed_while_it_was_read_is_shown_first(texts, cast: Cast):
    next_version(cast)
    with pytest.raises(PeopleRefused, match="has changed"):
        give(cast, seen=1)
    assert give(cast, seen=2).text.version == 2


def test_without_a_text_in_force_nothing_can_be_agreed_to(cast: Cast):
    with pytest.raises(PeopleRefused, match="no text"):
        give(cast)


def test_at_the_desk_it_takes_the_signed_paper_and_the_union_of_the_person(texts, cast: Cast):
    with pytest.raises(PeopleRefused, match="on paper"):
        give(cast, by=cast.qiao)
    for stranger in (cast.wei, cast.gao, cast.feng):
        with pytest.raises(PermissionDenied):
            give(cast, by=stranger, evidence=paper(cast))
    made = give(cast, by=cast.qiao, evidence=paper(cast))
    assert made.channel == Channel.DESK and made.given_by == cast.qiao
    with pytest.raises(PeopleRefused, match="already"):
        give(cast, by=cast.qiao, evidence=paper(cast))
    with pytest.raises(PeopleRefused, match="on paper"):
        withdraw(cast, by=cast.qiao)
    assert withdraw(cast, by=cast.qiao, evidence=paper(cast)) == 1


def test_a_consent_is_never_edited_nor_withdrawn_back(texts, cast: Cast):
    given = give(cast)
    withdraw(cast)
    for change in ({"withdrawn_at": None}, {"person": make_person(cast.tree.union)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Consent.objects.filter(pk=given.pk).update(**change)


def test_the_signed_sheet_is_for_the_person_and_their_union_alone(texts, cast: Cast):
    sheet = paper(cast)
    assert files.may_fetch(cast.lin, sheet) and files.may_fetch(cast.qiao, sheet)
    neighbour = make_person(cast.tree.union)
    assert neighbour.account is None
    for other in (cast.wei, cast.gao, cast.feng, cast.rules_clerk):
        assert not files.may_fetch(other, sheet)


# -- text messages -------------------------------------------------------------------------------
def tell(person: Person, topic: str = "subsidy", key: str = "1") -> Message:
    notifications.template("consent_test", text="Told")
    return Message.objects.create(
        topic=topic, key=key, channel=By.SMS, recipient=person.pk, address="13800138000",
        template="consent_test", values={}, subject_type="members.person",
        subject_id=str(person.pk),
    )  # fmt: skip


def sent(message: Message) -> tuple[str, str, str]:
    notifications.send_pending()
    message.refresh_from_db()
    return message.channel, message.state, message.gateway


def test_whoever_withdrew_gets_no_text_message_and_reads_it_in_the_portal(texts, cast: Cast):
    give(cast, "notices")
    assert sent(tell(cast.lin_person)) == (By.SMS, MessageState.SENT, "outbox")
    withdraw(cast, "notices")
    message = tell(cast.lin_person, key="2")
    assert sent(message) == (By.PORTAL, MessageState.SENT, "portal")
    assert message in notifications.messages_for(cast.lin_person.pk)
    give(cast, "notices", now=NOW + timedelta(days=2))
    assert sent(tell(cast.lin_person, key="3"))[0] == By.SMS


def test_whoever_was_never_asked_is_told_as_before(texts, cast: Cast):
    assert wants_sms(cast.lin_person.pk)
    assert sent(tell(cast.lin_person))[0] == By.SMS


@pytest.mark.parametrize("topic", ["login_code", "phone_changed"])
def test_a_log_in_code_and_a_warning_come_whatever_was_withdrawn(texts, cast: Cast, topic: str):
    give(cast, "notices")
    withdraw(cast, "notices")
    assert sent(tell(cast.lin_person, topic=topic))[0] == By.SMS


def test_the_old_phone_hears_that_it_is_no_longer_the_one(cast: Cast):
    """Who changes a phone could log in as its person: the person hears of it where they were."""
    old = str(cast.lin_person.phone)
    people.update(person=cast.lin_person, by=cast.qiao, employer="榆林示范厂")
    assert not Message.objects.exists()
    people.update(person=cast.lin_person, by=cast.qiao, phone="13912345678")
    warning = Message.objects.get()
    assert (warning.address, warning.channel) == (old, By.SMS)
    assert "13912345678" not in notifications.text_of(warning)
    people.update(person=make_person(cast.tree.union, phone=False), by=cast.qiao, phone=old)
    assert Message.objects.count() == 1, "there was none before"


def test_a_message_that_stands_in_the_portal_already_is_not_told_twice_there(texts, cast: Cast):
    give(cast, "notices")
    withdraw(cast, "notices")
    notifications.template("consent_test", text="Told")
    notifications.queue_portal_message(
        topic="subsidy", key="1", template="consent_test", recipient=cast.lin_person.pk,
        subject=cast.lin_person,
    )  # fmt: skip
    assert sent(tell(cast.lin_person)) == (By.SMS, MessageState.SENT, "portal")


def test_every_purpose_says_what_its_withdrawal_means(cast: Cast):
    assert len({consents.explain(purpose) for purpose in ConsentPurpose}) == len(ConsentPurpose)


def test_no_log_entry_holds_words_of_a_text(texts, cast: Cast):
    give(cast)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(detail::text, ' ') FROM union_portal_auditentry")
        told = cursor.fetchone()[0]
    assert "样例" not in told


def test_an_empty_text_is_no_text(cast: Cast):
    with pytest.raises(Refused, match="missing"):
        consents.draft(purpose="card", text=" ", text_en="A", valid_from=TODAY, by=cast.rules_clerk)
    assert standing_consents(cast.lin_person, "card").count() == 0
