"""A sheet's membership columns: whoever has one becomes a member, once, without gap or double."""

from datetime import date, timedelta

import pytest

from members.actions import imports
from members.models import (
    MemberProfile,
    Membership,
    MembershipChange,
    MembershipTransfer,
    Person,
    StagedRow,
)
from members.resources import changed_labels
from members.states import LIVE_MEMBERSHIPS, MembershipState
from tests.cast import NOW, TODAY, Cast
from tests.members.sheets import MEMBER, as_csv, bring_in, make_rows, members_csv, told, upload
from union_portal import lifecycle

pytestmark = pytest.mark.django_db


def member_rows(union, count, **more):
    return [{**row, **MEMBER, **more} for row in make_rows(union, count)]


def changes():
    found = MembershipChange.objects.order_by("id")
    return list(found.values_list("old_state", "new_state", "on", "noted_by"))


def everything():
    """All rows that a file of members writes, as they are."""
    return [
        list(model.objects.order_by("pk").values_list())
        for model in (MemberProfile, Membership, MembershipChange)
    ] + [list(Person.objects.order_by("pk").values_list("pk", "organization", "updated_at"))]


def test_a_row_with_membership_columns_makes_a_member(cast: Cast):
    run = bring_in(
        members_csv(member_rows(cast.tree.union, 3)), by=cast.qiao, organization=cast.tree.union
    )
    assert (run.result["new"], run.result["memberships"], run.result["profiles"]) == (3, 3, 3)
    profile = MemberProfile.objects.order_by("pk")[0]
    assert (
        profile.ethnicity, profile.education, profile.political_status, profile.hukou_type,
        profile.employment, profile.technical_grade, profile.is_farmer_worker,
    ) == ("汉族", "college", "party", "local_rural", "employed", "senior", True)  # fmt: skip
    joined = date(2019, 3, 1)
    found = Membership.objects.values_list(
        "organization", "joined_on", "first_joined_on", "channel", "state"
    )
    assert set(found) == {(cast.tree.union.pk, joined, joined, "import", "active")}
    assert changes() == [("", "active", joined, cast.qiao.pk)] * 3


def test_a_row_without_them_makes_nobody_a_member(cast: Cast):
    rows = make_rows(cast.tree.union, 2)
    rows[1]["入会日期"] = ""
    run = bring_in(members_csv(rows), by=cast.qiao, organization=cast.tree.union)
    assert run.result["new"] == 2
    assert not Membership.objects.exists()
    assert not MemberProfile.objects.exists()


def test_an_empty_day_of_joining_is_the_day_of_the_import(cast: Cast):
    rows = [{**make_rows(cast.tree.union, 1)[0], "会籍状态": "保留会籍"}]
    bring_in(members_csv(rows), by=cast.qiao, organization=cast.tree.union)
    member = Membership.objects.get()
    assert (member.joined_on, member.state) == (TODAY, "retained")
    assert not MemberProfile.objects.exists()


def test_the_same_members_again_write_nothing(cast: Cast):
    content = members_csv(member_rows(cast.tree.union, 5))
    bring_in(content, by=cast.qiao, organization=cast.tree.union)
    before = everything()
    again = bring_in(content, by=cast.qiao, organization=cast.tree.union)
    assert (again.unchanged_count, again.changed_count) == (5, 0)
    done = ("new", "updated", "memberships", "profiles", "transferred", "turned", "corrected")
    assert {again.result[name] for name in done} == {0}
    assert everything() == before


def test_a_changed_field_updates_it_and_empty_cells_keep_the_others(cast: Cast):
    rows = member_rows(cast.tree.union, 2)
    bring_in(members_csv(rows), by=cast.qiao, organization=cast.tree.union)
    changed = {**rows[0], **dict.fromkeys(MEMBER, ""), "学历": "本科", "会籍状态": "退休"}
    run = upload(members_csv([changed, rows[1]]), by=cast.qiao, organization=cast.tree.union)
    preview = list(StagedRow.objects.filter(run=run).values_list("kind", "changed"))
    assert preview == [("changed", ["profile", "membership"]), ("unchanged", [])]
    assert changed_labels(preview[0][1]) == ["further fields", "membership"]
    imports.confirm(run=run, by=cast.qiao, now=NOW)
    run.refresh_from_db()
    imports.apply(run=run, today=TODAY, now=NOW)
    person = Person.objects.get(name=rows[0]["姓名"])
    assert (person.profile.education, person.profile.political_status) == ("bachelor", "party")
    assert person.profile.is_farmer_worker
    assert person.memberships.get().state == "retired"
    assert changes()[2:] == [("active", "retired", TODAY, cast.qiao.pk)]


