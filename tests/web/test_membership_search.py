"""The list of memberships, searched: by the index of names, within reach, and no further."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members import queries
from members.models import MemberProfile, Membership, MembershipTransfer, Person
from members.states import MembershipState
from tests.cast import TODAY, Cast, make_person
from tests.roles import playing
from tests.web.awards_play import browser
from union_portal.access import Permission, roles_with
from union_portal.models import Account, Organization
from union_portal.privileges import WEB
from union_portal.readers import reading_as

pytestmark = pytest.mark.django_db

LISTED = "admin:members_membership_changelist"
VIEWING = sorted(roles_with(Permission.PERSON_VIEW))


def member(union: Organization, name: str, **more: Any) -> Membership:
    return belongs(make_person(union, name=name, **more), union)


def belongs(person: Person, union: Organization) -> Membership:
    return Membership.objects.create(
        person=person,
        organization=union,
        joined_on=TODAY,
        first_joined_on=TODAY,
        channel="import",
    )


def left(old: Organization, new: Organization, name: str) -> Membership:
    """The past membership of somebody who belongs to another union now."""
    past = member(old, name)
    past.state, past.ended_on = MembershipState.TRANSFERRED, TODAY
    past.save()
    Person.objects.filter(pk=past.person_id).update(organization=new)
    return past


def found(who: Account, text: str, **more: Any) -> list[Membership]:
    answer = browser(who).get(reverse(LISTED), {"q": text, **more})
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)


@pytest.mark.parametrize("few", [2_000, 0], ids=["by their keys", "row by row"])
@pytest.mark.parametrize("narrowed", [{}, {"state__exact": "active"}, {"o": "4"}], ids=str)
@pytest.mark.parametrize(
    "text", ["钭阳明", "钭阳", "阳明", "钭", "touyang", "tou yang m", "TYM", "tym", " 阳明 "]
)
def test_a_member_is_found_by_piece_pinyin_and_initials(
    cast: Cast,
    text: str,
    narrowed: dict[str, str],
    few: int,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("members.queries.people._FEW", few)
    own = member(cast.tree.union, "钭阳明")
    member(cast.tree.union, "钱多")
    far = member(cast.tree.other_union, "钭阳明月")
    assert found(cast.qiao, text, **narrowed) == [own]
    assert found(cast.shi, text, **narrowed) == [own]
    assert set(found(cast.officer, text, **narrowed)) == {own, far}


@pytest.mark.parametrize("text", ["明钭", "钭阳月", "%", "_", "钭%", "zzz", "'; --"])
@pytest.mark.parametrize("narrowed", [{}, {"state__exact": "active"}], ids=str)
def test_wildcards_and_other_names_find_nobody(cast: Cast, text: str, narrowed: dict[str, str]):
    member(cast.tree.union, "钭阳明")
    assert found(cast.officer, text, **narrowed) == []


def test_a_whole_number_finds_the_member(cast: Cast):
    own, far = member(cast.tree.union, "钭甲"), member(cast.tree.other_union, "钭乙")
    assert found(cast.qiao, str(own.person.national_id)) == [own]
    assert found(cast.qiao, str(far.person.national_id)) == []


def test_a_search_is_narrowed_by_what_is_chosen_beside(cast: Cast):
    man = member(cast.tree.union, "钭甲", sex="male")
    woman = member(cast.tree.union, "钭乙", sex="female")
    MemberProfile.objects.create(person=woman.person, is_farmer_worker=True)
    MemberProfile.objects.create(person=man.person)
    retired = member(cast.tree.union, "钭丙", sex="male")
    Membership.objects.filter(pk=retired.pk).update(state="retired")
    farmer = "person__profile__is_farmer_worker__exact"
    for text in ("钭", "tou"):
        for given, expected in (
            ({"person__sex__exact": "female"}, {woman}),
            ({"state__exact": "retired"}, {retired}),
            ({"state__exact": "active", "person__sex__exact": "male"}, {man}),
            ({"channel__exact": "import"}, {man, woman, retired}),
            ({"channel__exact": "desk"}, set()),
            ({farmer: "1"}, {woman}),
            ({farmer: "0"}, {man}),
            ({"state__exact": ["retired", "withdrawn"]}, {retired}),
        ):
            assert set(found(cast.officer, text, **given)) == expected, given


def test_what_is_chosen_of_memberships_is_looked_up_before_a_search_stops(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
):
    """Else the first thousand of a name might be none of those who are chosen."""
    monkeypatch.setattr("members.admin.memberships.MOST_FOUND", 1)
    for _turn in range(3):
        member(cast.tree.union, "钭甲", sex="male")
    woman = member(cast.tree.union, "钭乙", sex="female")
    assert found(cast.officer, "钭", person__sex__exact="female") == [woman]


def test_a_search_of_memberships_stops_where_enough_are_found_within_reach(cast: Cast):
    """Whoever shows two of a hundred thousand namesakes asks the database for two."""
    for letter in "丁戊己":
        member(cast.tree.other_union, f"钭{letter}")
        left(cast.tree.union, cast.tree.other_union, f"钭{letter}")
    near = {member(cast.tree.union, f"钭{letter}").pk for letter in "甲乙丙"}
    for text in ("钭", "tou"):
        for most, expected in ((2, 2), (100, 3)):
            with reading_as(cast.qiao.pk), playing(WEB):
                rows = Membership.objects.filter(queries.first_matches(text, most, of=Membership))
                listed = {one.pk for one in rows.filter(person__name__isnull=False)}
            assert len(listed) == expected
            assert listed <= near


def test_who_has_left_is_found_by_whoever_still_knows_them(cast: Cast):
    """The list shows the past of those whom a transfer, a case or money makes known."""
    unknown = left(cast.tree.union, cast.tree.other_union, "钭甲")
    past = left(cast.tree.union, cast.tree.other_union, "钭乙")
    now = belongs(past.person, cast.tree.other_union)
    assert found(cast.qiao, "钭") == []
    MembershipTransfer.objects.create(
        membership=now,
        source=cast.tree.other_union,
        target=cast.tree.union,
        reason="back",
        requested_by=cast.lin,
    )
    assert found(cast.qiao, "钭") == [past]
    assert found(cast.qiao, "钭", state__exact="transferred") == [past]
    assert set(found(cast.officer, "钭")) == {unknown, past, now}


def told(who: Account, function: str, first: Any, second: str) -> set[int]:
    """What a function tells whoever calls it by hand in a web process."""
    with reading_as(who.pk), playing(WEB), connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, %s, %s, 100, %s)", [first, second, VIEWING, "{}"])
        return {key for (key,) in cursor.fetchall()}


@pytest.mark.parametrize(
    ("function", "first", "second"),
    [
        ("memberships_named", ["钭甲"], "%钭甲%"),
        ("memberships_named", [], "钭%"),
        ("memberships_spelled", "tou%", "tou%"),
    ],
)
def test_the_functions_tell_of_no_membership_beyond_the_readers_unions(
    cast: Cast, function: str, first: Any, second: str
):
    near = member(cast.tree.union, "钭甲")
    sibling = member(cast.tree.sibling_union, "钭甲")
    far = member(cast.tree.other_union, "钭甲")
    gone = left(cast.tree.union, cast.tree.other_union, "钭甲")
    keys = {one.pk for one in (near, sibling, far, gone)}
    assert told(cast.officer, function, first, second) & keys == keys
    assert told(cast.shi, function, first, second) == {near.pk, sibling.pk, gone.pk}
    assert told(cast.qiao, function, first, second) == {near.pk, gone.pk}
    for stranger in (cast.wei, cast.lin, cast.account_admin):
        assert told(stranger, function, first, second) == set()


def test_a_search_asks_for_keys_once_and_compares_no_row(cast: Cast):
    member(cast.tree.union, "钭甲")
    for narrowed in ({}, {"state__exact": "active"}):
        with CaptureQueriesContext(connection) as asked:
            found(cast.shi, "钭甲", **narrowed)
        said = [one["sql"] for one in asked]
        assert len([sql for sql in said if "memberships_named" in sql]) == 1
        assert not [sql for sql in said if '"name"::text LIKE' in sql or "starts_with" in sql]


@pytest.mark.parametrize("text", ["阳明", "touyang", "钭", "tym"])
def test_an_index_answers_every_form_of_a_search_of_memberships_for_memberships(
    cast: Cast, text: str
):
    """With sequential scans made dear, the plans hold none of people; see members/migrations."""
    asked: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        queries.first_matches(text, 10, of=Membership)
    [(sql, (first, second, _roles, most, chosen))] = asked
    name = sql.removeprefix("SELECT ").partition("(")[0]
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = %s", [name])
        within, gone = cursor.fetchone()[0].split("$q$")[1::2]
        cursor.execute("SET LOCAL enable_seqscan = off")
        for question, reach in ((within, None), (within, [1]), (gone, [1])):
            values = {"1": first, "2": second, "3": reach, "4": most, "5": chosen}
            plain = re.sub(r"\$([1-5])", r"%(\1)s", question.replace("%", "%%")).replace(
                "%(5)s", "%(5)s::jsonb"
            )
            cursor.execute(f"EXPLAIN {plain}", values)
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert "Seq Scan" not in plan


def test_the_rows_of_a_readers_own_unions_are_not_judged_by_their_people(cast: Cast):
    """PostgreSQL would look up everybody within reach first: 84,000 of a county."""
    member(cast.tree.union, "钭甲")
    with reading_as(cast.shi.pk), playing(WEB), connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN (ANALYZE, TIMING OFF) SELECT count(*) FROM members_membership"
            " WHERE organization_id = %s",
            [cast.tree.union.pk],
        )
        plan = [row[0] for row in cursor.fetchall()]
    people = [line for line in plan if " on members_person" in line]
    assert people and all("never executed" in line for line in people), "\n".join(plan)
