"""Batches for the bank and its answers: made once, sent, judged row by row, harmless twice."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from members.actions import card_banks, card_batches, card_results, cards
from members.actions.refusals import CardRefused
from members.models import CardBatch, CardResultFile, CardResultRow, Consent, ServiceCard
from members.rules.card_applicants import ConditionsRefused
from members.rules.card_files import CardFileRefused
from members.rules.card_layouts import SAMPLES, LayoutRefused
from members.states import CardBatchState, CardState
from tests.cast import NOW, TODAY, Cast
from tests.kernel.attacks import refused_by
from tests.members.card_office import TITLES, CardOffice, make_card_office, written
from union_portal import files, lifecycle
from union_portal.kit.sheets import SheetData, write_xlsx
from union_portal.models import FileDownload, Message, StoredFile

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(cast: Cast) -> CardOffice:
    return make_card_office(cast)


def content_of(batch: CardBatch) -> str:
    assert batch.file is not None
    with files.open_for(batch.file) as stream:
        return stream.read().decode("gb18030")


def make(office: CardOffice, **more: Any) -> CardBatch:
    fields: dict[str, Any] = {
        "bank": office.bank, "organization": office.cast.tree.city, "by": office.cast.officer,
        "today": TODAY, "now": NOW,
    }  # fmt: skip
    return card_batches.make(**{**fields, **more})


# -- making ------------------------------------------------------------------------------------
def test_a_batch_holds_every_approved_application_in_one_file_made_once(office: CardOffice):
    card, early = office.ready(), office.applied()
    batch = office.made(1)
    rows = content_of(batch).split("\r\n")
    assert batch.number == "DEMO-20260302-01"
    assert (batch.cards_count, len(rows)) == (2, 4)
    assert str(card.person.national_id) in rows[1]
    assert early.person.name not in content_of(batch)
    assert ServiceCard.objects.filter(batch=batch).count() == 2
    with pytest.raises(CardRefused, match="No approved application"):
        office.made()


def test_what_was_approved_after_the_cut_off_day_waits_for_the_next_month(cast: Cast):
    office = make_card_office(cast, cut_off_day=20)
    early, late = office.ready(), office.ready()
    for card, day in ((early, 20), (late, 21)):
        moment = timezone.make_aware(datetime(2026, 3, day, 23, 30))
        ServiceCard.objects.filter(pk=card.pk).update(approved_at=moment)
    march = make(office, today=date(2026, 3, 25))
    assert list(march.cards.all()) == [early]
    april = make(office, today=date(2026, 4, 1))
    assert list(april.cards.all()) == [late]


def test_a_batch_may_be_of_one_county(office: CardOffice):
    office.ready()
    with pytest.raises(CardRefused):
        make(office, organization=office.cast.tree.other_county)
    assert make(office, organization=office.cast.tree.county).cards_count == 1


def test_nothing_is_given_to_the_bank_of_who_no_longer_agrees(office: CardOffice):
    card, other = office.ready(), office.ready()
    Consent.objects.filter(person=card.person).update(withdrawn_at=timezone.now())
    assert list(office.made().cards.all()) == [other]


def test_a_file_holds_no_more_than_the_bank_takes(cast: Cast):
    office = make_card_office(cast, layout={**SAMPLES["sample-text"], "most_rows": 2})
    assert office.made(3).cards_count == 2
    assert office.made().cards_count == 1


def test_a_name_that_the_bank_can_not_read_stops_the_batch_and_nothing_is_kept(cast: Cast):
    office = make_card_office(cast, layout={**SAMPLES["sample-text"], "encoding": "gbk"})
    office.ready(office.member(name="张㛃"))
    with pytest.raises(CardFileRefused, match="Row 1") as caught:
        office.made()
    assert len(caught.value.faults) == 1
    assert not CardBatch.objects.exists()
    assert not ServiceCard.objects.filter(batch__isnull=False).exists()


@pytest.mark.parametrize("who", ["qiao", "shi", "decider", "gao", "feng", "wei"])
def test_only_who_deals_with_the_bank_makes_a_batch_or_fetches_it(office: CardOffice, who: str):
    by = getattr(office.cast, who)
    batch = office.made(1)
    with pytest.raises(PermissionDenied):
        make(office, by=by)
    with pytest.raises(PermissionDenied):
        card_batches.fetch(batch=batch, by=by, reason="look")
    assert not files.may_fetch(by, batch.file)


# -- sending -----------------------------------------------------------------------------------
def test_a_batch_is_sent_after_its_file_was_fetched_and_each_fetch_is_kept(office: CardOffice):
    batch = office.made(2)
    with pytest.raises(CardRefused, match="Nobody has fetched"):
        card_batches.mark_sent(batch=batch, by=office.cast.officer, now=NOW)
    name, content = card_batches.fetch(batch=batch, by=office.cast.officer, reason="to the bank")
    assert (name, content) == (f"{batch.number}.csv", content_of(batch).encode("gb18030"))
    assert FileDownload.objects.get().reason == "to the bank"
    assert card_batches.mark_sent(batch=batch, by=office.cast.officer, now=NOW) == 2
    states = set(batch.cards.values_list("state", flat=True))
    assert states == {CardState.SENT_TO_BANK}
    refused_by("card_batch_frozen", "UPDATE members_cardbatch SET cards_count = 1")


def test_a_file_with_somebody_who_called_it_off_is_not_given_out(office: CardOffice):
    card = office.ready()
    batch = office.made(1)
    cards.cancel(card=card, by=office.cast.qiao, now=NOW, reason="moved away")
    with pytest.raises(CardRefused, match="1 applications in the file have ended"):
        card_batches.fetch(batch=batch, by=office.cast.officer, reason="to the bank")
    card_batches.cancel(batch=batch, by=office.cast.officer, reason="made anew")
    again = office.made()
    assert (again.cards_count, again.number) == (1, "DEMO-20260302-02")


def test_who_calls_off_while_the_file_is_on_its_way_stays_off(office: CardOffice):
    card = office.ready()
    batch = office.made(1)
    card_batches.fetch(batch=batch, by=office.cast.officer, reason="to the bank")
    cards.cancel(card=card, by=office.cast.qiao, now=NOW, reason="moved away")
    assert card_batches.mark_sent(batch=batch, by=office.cast.officer, now=NOW) == 1
    office.take(batch, office.says(batch))
    row = CardResultRow.objects.get(card=card)
    assert str(row).endswith(row.get_verdict_display())
    card.refresh_from_db()
    assert (row.verdict, card.state) == ("late", CardState.CANCELLED)


def test_a_batch_that_is_sent_is_not_cancelled(office: CardOffice):
    batch = office.sent(1)
    with pytest.raises(lifecycle.Stale):
        card_batches.cancel(batch=batch, by=office.cast.officer, reason="too late")


# -- the bank's answer ---------------------------------------------------------------------------
def test_an_answer_issues_what_it_grants_and_returns_what_it_refuses(office: CardOffice):
    batch = office.sent(3)
    content = office.says(batch, (1, 3, ""), (1, 4, "失败"), (1, 5, "证件过期"))
    file = office.take(batch, content)
    first, second, third = batch.cards.order_by("batch_row")
    assert (first.state, first.issued_on) == (CardState.ISSUED, TODAY)
    assert str(first.number) == office.numbers[0]
    assert first.last_four == office.numbers[0][-4:]
    assert (second.state, second.reason, second.last_four) == (
        CardState.CITY_REVIEW, "证件过期", "",
    )  # fmt: skip
    assert third.state == CardState.ISSUED
    batch.refresh_from_db()
    assert (batch.state, file.rows_count) == (CardBatchState.ANSWERED, 3)
    assert card_results.verdicts(file.rows.all()) == {"issued": 2, "refused": 1}
    assert Message.objects.filter(template="card_issued").count() == 2
    assert Message.objects.filter(template="card_refused").count() == 1


def test_the_same_bytes_twice_are_harmless(office: CardOffice):
    batch = office.sent(2)
    content = office.says(batch)
    first = office.take(batch, content)
    rows, messages = CardResultRow.objects.count(), Message.objects.count()
    again = office.take(batch, content)
    assert again == first
    assert (CardResultFile.objects.count(), CardResultRow.objects.count()) == (1, rows)
    assert Message.objects.count() == messages
    assert StoredFile.objects.filter(purpose=card_results.PURPOSE).count() == 1


def test_a_file_of_another_batch_is_not_taken_in_here(office: CardOffice):
    batch = office.sent(1)
    content = office.says(batch)
    office.take(batch, content)
    other = office.sent(1)
    with pytest.raises(CardRefused, match=batch.number):
        office.take(other, content)


def test_an_answer_imported_at_another_batch_can_still_be_imported_at_its_own(office: CardOffice):
    mine, other = office.sent(2), office.sent(2)
    content = office.says(mine)
    with pytest.raises(CardFileRefused):
        office.take(other, content)
    assert not CardResultFile.objects.exists()
    assert not StoredFile.objects.filter(purpose=card_results.PURPOSE).exists()
    file = office.take(mine, content)
    assert card_results.verdicts(file.rows.all()) == {"issued": 2}


def test_the_same_answer_in_other_bytes_changes_nothing_either(office: CardOffice):
    batch = office.sent(2)
    content = office.says(batch)
    office.take(batch, content)
    again = office.take(batch, content.replace(b'"', b""))
    assert card_results.verdicts(again.rows.all()) == {"repeat": 2}


def test_good_rows_are_applied_and_the_others_wait_for_a_person(office: CardOffice):
    batch = office.sent(5)
    rows = office.rows(batch)
    rows[1][1] = "王另名"
    rows[2][3] = "6299990000000000013"
    rows[3][2] = rows[4][2]
    rows.append(["99", "张三", "612725198005014028", office.number(), "成功", ""])
    file = office.take(batch, written(rows))
    verdicts = [str(one.verdict) for one in file.rows.order_by("row")]
    assert verdicts == [
        "issued", "other_person", "bad_number", "other_person", "issued", "unknown",
    ]  # fmt: skip
    batch.refresh_from_db()
    assert batch.state == CardBatchState.SENT
    assert batch.cards.filter(state=CardState.SENT_TO_BANK).count() == 3
    assert card_results.for_a_person(file.rows.all()).count() == 4
    mended = [row for row in office.rows(batch) if row[0] in ("2", "3", "4")]
    office.take(batch, written(mended))
    batch.refresh_from_db()
    assert batch.state == CardBatchState.ANSWERED


def test_no_whole_number_stands_in_a_row_as_shown(office: CardOffice):
    batch = office.sent(1)
    office.take(batch, office.says(batch))
    row = CardResultRow.objects.get()
    card = row.card
    assert card is not None
    assert str(card.number) not in row.shown
    assert str(card.person.national_id) not in row.shown
    assert row.shown.endswith(card.last_four)


def test_a_number_of_another_card_is_given_to_nobody(office: CardOffice):
    held = office.issued()
    batch = office.sent(3)
    rows = office.rows(batch)
    rows[0][3] = str(held.number)
    rows[2][3] = rows[1][3]
    file = office.take(batch, written(rows))
    assert card_results.verdicts(file.rows.all()) == {"number_taken": 3}
    assert batch.cards.filter(fingerprint__isnull=False).count() == 0


def test_a_number_of_another_bank_is_given_to_nobody(office: CardOffice):
    batch = office.sent(1)
    file = office.take(batch, office.says(batch, (0, 3, "6228480000000000003")))
    assert card_results.verdicts(file.rows.all()) == {"bad_number": 1}


def test_another_number_for_a_card_that_has_one_is_late(office: CardOffice):
    batch = office.sent(1)
    office.take(batch, office.says(batch))
    file = office.take(batch, office.says(batch))
    assert card_results.verdicts(file.rows.all()) == {"late": 1}
    assert str(batch.cards.get().number) == office.numbers[0]


def test_who_was_refused_is_approved_again_and_goes_into_another_batch(office: CardOffice):
    batch = office.sent(1)
    refusal = office.says(batch, (0, 3, ""), (0, 4, "失败"))
    office.take(batch, refusal)
    card = batch.cards.get()
    again = office.take(batch, refusal.replace(b"\r\n", b"\n"))
    assert card_results.verdicts(again.rows.all()) == {"repeat": 1}
    # The first batch is over for it: its rows may not touch the second.
    ServiceCard.objects.filter(pk=card.pk).update(batch=None, batch_row=None)
    card.refresh_from_db()
    cards.approve(card=card, by=office.cast.officer, now=NOW)
    second = office.sent()
    assert second.cards.get() == card
    with pytest.raises(CardFileRefused, match=f"No row .* {batch.number}"):
        office.take(batch, office.says(second))
    office.take(second, office.says(second))
    card.refresh_from_db()
    assert card.state == CardState.ISSUED


def test_an_answer_before_the_file_was_sent_is_not_taken(office: CardOffice):
    batch = office.made(1)
    with pytest.raises(CardRefused, match="not with the bank"):
        office.take(batch, office.says(batch))


@pytest.mark.parametrize("who", ["qiao", "shi", "gao", "wei"])
def test_only_who_deals_with_the_bank_takes_an_answer_in(office: CardOffice, who: str):
    batch = office.sent(1)
    content = office.says(batch)
    with pytest.raises(PermissionDenied):
        office.take(batch, content, by=getattr(office.cast, who))


@pytest.mark.parametrize("content", [b"", b"\r\n", b"x", b"\x00" * 100, b"PK\x03\x04" + b"x" * 60])
def test_what_is_no_answer_leaves_nothing(office: CardOffice, content: bytes):
    batch = office.sent(1)
    with pytest.raises(CardFileRefused):
        office.take(batch, content)
    assert not CardResultFile.objects.exists()
    assert not StoredFile.objects.filter(purpose=card_results.PURPOSE).exists()


def test_fifty_megabytes_are_refused_unread(office: CardOffice):
    batch = office.sent(1)
    with pytest.raises(CardFileRefused, match="larger than 20 MB"):
        office.take(batch, bytes(50 << 20))


def test_a_workbook_is_read_where_it_can_do_no_harm(cast: Cast):
    office = make_card_office(cast, layout=SAMPLES["sample-workbook"], prefixes="")
    batch = office.sent(2)
    sheet = BytesIO()
    rows = [
        [f"C{card.pk:08d}", *row[1:4], code, ""]
        for card, row, code in zip(
            batch.cards.order_by("batch_row"), office.rows(batch), ("00", "02"), strict=True
        )
    ]
    write_xlsx(sheet, [SheetData("结果", ["申请编号", *TITLES[1:]], rows)])
    file = office.take(batch, sheet.getvalue(), name="result.xlsx")
    assert card_results.verdicts(file.rows.all()) == {"issued": 1, "refused": 1}
    for broken in (b"PK\x03\x04" + bytes(60), b"\x89PNG\r\n\x1a\n" + bytes(range(256))):
        with pytest.raises(CardFileRefused) as caught:
            office.take(batch, broken)
        assert caught.value.__context__ is None


def test_history_of_answers_is_never_changed(office: CardOffice):
    batch = office.sent(1)
    office.take(batch, office.says(batch))
    refused_by("card_result_row_append_only", "UPDATE members_cardresultrow SET verdict = 'late'")
    refused_by("card_result_file_append_only", "DELETE FROM members_cardresultfile")
    refused_by("card_batch_no_delete", "DELETE FROM members_cardbatch")


# -- banks ----------------------------------------------------------------------------------------
def describe(office: CardOffice, **more: Any):
    fields: dict[str, Any] = {
        "code": "DEMO", "name": "榆林示范银行", "hotline": "95000",
        "layout": SAMPLES["sample-text"], "by": office.cast.rules_clerk,
    }  # fmt: skip
    return card_banks.describe(**{**fields, **more})


def test_a_bank_is_described_by_the_rules_office_and_what_can_not_work_is_refused(
    office: CardOffice,
):
    assert describe(office, prefixes="622848, 622849").prefixes == "622848 622849"
    with pytest.raises(LayoutRefused):
        describe(office, layout={"kind": "delimited"})
    with pytest.raises(ConditionsRefused):
        describe(office, conditions={"colour": "red"})
    with pytest.raises(CardRefused, match="first digits"):
        describe(office, prefixes="abc")
    with pytest.raises(PermissionDenied):
        describe(office, by=office.cast.officer)


def test_a_layout_stays_while_a_batch_relies_on_it(office: CardOffice):
    batch = office.sent(1)
    with pytest.raises(CardRefused, match="1 batches"):
        describe(office, layout=SAMPLES["sample-workbook"])
    describe(office, name="New name")
    office.take(batch, office.says(batch))
    describe(office, layout=SAMPLES["sample-workbook"])


def test_the_cut_off_day_is_one_that_every_month_has(office: CardOffice):
    refused_by(
        "card_bank_cut_off_day_of_every_month", "UPDATE members_cardbank SET cut_off_day = 31"
    )
    assert timedelta(days=27) + TODAY.replace(day=1) == TODAY.replace(day=28)