def test_whoever_stands_in_another_union_is_transferred_without_a_gap(cast: Cast):
    rows = member_rows(cast.tree.union, 3, 会籍状态="保留会籍")
    bring_in(members_csv(rows), by=cast.officer, organization=cast.tree.city)
    # Two move, one of them by a sheet that says nothing of memberships.
    for row in rows[:2]:
        row["工会名称"] = cast.tree.other_union.name
    plain = [{key: row[key] for key in row if key not in MEMBER} for row in rows]
    content = members_csv([rows[0], plain[1], rows[2]])
    run = upload(content, by=cast.officer, organization=cast.tree.city)
    assert [row.changed for row in StagedRow.objects.filter(run=run)] == [
        ["organization", "membership"],
        ["organization", "membership"],
        [],
    ]
    imports.confirm(run=run, by=cast.officer, now=NOW)
    run.refresh_from_db()
    imports.apply(run=run, today=TODAY, now=NOW)
    run.refresh_from_db()
    assert run.result["transferred"] == 2
    for row in rows[:2]:
        person = Person.objects.get(name=row["姓名"])
        old, new = person.memberships.order_by("id")
        assert (old.state, old.ended_on, old.organization) == (
            "transferred", TODAY, cast.tree.union,
        )  # fmt: skip
        assert (new.state, new.joined_on, new.previous) == ("retained", TODAY, old)
        assert new.first_joined_on == date(2019, 3, 1)
        assert person.organization == new.organization == cast.tree.other_union
    assert changes()[3:] == [
        ("retained", "transferred", TODAY, cast.officer.pk),
        ("retained", "transferred", TODAY, cast.officer.pk),
        ("", "retained", TODAY, cast.officer.pk),
        ("", "retained", TODAY, cast.officer.pk),
    ]
    before = everything()
    again = bring_in(content, by=cast.officer, organization=cast.tree.city)
    assert (again.changed_count, everything()) == (0, before)


def test_a_member_whose_transfer_is_under_way_is_a_conflict(cast: Cast):
    [row] = member_rows(cast.tree.union, 1)
    bring_in(members_csv([row]), by=cast.officer, organization=cast.tree.city)
    MembershipTransfer.objects.create(
        membership=Membership.objects.get(), source=cast.tree.union,
        target=cast.tree.sibling_union, reason="moved", requested_by=cast.shi,
    )  # fmt: skip
    row["工会名称"] = cast.tree.other_union.name
    run = upload(members_csv([row]), by=cast.officer, organization=cast.tree.city)
    assert told(run) == [
        (2, "证件号码", "conflict", "A transfer of this person to another union is under way.")
    ]


def test_a_day_of_death_ends_the_membership_on_that_day(cast: Cast):
    [row] = member_rows(cast.tree.union, 1)
    bring_in(members_csv([row]), by=cast.qiao, organization=cast.tree.union)
    died = (TODAY - timedelta(days=9)).isoformat()
    content = members_csv([{**row, "去世日期": died}])
    run = bring_in(content, by=cast.qiao, organization=cast.tree.union)
    member = Membership.objects.get()
    assert (run.result["turned"], member.state, str(member.ended_on)) == (1, "deceased", died)
    assert MembershipChange.objects.get(new_state="deceased").on == member.ended_on
    again = bring_in(content, by=cast.qiao, organization=cast.tree.union)
    assert again.unchanged_count == 1


def test_an_ended_membership_is_not_renewed_by_an_old_sheet(cast: Cast):
    [row] = member_rows(cast.tree.union, 1)
    bring_in(members_csv([row]), by=cast.qiao, organization=cast.tree.union)
    member = Membership.objects.get()
    left = TODAY - timedelta(days=30)
    lifecycle.advance(member, to=MembershipState.WITHDRAWN, by=cast.shi, ended_on=left)
    run = upload(members_csv([row]), by=cast.qiao, organization=cast.tree.union)
    assert run.unchanged_count == 1
    assert told(run) == [
        (2, "入会日期", "warning", f"The membership ended on {left}; the row does not renew it.")
    ]
    # With the new day of joining it does.
    run = bring_in(
        members_csv([{**row, "入会日期": TODAY.isoformat()}]),
        by=cast.qiao,
        organization=cast.tree.union,
    )
    assert run.result["memberships"] == 1
    assert Membership.objects.filter(state__in=LIVE_MEMBERSHIPS).get().joined_on == TODAY


