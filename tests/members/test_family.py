"""Family members: a child under 14 on the day needs a guardian who has agreed."""

from datetime import date
from random import Random
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from members.actions import consents, family
from members.actions.consents import ConsentMissing
from members.actions.refusals import PeopleRefused
from members.models import FamilyMember
from members.rules.family import FamilyUnsound, age
from tests.cast import NOW, TODAY, Cast, make_person
from union_portal.kit import fictional
from union_portal.kit.identity import IdentityError
from union_portal.kit.refusals import Refused

pytestmark = pytest.mark.django_db
THIRTEEN, FOURTEEN = date(2012, 3, 3), date(2012, 3, 2)


@pytest.fixture
def agreed(cast: Cast) -> Cast:
    consents.install_samples(by=cast.rules_clerk, second=cast.decider, today=TODAY, now=NOW)
    consents.give(person=cast.lin_person, purpose="family", by=cast.lin, now=NOW, today=TODAY)
    return cast


def enter(cast: Cast, **more: Any) -> FamilyMember:
    asked = {"name": "林小雨", "relation": "child", "by": cast.lin, "today": TODAY, "now": NOW}
    return family.enter(person=cast.lin_person, **(asked | more))


def test_a_child_is_entered_with_its_guardian_who_agreed(agreed: Cast):
    made = enter(agreed, born_on=THIRTEEN, guardian="林海")
    assert made.guardian_consent.text.purpose == "family"


def test_a_child_without_a_guardian_or_a_consent_is_refused(agreed: Cast):
    with pytest.raises(FamilyUnsound, match="guardian has to be named"):
        enter(agreed, born_on=THIRTEEN)
    consents.withdraw(person=agreed.lin_person, purpose="family", by=agreed.lin, now=NOW)
    with pytest.raises(ConsentMissing):
        enter(agreed, born_on=THIRTEEN, guardian="林海")
    assert not FamilyMember.objects.exists()


def test_from_the_fourteenth_birthday_on_no_guardian_is_asked_for(cast: Cast):
    assert enter(cast, born_on=FOURTEEN).guardian_consent is None


@pytest.mark.parametrize(
    ("born", "on"),
    [
        (date(2012, 2, 29), date(2026, 2, 28)),
        (date(2012, 2, 29), date(2026, 3, 1)),
        (THIRTEEN, TODAY),
        (FOURTEEN, TODAY),
        (date(2000, 12, 31), date(2001, 1, 1)),
    ],
)
def test_an_age_is_counted_as_the_database_counts_it(born: date, on: date):
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(year FROM age(%s::date, %s::date))", [on, born])
        assert age(born, on) == cursor.fetchone()[0]


def test_the_database_refuses_a_child_without_a_guardian_too(agreed: Cast):
    made = enter(agreed, born_on=THIRTEEN, guardian="林海")
    with pytest.raises(IntegrityError, match="a guardian consents"), transaction.atomic():
        FamilyMember.objects.filter(pk=made.pk).update(guardian_consent=None, guardian="")
    other = consents.give(
        person=agreed.lin_person, purpose="notices", by=agreed.lin, now=NOW, today=TODAY
    )
    with pytest.raises(IntegrityError, match="something else"), transaction.atomic():
        FamilyMember.objects.filter(pk=made.pk).update(guardian_consent=other)


def test_a_number_is_checked_masked_and_entered_once(cast: Cast):
    number = fictional.make_national_id(Random(7), date(1960, 5, 5), "male", "610802")
    made = enter(cast, name="林大山", relation="parent", national_id=number)
    assert (made.born_on, made.national_id_shown) == (
        date(1960, 5, 5),
        number[:3] + "*" * 11 + number[-4:],
    )
    with pytest.raises(PeopleRefused, match="entered already"):
        enter(cast, name="林大山", relation="parent", national_id=number)
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    with pytest.raises(IdentityError):
        enter(cast, national_id=wrong)
    with pytest.raises(FamilyUnsound, match="not that of"):
        enter(cast, national_id=number, born_on=date(1960, 5, 6))


@pytest.mark.parametrize("born", [None, date(2030, 1, 1)])
def test_a_birth_date_is_needed_and_lies_behind(cast: Cast, born: date | None):
    with pytest.raises(Refused, match="birth date"):
        enter(cast, born_on=born)


def test_strangers_enter_and_remove_nobody(cast: Cast):
    made = enter(cast, born_on=FOURTEEN)
    make_person(cast.tree.union, account=cast.wei)
    for other in (cast.wei, cast.gao, cast.shi):
        with pytest.raises(PermissionDenied):
            enter(cast, by=other, born_on=FOURTEEN)
        with pytest.raises(PermissionDenied):
            family.remove(member=made, by=other)
    family.remove(member=made, by=cast.qiao)
    assert not FamilyMember.objects.exists()


def test_a_family_has_an_end(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(family, "MOST", 1)
    enter(cast, born_on=FOURTEEN)
    with pytest.raises(PeopleRefused, match="No more"):
        enter(cast, born_on=FOURTEEN)
