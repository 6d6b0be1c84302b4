"""What leaves as a sheet: the template, the findings, the preview, exports; and the small door."""

import csv
import io

import openpyxl
import pytest
import tablib
from django.core.exceptions import PermissionDenied

from members import queries
from members.models import BankAccount, Person
from members.resources import (
    PersonResource,
    write_findings,
    write_people,
    write_preview,
    write_template,
)
from members.rules import columns
from tests.cast import Cast, make_bank_account, make_payee, make_person
from tests.members.sheets import HEADERS, as_csv, bring_in, make_rows, upload
from union_portal.kit.refusals import Refused
from union_portal.models import AuditEntry

pytestmark = pytest.mark.django_db


def read(content: bytes) -> list[tuple]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return list(book.worksheets[0].iter_rows(values_only=True))


def written(write, *args, **more) -> bytes:
    target = io.BytesIO()
    write(target, *args, **more)
    return target.getvalue()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_template_filled_in_comes_back_as_people(cast: Cast, language: str):
    from django.utils import translation

    with translation.override(language):
        template = written(write_template)
    book = openpyxl.load_workbook(io.BytesIO(template))
    sheet = book.worksheets[0]
    names = {name: c.key for c in columns.all_columns() for name in (c.header, c.english)}
    keys = [names[str(cell.value).rstrip("*")] for cell in sheet[1]]
    row = make_rows(cast.tree.union, 1)[0]
    values = {c.key: row.get(c.header, "") for c in columns.PEOPLE}
    for place, key in enumerate(keys, start=1):
        sheet.cell(3, place).value = values.get(key) or None
    filled = io.BytesIO()
    book.save(filled)
    run = bring_in(filled.getvalue(), by=cast.qiao, organization=cast.tree.union)
    assert (run.rows_count, run.result["new"]) == (1, 1)


def test_the_template_offers_choices_and_keeps_numbers_as_text():
    book = openpyxl.load_workbook(io.BytesIO(written(write_template)))
    sheet = book.worksheets[0]
    offered = [v.formula1 for v in sheet.data_validations.dataValidation if v.type == "list"]
    assert offered
    header = [str(cell.value).rstrip("*") for cell in sheet[1]]
    place = next(n for n, text in enumerate(header, 1) if text in ("证件号码", "Identity number"))
    assert sheet.column_dimensions[openpyxl.utils.get_column_letter(place)].width > 18


def test_the_list_of_findings_names_row_column_value_and_remedy(cast: Cast):
    rows = make_rows(cast.tree.union, 2)
    rows[1]["手机号"] = "12345"
    run = upload(as_csv(rows), by=cast.qiao, organization=cast.tree.union)
    [_header, line] = read(written(write_findings, run))
    assert line == (
        3,
        "手机号",
        "*****",
        "error",
        "The phone number has 5 digits instead of 11.",
        "Enter a mobile number; landlines cannot receive messages.",
    )


def test_the_preview_names_what_every_row_would_change(cast: Cast):
    rows = make_rows(cast.tree.union, 2)
    bring_in(as_csv(rows[:1]), by=cast.qiao, organization=cast.tree.union)
    rows[0]["工作单位"] = "新单位"
    run = upload(as_csv(rows), by=cast.qiao, organization=cast.tree.union)
    lines = read(written(write_preview, run))[1:]
    assert [(line[4], line[5]) for line in lines] == [("changed", "employer"), ("new", None)]


