"""Merging two rows at the desk: one finds and proposes, another judges, both pages lead on."""

from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.models import Favourite, Membership, Person, PersonMerge
from tests.cast import Cast, make_account, make_person
from tests.disbursement.conftest import make_office
from tests.members.test_merges import member, paid
from tests.roles import serving
from tests.web.test_money_desk import browser, press
from union_portal import readers
from welfare.disbursement.models import Entitlement

pytestmark = pytest.mark.django_db
ALIKE = "admin:members_personmerge_alike"


@pytest.fixture
def two(cast: Cast) -> tuple[Person, Person]:
    kept = make_person(cast.tree.union, name="高一鸣", born_on=date(1970, 1, 2))
    return kept, make_person(cast.tree.union, name="高一鸣", born_on=date(1970, 1, 2))


def page(client: Client, name: str, *args: object) -> str:
    answer = client.get(reverse(name, args=args))
    assert answer.status_code == 200, answer.content.decode()
    return str(answer.content.decode())


def do(client: Client, model: str, row: int, act: str, **data: str):
    return press(client, reverse(f"admin:members_{model}_do", args=[row, act]), **data)


def test_one_finds_and_proposes_another_judges_and_everything_moves(cast: Cast, two):
    kept, merged = two
    held = member(merged)
    county = browser(cast.shi)
    shown = page(county, ALIKE)
    assert "1 pair" in shown
    assert shown.count("name and day of birth") == 2  # the filter, and the pair
    answer = do(county, "person", kept.pk, "merge", other=str(merged.pk), reason="one card")
    assert answer.status_code == 302
    made = PersonMerge.objects.get()
    assert (made.kept, made.merged, made.proposed_by) == (kept, merged, cast.shi)
    assert "0 pairs" in page(county, ALIKE)
    # Whoever proposed it does not judge it.
    confirm = reverse("admin:members_personmerge_do", args=[made.pk, "confirm"])
    assert "You proposed it yourself" in county.get(confirm).content.decode()
    assert county.post(confirm).status_code == 409
    city = browser(cast.officer)
    assert merged.national_id_shown in page(city, "admin:members_personmerge_change", made.pk)
    assert do(city, "personmerge", made.pk, "confirm").status_code == 302
    held.refresh_from_db()
    assert held.person == kept
    there = page(county, "admin:members_person_change", kept.pk)
    assert reverse("admin:members_person_change", args=[merged.pk]) in there
    assert "Two rows of one person merged" in there
    gone = page(county, "admin:members_person_change", merged.pk)
    assert reverse("admin:members_person_change", args=[kept.pk]) in gone
    assert "This row was merged into another one." in gone
    # In no list, and under neither of its names.
    listed = page(county, "admin:members_person_changelist")
    assert kept.national_id_shown in listed
    assert merged.national_id_shown not in listed


def test_a_row_is_also_found_by_its_whole_number_and_only_within_reach(cast: Cast, two):
    kept, merged = two
    county = browser(cast.shi)
    beyond = make_person(cast.tree.other_union)
    answer = do(
        county, "person", kept.pk, "merge", other="", number=str(beyond.national_id), reason="same"
    )
    assert answer.status_code == 422
    assert "within your reach" in answer.content.decode()
    answer = do(
        county, "person", kept.pk, "merge", other="", number=str(merged.national_id), reason="same"
    )
    assert answer.status_code == 302


def test_a_merge_moves_what_its_judge_is_not_shown_and_sees_money_elsewhere(cast: Cast, two):
    """Favourites are the member's alone; money granted in another county stands in the way."""
    kept, merged = two
    office = make_office(cast)
    paid(office, merged)
    owed = office.owe_one(merged, period="2027")
    made = PersonMerge.objects.create(
        kept=kept, merged=merged, organization=cast.tree.union, reason="one card",
        proposed_by=cast.officer,
    )  # fmt: skip
    county = browser(cast.shi)
    answer = do(county, "personmerge", made.pk, "confirm")
    assert answer.status_code == 422
    assert "is not paid yet (1)" in answer.content.decode()
    assert Entitlement.objects.get(pk=owed.pk).person == merged
    assert not Membership.objects.exists()
    assert not Favourite.objects.exists()


def test_a_member_keeps_seeing_what_was_paid_under_the_number_that_went(cast: Cast, two):
    kept, merged = two
    office = make_office(cast)
    kept.account = make_account("gao-yiming")
    kept.save()
    owed = paid(office, merged)
    made = PersonMerge.objects.create(
        kept=kept, merged=merged, organization=cast.tree.union, reason="one card",
        proposed_by=cast.officer,
    )  # fmt: skip
    assert do(browser(cast.shi), "personmerge", made.pk, "confirm").status_code == 302
    with serving(), readers.reading_as(kept.account.pk):
        assert list(Entitlement.objects.values_list("pk", flat=True)) == [owed.pk]
        assert set(Person.objects.values_list("pk", flat=True)) == {kept.pk, merged.pk}
    with serving(), readers.reading_as(cast.wei.pk):
        assert not Entitlement.objects.exists()
        assert not Person.objects.exists()


def test_the_list_of_look_alikes_asks_few_questions_however_many_there_are(cast: Cast, two):
    county = browser(cast.shi)
    url = reverse(ALIKE)
    county.get(url)
    with CaptureQueriesContext(connection) as few:
        county.get(url)
    for number in range(6):
        for _row in range(2):
            make_person(
                cast.tree.union, name=f"高{'甲乙丙丁戊己'[number]}", born_on=date(1980, 1, 2)
            )
    with CaptureQueriesContext(connection) as many:
        assert "7 pairs" in county.get(url).content.decode()
    assert len(many) <= len(few)


def test_others_have_no_business_with_it(cast: Cast, two):
    made = PersonMerge.objects.create(
        kept=two[0], merged=two[1], organization=cast.tree.union, reason="one card",
        proposed_by=cast.officer,
    )  # fmt: skip
    for account in (cast.qiao, cast.feng, cast.decider):
        client = browser(account)
        assert client.get(reverse(ALIKE)).status_code == 403
        change = reverse("admin:members_personmerge_change", args=[made.pk])
        assert client.get(change).status_code in (403, 404)
        confirm = reverse("admin:members_personmerge_do", args=[made.pk, "confirm"])
        assert client.post(confirm).status_code in (403, 404)
