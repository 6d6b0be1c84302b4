"""Parts of the demo: its days, its roster, its papers, its words."""

from datetime import date, timedelta

import pytest
from django.core.management import CommandError, call_command

from awards.states import CaseState
from tests.cast import Cast
from union_portal import workdays
from union_portal.demo import cast as players
from union_portal.demo import documents, federation, roster, waiting, words
from union_portal.demo.setting import DAYS_BACK, Setting
from union_portal.demo.waiting import DemoStopped
from union_portal.kit import identity, uploads
from union_portal.kit.sheets import reading
from union_portal.models import Holiday, Organization
from welfare.disbursement import gate


def setting(cast: Cast, today: date) -> Setting:
    made = Setting(today)
    made.city = cast.tree.city
    made.staff = {"he": cast.officer}
    return made


@pytest.mark.parametrize("day", [date(2026, 11, 24), date(2026, 10, 9), date(2026, 2, 25)])
def test_the_past_is_a_working_day_whose_notice_has_ended(cast: Cast, day: date):
    past = setting(cast, day).past()
    calendar = workdays.calendar()
    assert calendar.is_workday(past)
    assert past <= day - timedelta(days=DAYS_BACK)
    assert calendar.window_end(past, days=5, counts_first_day=True) < day


@pytest.mark.parametrize("day", [date(2026, 12, 28), date(2027, 1, 4), date(2031, 3, 3)])
def test_a_year_nobody_announced_does_not_stop_the_demo(cast: Cast, day: date):
    made = setting(cast, day)
    made.assume_holidays()
    assert made.past() < day
    workdays.calendar().window_end(day, days=5, counts_first_day=True)
    assumed = Holiday.objects.filter(day__year__gt=2026)
    assert assumed.exists()
    assert all("演示假定" in holiday.source for holiday in assumed)


def test_an_announced_year_is_left_as_it_is(cast: Cast):
    before = Holiday.objects.count()
    setting(cast, date(2026, 6, 1)).assume_holidays()
    assert Holiday.objects.count() == before


def test_the_cast_is_fictional_and_nobody_shares_a_number():
    numbers = [member.identity().national_id for member in players.MEMBERS]
    assert len(set(numbers)) == len(numbers) == 12
    for member in players.MEMBERS:
        read = identity.read_national_id(member.identity().national_id, today=date(2026, 11, 24))
        assert (read.born_on, read.sex) == (member.born_on, member.sex)
    assert {one.applies.until for one in players.MEMBERS if one.applies} >= {
        CaseState.SUBMITTED,
        CaseState.RETURNED,
        CaseState.VISITED,
        CaseState.REVIEWED,
        CaseState.GRANTED,
        CaseState.REFUSED,
    }


@pytest.mark.parametrize("people", [1, 12, 40])
def test_the_roster_has_as_many_people_as_asked_for_and_the_cast_first(db, tmp_path, people):
    city = federation.ensure_unions(people, 1)
    path = tmp_path / "roster.xlsx"
    roster.write_roster(path, city=city, people=people, today=date(2026, 11, 24), seed=1)
    with reading.open_sheet(path) as sheet:
        rows = [row.cells for row in sheet.rows]
    names = [member.name for member in players.MEMBERS][:people]
    assert len(rows) == people
    assert [row["姓名"] for row in rows][: len(names)] == names
    assert len({row["证件号码"] for row in rows}) == people
    assert federation.home_union(city) in Organization.objects.all()


def test_the_papers_of_an_application_are_accepted_as_evidence():
    stated = players.YAN.applies.stated
    for paper in (
        documents.receipt("严守成", stated["text"]),
        documents.visit_photo("演示工会"),
        documents.signature("严守成"),
        documents.statement("严守成", stated),
    ):
        clean = uploads.clean_upload(paper.name, paper.content)
        assert clean.media_type in ("image/jpeg", "application/pdf")


def test_the_words_stand_in_chinese_with_english_beneath():
    first, second = words._both("What to look at first")
    assert second.strip() == "What to look at first"
    assert first != second


def test_only_the_demo_tells_numbers_and_codes(settings, db):
    settings.EMBEDDED = False
    for command in ("demo", "demo_member"):
        with pytest.raises(CommandError, match=r"\./portal"):
            call_command(command)


def test_a_member_who_is_not_in_the_demo_is_named(settings, db):
    settings.EMBEDDED = True
    with pytest.raises(CommandError, match="lin, kong, yan"):
        call_command("demo_member", "wei")
    with pytest.raises(CommandError, match="not on the roster"):
        call_command("demo_member", "lin")


def test_a_register_of_a_database_that_is_gone_is_told_at_once(settings, db, tmp_path):
    waiting.require_open_gate()
    register = gate.register()
    register.append(
        batch_number="P20269999999",
        file_name="a.csv",
        content_sha256="0" * 64,
        lines=1,
        total_fen=1,
        sent_at="2026-03-02T09:00:00+08:00",
    )
    with pytest.raises(DemoStopped, match="var/demo"):
        waiting.require_open_gate()