class TestExports:
    @pytest.mark.parametrize("kind", ["xlsx", "csv"])
    def test_an_export_is_masked_and_logged(self, cast: Cast, kind):
        person = make_payee(cast)
        content = written(write_people, people=Person.objects.all(), by=cast.shi, kind=kind)
        text = repr(read(content)) if kind == "xlsx" else content.decode("utf-8-sig")
        assert person.national_id_shown in text
        for secret in (person.national_id, person.phone, person.bank_accounts.get().number):
            assert str(secret) not in text
        entry = AuditEntry.objects.get(action="person.export")
        assert (entry.actor_id, entry.detail["count"], entry.detail["masked"]) == (
            cast.shi.pk,
            2,
            True,
        )
        assert not queries.who_looked(person).exists()

    def test_people_outside_ones_reach_are_left_out(self, cast: Cast):
        far = make_person(cast.tree.other_union)
        content = written(write_people, people=Person.objects.all(), by=cast.shi, kind="csv")
        assert far.national_id_shown not in content.decode("utf-8-sig")

    def test_whole_numbers_need_a_reason_and_everyone_exported_sees_it(self, cast: Cast):
        person = make_payee(cast)
        people = Person.objects.filter(pk=person.pk)
        with pytest.raises(Refused, match="reason"):
            written(write_people, people=people, by=cast.shi, masked=False)
        content = written(
            write_people, people=people, by=cast.shi, masked=False, reason="bank asks"
        )
        assert str(person.national_id) in repr(read(content))
        [look] = queries.who_looked(person)
        assert (look.actor_id, look.reason, look.detail) == (
            cast.shi.pk,
            "bank asks",
            {"field": "export"},
        )
        assert not queries.who_looked(cast.lin_person).exists()

    @pytest.mark.parametrize("who", ["qiao", "gao", "wei", "lin", "decider"])
    def test_whoever_may_not_export_does_not(self, cast: Cast, who: str):
        with pytest.raises(PermissionDenied):
            written(write_people, people=Person.objects.all(), by=getattr(cast, who))

    def test_finance_exports_masked_numbers_only(self, cast: Cast):
        written(write_people, people=Person.objects.all(), by=cast.feng)
        with pytest.raises(PermissionDenied):
            written(
                write_people, people=Person.objects.all(), by=cast.feng, masked=False, reason="why"
            )

    @pytest.mark.parametrize("payload", ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "＝1+1"])
    def test_no_formula_leaves_alive(self, cast: Cast, payload: str):
        Person.objects.filter(pk=cast.lin_person.pk).update(employer=payload)
        content = written(write_people, people=Person.objects.all(), by=cast.shi, kind="csv")
        [line] = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))[1:]
        assert line[6].startswith("'")
        content = written(write_people, people=Person.objects.all(), by=cast.shi)
        sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
        assert sheet.cell(2, 7).data_type == "s"


class TestTheDoorForSmallFiles:
    def data(self, rows) -> tablib.Dataset:
        return tablib.Dataset(*[[row.get(h, "") for h in HEADERS] for row in rows], headers=HEADERS)

    def test_a_dry_run_shows_and_writes_nothing(self, cast: Cast):
        rows = make_rows(cast.tree.union, 2)
        before = Person.objects.count(), AuditEntry.objects.count()
        result = PersonResource().import_data(self.data(rows), dry_run=True, user=cast.qiao)
        assert not result.has_errors()
        assert not result.has_validation_errors()
        assert result.totals["new"] == 2
        assert (Person.objects.count(), AuditEntry.objects.count()) == before

    def test_the_same_rules_refuse_the_same_rows(self, cast: Cast):
        rows = make_rows(cast.tree.union, 3)
        rows[0]["证件号码"] = "612722600101002"
        rows[1]["工会名称"] = cast.tree.other_union.name
        result = PersonResource().import_data(self.data(rows), dry_run=True, user=cast.qiao)
        told = [str(row.error) for row in result.invalid_rows]
        assert "no longer valid" in told[0]
        assert "No union of this name" in told[1]
        assert len(told) == 2

    def test_rows_are_written_through_the_actions(self, cast: Cast):
        rows = make_rows(cast.tree.union, 2)
        for _turn in range(2):
            result = PersonResource().import_data(self.data(rows), dry_run=False, user=cast.qiao)
            assert not result.has_errors()
            assert not result.has_validation_errors()
        assert AuditEntry.objects.filter(action="person.register").count() == 2
        assert not AuditEntry.objects.filter(action="person.update").exists()
        assert set(BankAccount.objects.values_list("state", flat=True)) == {"proposed"}
        assert BankAccount.objects.count() == 2

    def test_its_export_holds_no_whole_number(self, cast: Cast):
        make_bank_account(cast.lin_person, entered_by=cast.qiao)
        text = PersonResource().export().csv
        assert str(cast.lin_person.national_id) not in text
        assert str(cast.lin_person.phone) not in text

    def test_whoever_may_not_import_does_not(self, cast: Cast):
        rows = make_rows(cast.tree.union, 1)
        result = PersonResource().import_data(self.data(rows), dry_run=False, user=cast.wei)
        assert result.has_errors()
        assert not Person.objects.filter(name=rows[0]["姓名"]).exists()