def test_the_register_stands_against_a_later_day_and_a_step_that_there_is_not(cast: Cast):
    [row] = member_rows(cast.tree.union, 1, 会籍状态="退休")
    bring_in(members_csv([row]), by=cast.qiao, organization=cast.tree.union)
    later = {**row, "入会日期": "2020-01-01", "会籍状态": "保留会籍"}
    run = upload(members_csv([later]), by=cast.qiao, organization=cast.tree.union)
    assert run.unchanged_count == 1
    assert [text for *_place, text in told(run)] == [
        "In this union since 2019-03-01 according to the register; that stays.",
        "The membership is that of somebody retired; it stays so.",
    ]
    earlier = {**row, "入会日期": "2011-05-01"}
    run = bring_in(members_csv([earlier]), by=cast.qiao, organization=cast.tree.union)
    member = Membership.objects.get()
    assert run.result["corrected"] == 1
    assert (member.first_joined_on, member.joined_on) == (date(2011, 5, 1), date(2019, 3, 1))


CELLS = {
    "ethnicity": ({"民族": "火星族"}, "none of the 56 ethnic groups"),
    "education": ({"学历": "幼儿园"}, "“幼儿园” is not one of the choices."),
    "party": ({"政治面貌": "x"}, "“x” is not one of the choices."),
    "hukou": ({"户籍类型": "农村", "是否农民工": ""}, "“农村” is not one of the choices."),
    "farmer worker": ({"是否农民工": "也许"}, "Neither yes nor no."),
    "urban farmer worker": (
        {"户籍类型": "本地非农业"}, "A farmer worker has an agricultural hukou.",
    ),
    "ended": ({"会籍状态": "退会"}, "A sheet ends no membership."),
    "future": ({"入会日期": "2031-01-01"}, "The day of joining lies in the future."),
    "a child": ({"入会日期": "1955-01-01"}, "Nobody joins a union before the age of 16."),
    "no day": ({"入会日期": "2019.3"}, "The day of the date is missing."),
    "words": ({"入会日期": "去年"}, "This is not a complete date."),
}  # fmt: skip


@pytest.mark.parametrize("fault", CELLS)
def test_a_faulty_membership_cell_is_named_with_its_remedy(cast: Cast, fault: str):
    change, message = CELLS[fault]
    rows = member_rows(cast.tree.union, 3)
    rows[1] |= change
    run = upload(members_csv(rows), by=cast.qiao, organization=cast.tree.union)
    [(row, column, severity, text)] = told(run)
    assert (row, severity) == (3, "error")
    assert column in change or column == "是否农民工"
    assert message in text


@pytest.mark.parametrize(
    "written",
    [
        "2019-3-1",
        "2019/03/01",
        "2019年3月1日",
        "20190301",
        "2019.3.1",
        "２０１９－０３－０１",
        "43525",
    ],
)
def test_a_day_is_read_in_every_spelling(cast: Cast, written: str):
    rows = member_rows(cast.tree.union, 1, 入会日期=written)
    run = bring_in(members_csv(rows), by=cast.qiao, organization=cast.tree.union)
    assert Membership.objects.get().joined_on == date(2019, 3, 1)
    is_number = written == "43525"
    assert [text for *_place, text in told(run)] == (
        ["The spreadsheet's day number was read as 2019-03-01."] if is_number else []
    )


def test_words_of_offices_are_understood(cast: Cast):
    words = {
        "民族": "回", "学历": "大学本科", "政治面貌": "党员", "户籍类型": "外地农村",
        "就业状况": "下岗", "技能等级": "初级工（五级）", "是否农民工": "yes", "会籍状态": "在会",
    }  # fmt: skip
    rows = member_rows(cast.tree.union, 1, **words)
    run = bring_in(members_csv(rows), by=cast.qiao, organization=cast.tree.union)
    profile = MemberProfile.objects.get()
    assert told(run) == []
    assert (profile.ethnicity, profile.education, profile.technical_grade) == (
        "回族", "bachelor", "junior",
    )  # fmt: skip


def test_a_sheet_without_the_columns_leaves_members_as_they_are(cast: Cast):
    bring_in(
        members_csv(member_rows(cast.tree.union, 2)), by=cast.qiao, organization=cast.tree.union
    )
    before = everything()
    run = bring_in(
        as_csv(make_rows(cast.tree.union, 2)), by=cast.qiao, organization=cast.tree.union
    )
    assert (run.unchanged_count, everything()) == (2, before)
