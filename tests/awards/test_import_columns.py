"""Honours on the sheet of people: checked whole, entered once."""

from awards.models import Honour, ModelWorker
from awards.states import HonourState
from members.models import ImportFinding, Person
from tests.cast import Cast
from tests.members.sheets import HEADERS, as_csv, bring_in, make_rows, upload
from union_portal import lifecycle

MORE = (
    "荣誉称号",
    "荣誉级别",
    "授予日期",
    "证书编号",
    "劳模类别",
    "是否农民劳模",
    "丧失劳动能力日期",
)


def rows(cast: Cast, count: int = 3) -> list[dict[str, str]]:
    honour = {
        "荣誉称号": "榆林市劳动模范",
        "荣誉级别": "市级",
        "授予日期": "2010-04-28",
        "劳模类别": "农村",
        "是否农民劳模": "是",
        "丧失劳动能力日期": "",
    }
    return [
        {**row, **honour, "证书编号": f"Z{number}"}
        for number, row in enumerate(make_rows(cast.tree.union, count))
    ]


def sheet(lines: list[dict[str, str]]) -> bytes:
    return as_csv(lines, headers=(*HEADERS, *MORE))


def messages() -> set[tuple[str, str]]:
    return set(ImportFinding.objects.values_list("column", "message_id"))


def test_an_import_enters_model_workers_and_the_same_file_changes_nothing(cast: Cast):
    content = sheet(rows(cast))
    first = bring_in(content, by=cast.officer, organization=cast.tree.city)
    assert first.result["model_worker"] == 3
    assert ModelWorker.objects.filter(kind="rural", is_farmer=True).count() == 3
    assert set(Honour.objects.values_list("certificate_no", flat=True)) == {"Z0", "Z1", "Z2"}
    again = bring_in(content, by=cast.officer, organization=cast.tree.city)
    assert (again.unchanged_count, again.result["model_worker"]) == (3, 0)


def test_a_changed_class_shows_as_a_change(cast: Cast):
    bring_in(sheet(rows(cast)), by=cast.officer, organization=cast.tree.city)
    changed = rows(cast)
    changed[0]["劳模类别"] = "文化"
    run = bring_in(sheet(changed), by=cast.officer, organization=cast.tree.city)
    assert (run.changed_count, run.result["model_worker"]) == (1, 1)


def test_a_clerk_without_the_right_is_told_and_enters_no_honour(cast: Cast):
    run = upload(sheet(rows(cast)), by=cast.qiao, organization=cast.tree.union)
    assert run.error_count == 3
    assert ("荣誉称号", "Your role does not enter honours.") in messages()


def test_a_certificate_number_belongs_to_one_person(cast: Cast):
    doubled = rows(cast)
    doubled[1]["证书编号"] = "Z0"
    run = upload(sheet(doubled), by=cast.officer, organization=cast.tree.city)
    assert run.error_count == 2
    bring_in(sheet(rows(cast)), by=cast.officer, organization=cast.tree.city)
    taken = rows(cast, 4)[3:]
    taken[0]["证书编号"] = "Z0"
    upload(sheet(taken), by=cast.officer, organization=cast.tree.city)
    assert ("证书编号", "Another person holds this certificate number.") in messages()


def test_a_title_has_one_level(cast: Cast):
    mixed = rows(cast)
    mixed[0]["荣誉级别"] = "省级"
    run = upload(sheet(mixed), by=cast.officer, organization=cast.tree.city)
    assert run.error_count == 3
    bring_in(sheet(rows(cast)), by=cast.officer, organization=cast.tree.city)
    upload(sheet(mixed[:1]), by=cast.officer, organization=cast.tree.city)
    assert ("荣誉级别", "This title is on the list of titles with another level.") in messages()


def test_a_revoked_honour_is_not_conferred_again_by_a_sheet(cast: Cast):
    bring_in(sheet(rows(cast)), by=cast.officer, organization=cast.tree.city)
    person = Person.objects.get(honours__certificate_no="Z1")
    lifecycle.advance(
        person.honours.get(),
        to=HonourState.REVOKED,
        by=cast.officer,
        revoked_on=person.honours.get().conferred_on,
        revoked_reason="doc",
    )
    run = bring_in(sheet(rows(cast)), by=cast.officer, organization=cast.tree.city)
    assert run.warning_count == 1
    assert person.honours.get().state == HonourState.REVOKED
