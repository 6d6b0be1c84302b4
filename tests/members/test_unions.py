"""Official fields, yearly reports and the statistics counted of them: rows in, sums out."""

import io
import random
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from django.core.exceptions import PermissionDenied

from members import resources, tasks  # noqa: F401  (registers the jobs)
from members.actions import memberships, profiles, statistics, transfers, unions
from members.models import Membership, UnionProfile, UnionYear, YearStatistics
from members.queries import memberships as reads
from members.queries import statistics as counted
from members.rules.unions import UnionRefused
from members.states import MembershipState
from tests.cast import NOW, TODAY, Cast, make_person
from tests.members.joining import clerk, member
from tests.reports.pdftools import texts
from union_portal import files, queue, reports
from union_portal.access import Permission
from union_portal.kit import fictional
from union_portal.kit.credit_code import CreditCodeError
from union_portal.models import AuditEntry, Organization, ReportRun
from union_portal.states import ReportState

pytestmark = pytest.mark.django_db
LAST = date(2025, 12, 31)


def test_official_fields_are_written_once_a_union_and_logged_by_name(cast: Cast):
    code = fictional.make_credit_code(random.Random(1), category="91")
    values = {"organization": cast.tree.union, "by": cast.qiao, "today": TODAY}
    unions.describe(employer_code=f" {code.lower()} ", industry="G", **values)
    unions.describe(employer_nature="170", committee_on=date(2025, 1, 1), **values)
    profile = UnionProfile.objects.get()
    assert (profile.employer_code, profile.industry, profile.employer_nature) == (code, "G", "170")
    logged = AuditEntry.objects.filter(action="unionprofile.describe").order_by("id")
    assert [entry.detail["columns"] for entry in logged] == [
        ["employer_code", "industry"],
        ["committee_on", "employer_nature"],
    ]


def test_wrong_fields_are_refused_and_nothing_is_left(cast: Cast):
    values = {"organization": cast.tree.union, "by": cast.qiao, "today": TODAY}
    with pytest.raises(CreditCodeError):
        unions.describe(employer_code="91610802MA00000000", **values)
    with pytest.raises(UnionRefused):
        unions.describe(committee_until=date(2030, 1, 1), **values)
    assert not UnionProfile.objects.exists()


@pytest.mark.parametrize("who", ["shi", "gao", "wei", "lin"])
def test_whoever_may_not_edit_unions_writes_neither(cast: Cast, who: str):
    values = {"organization": cast.tree.union, "by": getattr(cast, who), "today": TODAY}
    with pytest.raises(PermissionDenied):
        unions.describe(office="x", **values)
    with pytest.raises(PermissionDenied):
        unions.report_year(year=2025, workers_count=1, **values)


def report(cast: Cast, union: Organization | None = None, by=None, **figures) -> UnionYear:
    return unions.report_year(
        organization=union or cast.tree.union, year=2025, by=by or cast.qiao, today=TODAY, **figures
    )


def test_a_year_is_reported_once_and_corrected(cast: Cast):
    report(cast, workers_count=10, women_count=4, dues_fen=100_00)
    report(cast, workers_count=12, women_count=4, dues_fen=100_00)
    assert UnionYear.objects.get().workers_count == 12
    with pytest.raises(UnionRefused):
        report(cast, workers_count=3, women_count=4)
    assert UnionYear.objects.get().workers_count == 12


def a_year_of(cast: Cast) -> None:
    """2025: three stay in 榆阳, one leaves, one dies, one moves to 神木, one joins there."""
    tree = cast.tree
    for sex in ("female", "female", "male"):
        person = make_person(tree.union, sex=sex)
        profiles.fill(
            person=person,
            values={"is_farmer_worker": sex == "male", "hukou_type": "local_rural"},
            by=cast.qiao,
        )
        member(cast, person, on=date(2024, 5, 1))
    for to, on in (
        (MembershipState.WITHDRAWN, date(2025, 3, 1)),
        (MembershipState.RETIRED, date(2025, 4, 1)),
    ):
        held = member(cast, make_person(tree.union, sex="male"), on=date(2025, 1, 10))
        memberships.change(
            membership=held, to=to, on=on, reason="as asked", by=cast.qiao, today=TODAY
        )
    dead = make_person(tree.union, sex="male")
    member(cast, dead, on=date(2024, 5, 1))
    memberships.end_by_death(person=dead, died_on=LAST, by=cast.qiao, reason="certificate")
    moving = member(cast, make_person(tree.union, sex="male"), on=date(2024, 5, 1))
    far = clerk(tree.other_union)
    asked = transfers.request(
        membership=moving, target=tree.other_union, employer="x", reason="new work", by=far
    )
    transfers.release(transfer=asked, by=cast.qiao, now=NOW)
    transfers.accept(transfer=asked, by=far, today=date(2025, 7, 1), now=NOW)
    member(cast, make_person(tree.other_union, sex="female"), on=date(2025, 2, 1), by=far)
    report(cast, workers_count=20, cadres_count=1, dues_fen=123_45, other_income_fen=1_00)
    report(cast, tree.other_union, far, workers_count=5, retained_fen=10_00)
    unions.describe(organization=tree.union, by=cast.qiao, today=TODAY, employer_nature="170")


