"""A file of people: checked whole, shown, confirmed, written at once; twice changes nothing."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied

from members.actions import imports
from members.actions.refusals import PeopleRefused
from members.models import BankAccount, ImportFinding, Person, StagedPerson, StagedRow
from members.states import ImportState
from tests.cast import NOW, TODAY, Cast, make_account, make_person
from tests.members.sheets import as_csv, as_xlsx, bring_in, make_rows, told, upload
from union_portal import lifecycle
from union_portal.access import Role
from union_portal.kit.sheets import SheetError
from union_portal.models import AuditEntry, Job

pytestmark = pytest.mark.django_db


def people_as_written():
    columns = ["name", "national_id_index", "phone_index", "employer", "organization", "updated_at"]
    return list(Person.objects.order_by("pk").values_list(*columns))


def test_a_file_brings_people_and_their_proposed_accounts(cast: Cast):
    rows = make_rows(cast.tree.union, 20)
    run = bring_in(as_xlsx(rows), by=cast.qiao, organization=cast.tree.union)
    assert run.state == ImportState.APPLIED
    assert run.result["new"] == 20
    for row in rows:
        person = Person.objects.get(name=row["姓名"], employer=row["工作单位"])
        account = person.bank_accounts.get()
        assert person.national_id == row["证件号码"]
        assert person.phone == row["手机号"]
        assert (account.number, account.state, account.entered_by) == (
            row["银行账号"],
            "proposed",
            cast.qiao,
        )
        assert account.evidence == run.file


def test_a_check_writes_no_person(cast: Cast):
    before = people_as_written()
    run = upload(as_csv(make_rows(cast.tree.union, 3)), by=cast.qiao, organization=cast.tree.union)
    assert (run.state, run.new_count) == (ImportState.CHECKED, 3)
    assert people_as_written() == before


def test_the_same_file_twice_changes_nothing(cast: Cast):
    content = as_csv(make_rows(cast.tree.union, 30))
    bring_in(content, by=cast.qiao, organization=cast.tree.union)
    before, accounts = people_as_written(), BankAccount.objects.count()
    again = bring_in(content, by=cast.qiao, organization=cast.tree.union)
    assert (again.new_count, again.changed_count, again.unchanged_count) == (0, 0, 30)
    assert again.result["new"] == again.result["updated"] == again.result["accounts"] == 0
    assert people_as_written() == before
    assert BankAccount.objects.count() == accounts


def test_a_changed_row_updates_what_it_says_and_keeps_what_it_leaves_empty(cast: Cast):
    rows = make_rows(cast.tree.union, 2)
    bring_in(as_csv(rows), by=cast.qiao, organization=cast.tree.union)
    other = make_rows(cast.tree.union, 5, seed=9)[4]
    changed = {**rows[0], "手机号": other["手机号"], "工作单位": ""}
    run = upload(as_csv([changed, rows[1]]), by=cast.qiao, organization=cast.tree.union)
    preview = list(StagedRow.objects.filter(run=run).values_list("kind", "changed"))
    assert preview == [("changed", ["phone"]), ("unchanged", [])]
    imports.confirm(run=run, by=cast.qiao, now=NOW)
    run.refresh_from_db()
    imports.apply(run=run, today=TODAY, now=NOW)
    person = Person.objects.get(name=rows[0]["姓名"])
    assert (person.phone, person.employer) == (other["手机号"], rows[0]["工作单位"])


def test_a_new_account_of_a_known_person_waits_beside_the_one_in_use(cast: Cast):
    rows = make_rows(cast.tree.union, 1)
    bring_in(as_csv(rows), by=cast.qiao, organization=cast.tree.union)
    card = make_rows(cast.tree.union, 2, seed=5)[1]["银行账号"]
    run = bring_in(
        as_csv([{**rows[0], "银行账号": card}]), by=cast.qiao, organization=cast.tree.union
    )
    assert run.result["accounts"] == 1
    numbers = Person.objects.get(name=rows[0]["姓名"]).bank_accounts.values_list("number", "state")
    assert set(numbers) == {(rows[0]["银行账号"], "proposed"), (card, "proposed")}


def test_every_fault_of_every_row_is_listed_and_nothing_is_written(cast: Cast):
    rows = make_rows(cast.tree.union, 5)
    rows[0]["证件号码"] = "610802196001010000"
    rows[1]["手机号"] = "12345"
    rows[3]["工会名称"] = "没有这个工会"
    rows[3]["银行账号"] = "123"
    before = people_as_written()
    run = upload(as_csv(rows), by=cast.qiao, organization=cast.tree.union)
    assert {(row, column) for row, column, _severity, _text in told(run)} == {
        (2, "证件号码"),
        (3, "手机号"),
        (5, "工会名称"),
        (5, "银行账号"),
    }
    assert run.error_count == 4
    with pytest.raises(PeopleRefused, match="4 errors"):
        imports.confirm(run=run, by=cast.qiao, now=NOW)
    assert people_as_written() == before


def test_a_finding_never_shows_a_whole_number(cast: Cast):
    rows = make_rows(cast.tree.union, 4)
    rows[0]["证件号码"] = "610802196001010000"
    rows[1]["银行账号"] = "6222021234567890123"
    rows[2]["手机号"] = "10012345678"
    rows[3]["姓名"] = "13812345678"
    rows[3]["去世日期"] = "3/1/2024"
    run = upload(as_csv(rows), by=cast.qiao, organization=cast.tree.union)
    shown = list(ImportFinding.objects.filter(run=run).values_list("shown", flat=True))
    assert shown == [
        "610***********0000",
        "************0123",
        "100****5678",
        "138****5678",
        "3/1/2024",
    ]


def test_two_rows_of_one_number_are_both_refused(cast: Cast):
    rows = make_rows(cast.tree.union, 4)
    rows[2]["证件号码"] = rows[0]["证件号码"]
    rows[3] = rows[1]
    run = upload(as_csv(rows), by=cast.qiao, organization=cast.tree.union)
    doubles = [(row, text) for row, _column, _severity, text in told(run) if "ow" in text]
    assert doubles == [
        (2, "Row 4 holds another name with the same identity number."),
        (3, "The same person stands in row 5 too."),
        (4, "Row 2 holds another name with the same identity number."),
        (5, "The same person stands in row 3 too."),
    ]
    assert run.new_count == 0


def test_another_name_for_a_known_number_is_a_conflict_that_is_left_out_only_on_request(
    cast: Cast,
):
    rows = make_rows(cast.tree.union, 2)
    bring_in(as_csv(rows[:1]), by=cast.qiao, organization=cast.tree.union)
    renamed = {**rows[0], "姓名": "王另名"}
    run = upload(as_csv([renamed, rows[1]]), by=cast.qiao, organization=cast.tree.union)
    assert (run.conflict_count, run.new_count) == (1, 1)
    assert told(run)[0][2:] == (
        "conflict",
        "Somebody of another name is registered with this number.",
    )
    with pytest.raises(PeopleRefused, match="1 rows are in conflict"):
        imports.confirm(run=run, by=cast.qiao, now=NOW)
    imports.confirm(run=run, by=cast.qiao, now=NOW, without_conflicts=True)
    run.refresh_from_db()
    imports.apply(run=run, today=TODAY, now=NOW)
    assert not Person.objects.filter(name="王另名").exists()
    assert Person.objects.filter(name=rows[1]["姓名"]).exists()


def test_a_person_of_another_area_is_not_taken_over(cast: Cast):
    rows = make_rows(cast.tree.other_union, 1)
    bring_in(as_csv(rows), by=cast.officer, organization=cast.tree.city)
    rows[0]["工会名称"] = cast.tree.union.name
    run = upload(as_csv(rows), by=cast.qiao, organization=cast.tree.union)
    assert told(run) == [(2, "证件号码", "conflict", "The person is registered outside your area.")]


def test_a_union_outside_the_clerks_area_is_unknown_to_the_clerk(cast: Cast):
    rows = make_rows(cast.tree.sibling_union, 1)
    run = upload(as_csv(rows), by=cast.qiao, organization=cast.tree.union)
    assert [text for *_rest, text in told(run)] == ["No union of this name lies in your area."]


def test_a_row_without_a_union_goes_to_the_clerks_own(cast: Cast):
    rows = make_rows(cast.tree.union, 1)
    rows[0]["工会名称"] = ""
    bring_in(as_csv(rows), by=cast.qiao, organization=cast.tree.union)
    assert Person.objects.get(name=rows[0]["姓名"]).organization == cast.tree.union


def test_one_account_on_two_people_is_a_warning_and_no_obstacle(cast: Cast):
    rows = make_rows(cast.tree.union, 2)
    rows[1]["银行账号"] = rows[0]["银行账号"]
    run = bring_in(as_csv(rows), by=cast.qiao, organization=cast.tree.union)
    assert run.warning_count == 2
    assert {text for *_rest, text in told(run)} == {"2 people have this account."}


def test_a_rejected_account_is_not_proposed_again_by_a_file(cast: Cast):
    content = as_csv(make_rows(cast.tree.union, 1))
    bring_in(content, by=cast.qiao, organization=cast.tree.union)
    lifecycle.advance(BankAccount.objects.get(), to="rejected", by=cast.shi)
    run = bring_in(content, by=cast.qiao, organization=cast.tree.union)
    assert run.result["accounts"] == 0
    assert "rejected or retired" in told(run)[0][3]


def test_people_who_changed_since_the_preview_send_the_file_back_to_be_checked(cast: Cast):
    rows = make_rows(cast.tree.union, 2)
    run = upload(as_csv(rows), by=cast.qiao, organization=cast.tree.union)
    imports.confirm(run=run, by=cast.qiao, now=NOW)
    bring_in(as_csv(rows[:1]), by=cast.officer, organization=cast.tree.city)
    run.refresh_from_db()
    assert imports.apply(run=run, today=TODAY, now=NOW) is False
    run.refresh_from_db()
    assert run.state == ImportState.UPLOADED
    assert Job.objects.filter(key=f"import:{run.pk}:check").exists()
    assert not Person.objects.filter(name=rows[1]["姓名"]).exists()


def test_only_the_uploader_confirms(cast: Cast):
    run = upload(as_csv(make_rows(cast.tree.union, 1)), by=cast.qiao, organization=cast.tree.union)
    with pytest.raises(PeopleRefused, match="Somebody else"):
        imports.confirm(run=run, by=cast.officer, now=NOW)


@pytest.mark.parametrize("who", ["shi", "feng", "gao", "wei", "lin"])
def test_whoever_may_not_import_uploads_nothing(cast: Cast, who: str):
    with pytest.raises(PermissionDenied):
        upload(b"x", by=getattr(cast, who), organization=cast.tree.union)


def test_a_clerk_uploads_nothing_for_another_union(cast: Cast):
    with pytest.raises(PermissionDenied):
        upload(b"x", by=cast.qiao, organization=cast.tree.sibling_union)


def test_a_role_lost_since_the_upload_stops_the_confirmation(cast: Cast):
    clerk = make_account("zhao", role=Role.GRASSROOTS_CLERK, at=cast.tree.union)
    run = upload(as_csv(make_rows(cast.tree.union, 1)), by=clerk, organization=cast.tree.union)
    clerk.roles.all().delete()
    del clerk._held_roles
    with pytest.raises(PermissionDenied):
        imports.confirm(run=run, by=clerk, now=NOW)


def test_a_file_too_large_is_refused_at_the_door(cast: Cast):
    with pytest.raises(SheetError, match="larger than 20 MB"):
        upload(bytes(50 * 1024 * 1024), by=cast.qiao, organization=cast.tree.union)


def test_what_a_cancelled_or_forgotten_file_staged_is_gone(cast: Cast):
    rows = as_csv(make_rows(cast.tree.union, 2))
    given_up = upload(rows, by=cast.qiao, organization=cast.tree.union)
    imports.cancel(run=given_up, by=cast.qiao)
    forgotten = upload(rows, by=cast.qiao, organization=cast.tree.union)
    assert imports.sweep(now=NOW + timedelta(days=8)) == 1
    forgotten.refresh_from_db()
    assert forgotten.state == ImportState.CANCELLED
    assert not StagedPerson.objects.exists()


def test_a_written_file_leaves_no_staged_row_and_one_entry_in_the_log(cast: Cast):
    run = bring_in(
        as_csv(make_rows(cast.tree.union, 3)), by=cast.qiao, organization=cast.tree.union
    )
    assert not StagedPerson.objects.exists()
    entry = AuditEntry.objects.get(action="person.import")
    assert (entry.actor_id, entry.detail["run"], entry.detail["new"]) == (cast.qiao.pk, run.pk, 3)


def test_a_death_in_a_file_is_noted(cast: Cast):
    rows = make_rows(cast.tree.union, 1)
    bring_in(as_csv(rows), by=cast.qiao, organization=cast.tree.union)
    rows[0]["去世日期"] = "2026年2月1日"
    run = bring_in(as_csv(rows), by=cast.qiao, organization=cast.tree.union)
    assert run.result["updated"] == 1
    assert str(Person.objects.get(name=rows[0]["姓名"]).died_on) == "2026-02-01"


def test_no_staged_row_holds_a_number_in_the_open(cast: Cast):
    rows = make_rows(cast.tree.union, 1)
    upload(as_csv(rows), by=cast.qiao, organization=cast.tree.union)
    stored = repr(StagedPerson.objects.values())
    assert rows[0]["证件号码"] not in stored
    assert rows[0]["手机号"] not in stored
    assert rows[0]["银行账号"] not in stored


def test_a_known_person_named_again_by_hand_is_not_written_twice(cast: Cast):
    person = make_person(cast.tree.union)
    row = {"姓名": person.name, "证件号码": person.national_id}
    run = bring_in(as_csv([row]), by=cast.qiao, organization=cast.tree.union)
    assert (run.new_count, run.unchanged_count) == (0, 1)