def line(table: counted.Table, name: str) -> dict[str, int]:
    [row] = [row for row in table.rows if row.name == name]
    return {one: getattr(row, one) for one in counted.FIGURES}


def test_the_year_is_counted_from_the_rows(cast: Cast):
    a_year_of(cast)
    table = counted.of_year(cast.tree.city, 2025)
    assert line(table, "榆阳区总工会") == {
        "unions": 3, "members": 4, "women": 2, "farmer_workers": 1, "joined": 2,
        "transferred_in": 0, "transferred_out": 1, "left": 2, "workers": 20, "cadres": 1,
        "income_fen": 124_45,
    }  # fmt: skip
    assert line(table, "神木市总工会") == {
        "unions": 2, "members": 2, "women": 1, "farmer_workers": 0, "joined": 1,
        "transferred_in": 1, "transferred_out": 0, "left": 0, "workers": 5, "cadres": 0,
        "income_fen": 10_00,
    }  # fmt: skip
    assert table.total.members == 6
    assert [(str(one.label), one.unions) for one in table.by_nature] == [("private", 1)]


def test_every_year_continues_the_one_before(cast: Cast):
    a_year_of(cast)
    before, now = (counted.of_year(cast.tree.city, year) for year in (2024, 2025))
    earlier = {row.name: row.members for row in before.rows}
    for row in now.rows:
        moved = row.joined + row.transferred_in - row.transferred_out - row.left
        assert row.members == earlier.get(row.name, 0) + moved, row.name


def test_a_county_counts_its_own_tree_by_union(cast: Cast):
    a_year_of(cast)
    table = counted.of_year(cast.tree.county, 2025)
    assert [row.members for row in table.rows if row.name == cast.tree.union.name] == [4]
    assert "神木市总工会" not in [row.name for row in table.rows]


def test_a_worker_counts_and_the_newest_count_stands(cast: Cast):
    member(cast, on=date(2025, 1, 1))
    for _time in range(2):
        statistics.request(organization=cast.tree.county, year=2025, by=cast.shi)
        queue.run_waiting()
        member(cast, make_person(cast.tree.union), on=date(2025, 1, 1))
    kept = YearStatistics.objects.get()
    assert counted.Table.from_json(kept.figures).total.members == 2
    with pytest.raises(PermissionDenied):
        statistics.request(organization=cast.tree.other_county, year=2025, by=cast.shi)


def test_counting_takes_a_handful_of_statements_however_many_there_are(
    cast: Cast, django_assert_num_queries
):
    a_year_of(cast)
    with django_assert_num_queries(6):
        counted.of_year(cast.tree.city, 2025)


def produced(cast: Cast, kind: str) -> ReportRun:
    a_year_of(cast)
    kept = statistics.count(organization=cast.tree.city, year=2025, now=NOW)
    run = reports.request(kind=kind, subject=kept, by=cast.officer, organization=kept.organization)
    queue.run_waiting()
    run.refresh_from_db()
    assert run.state == ReportState.READY, run.error
    return run


def test_the_spreadsheet_holds_the_figures_of_the_page(cast: Cast):
    run = produced(cast, "union_statistics_xlsx")
    with files.open_for(run.file) as content:
        book = openpyxl.load_workbook(io.BytesIO(content.read()))
    rows = {row[0]: row[1:] for row in book.worksheets[0].iter_rows(min_row=2, values_only=True)}
    assert rows["榆阳区总工会"][:8] == (3, 4, 2, 1, 2, None or 0, 1, 2)
    assert Decimal(str(rows["榆阳区总工会"][-1])) == Decimal("124.45")


def test_the_pdf_prints_every_line_and_the_digest_of_the_spreadsheet(cast: Cast, tmp_path: Path):
    run = produced(cast, "union_statistics_pdf")
    paper = tmp_path / "statistics.pdf"
    with files.open_for(run.file) as content:
        paper.write_bytes(content.read())
    text = "".join(texts(paper))
    for told in ("榆阳区总工会", "神木市总工会", "124.45", run.digest[:20]):
        assert told in text
    assert run.pages >= 1


def test_lists_of_members_and_unions_leave_masked_scoped_and_logged(cast: Cast):
    held = member(cast)
    far = member(cast, make_person(cast.tree.other_union))
    sheet = io.BytesIO()
    resources.write_memberships(
        sheet, reads.memberships_for(cast.shi, Permission.EXPORT), by=cast.shi, kind="csv"
    )
    text = sheet.getvalue().decode("utf-8-sig")
    assert held.person.national_id_shown in text
    assert str(held.person.national_id) not in text
    assert far.person.national_id_shown not in text
    book = io.BytesIO()
    resources.write_unions(book, by=cast.shi)
    [page] = openpyxl.load_workbook(book).worksheets
    names = {row[0] for row in page.iter_rows(min_row=2, values_only=True)}
    assert cast.tree.union.name in names
    assert cast.tree.other_union.name not in names
    for action in ("membership.export", "unionprofile.export"):
        assert AuditEntry.objects.filter(action=action, actor_id=cast.shi.pk).exists()
    with pytest.raises(PermissionDenied):
        resources.write_memberships(io.BytesIO(), Membership.objects.all(), by=cast.qiao)
