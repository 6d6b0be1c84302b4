"""Bank accounts: the person's own, entered by one, confirmed by another, never edited."""

import random

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, InternalError, transaction

from members import queries
from members.actions import bank_accounts
from members.actions.refusals import PeopleRefused
from members.models import BankAccount
from members.states import BankAccountState
from tests.cast import NOW, Cast, make_bank_account, make_person
from union_portal import lifecycle
from union_portal.kit import fictional
from union_portal.kit.refusals import Refused

pytestmark = pytest.mark.django_db
CARDS = [fictional.make_card_number(random.Random(seed)) for seed in range(5)]


def enter(cast: Cast, **more):
    values = {"person": cast.lin_person, "number": CARDS[0], "bank_name": "榆林示范银行"}
    return bank_accounts.enter(**{**values, "by": cast.qiao, **more})


def test_an_account_counts_once_another_has_confirmed_it(cast: Cast):
    account = enter(cast)
    assert account.state == BankAccountState.PROPOSED
    bank_accounts.confirm(account=account, by=cast.shi, now=NOW)
    account.refresh_from_db()
    assert (account.state, account.confirmed_by) == (BankAccountState.CONFIRMED, cast.shi)
    assert account.number == CARDS[0]


def test_whoever_entered_an_account_does_not_confirm_it(cast: Cast):
    account = make_bank_account(cast.lin_person, entered_by=cast.shi)
    with pytest.raises(PeopleRefused, match="You entered"):
        bank_accounts.confirm(account=account, by=cast.shi, now=NOW)
    with pytest.raises(IntegrityError, match="confirmed_by_another"), transaction.atomic():
        lifecycle.advance(account, to="confirmed", by=cast.shi, confirmed_by=cast.shi)


def test_the_holder_is_the_person_or_there_is_a_reason(cast: Cast):
    with pytest.raises(Refused, match="differs"):
        enter(cast, holder="王另名")
    account = enter(cast, holder="王另名", reason="guardian, court order 12")
    [judged] = queries.accounts_to_confirm(cast.shi)
    assert judged == account
    assert queries.cautions(judged) == [
        "The holder is not the person; the reason given: guardian, court order 12"
    ]


@pytest.mark.parametrize("number", ["", "123", "6222021234567890123", "6.2E+18", "abc"])
def test_an_impossible_card_number_is_refused(cast: Cast, number: str):
    with pytest.raises(Refused):
        enter(cast, number=number)


def test_the_same_account_does_not_wait_twice(cast: Cast):
    enter(cast)
    with pytest.raises(PeopleRefused, match="has this account already"):
        enter(cast)


def test_a_shared_account_is_allowed_and_its_checker_is_told(cast: Cast):
    make_bank_account(
        make_person(cast.tree.union), entered_by=cast.qiao, confirmed_by=cast.shi, number=CARDS[0]
    )
    account = enter(cast)
    [judged] = queries.accounts_to_confirm(cast.shi)
    assert queries.cautions(judged) == ["1 other people have this account too."]
    bank_accounts.confirm(account=account, by=cast.shi, now=NOW)
    account.refresh_from_db()
    assert account.state == BankAccountState.CONFIRMED


def test_a_new_account_retires_the_one_before_it(cast: Cast):
    old = make_bank_account(cast.lin_person, entered_by=cast.qiao, confirmed_by=cast.shi)
    new = enter(cast)
    bank_accounts.confirm(account=new, by=cast.shi, now=NOW)
    old.refresh_from_db()
    assert (old.state, new.state) == (BankAccountState.RETIRED, BankAccountState.CONFIRMED)


def test_a_changed_name_stops_the_confirmation_of_an_old_holder(cast: Cast):
    account = enter(cast)
    type(cast.lin_person).objects.filter(pk=cast.lin_person.pk).update(name="王新名")
    with pytest.raises(PeopleRefused, match="not the person's name any more"):
        bank_accounts.confirm(account=account, by=cast.shi, now=NOW)


def test_a_rejected_account_is_gone_for_good(cast: Cast):
    account = enter(cast)
    bank_accounts.reject(account=account, by=cast.shi, reason="card belongs to a firm")
    with pytest.raises(lifecycle.Stale):
        bank_accounts.confirm(account=account, by=cast.feng_checker, now=NOW)


def test_a_closed_account_is_retired_with_a_reason(cast: Cast):
    account = make_bank_account(cast.lin_person, entered_by=cast.qiao, confirmed_by=cast.shi)
    with pytest.raises(Refused, match="reason"):
        bank_accounts.retire(account=account, by=cast.shi, reason="")
    bank_accounts.retire(account=account, by=cast.shi, reason="closed by the bank")
    account.refresh_from_db()
    assert account.state == BankAccountState.RETIRED


@pytest.mark.parametrize("who", ["qiao", "feng", "gao", "wei", "lin", "officer"])
def test_whoever_may_not_confirm_does_not(cast: Cast, who: str):
    account = enter(cast)
    with pytest.raises(PermissionDenied):
        bank_accounts.confirm(account=account, by=getattr(cast, who), now=NOW)


def test_raw_sql_changes_no_number(cast: Cast):
    account = enter(cast)
    with pytest.raises((IntegrityError, InternalError), match="never edited"), transaction.atomic():
        BankAccount.objects.filter(pk=account.pk).update(fingerprint="0" * 64)


class TestASet:
    @pytest.fixture
    def waiting(self, cast: Cast):
        """Three plain proposals, one shared number, one entered by the checker herself."""
        people = [make_person(cast.tree.union) for _ in range(5)]
        for place, person in enumerate(people):
            make_bank_account(
                person,
                entered_by=cast.shi if place == 4 else cast.qiao,
                number=CARDS[min(place, 3)],
            )
        make_bank_account(
            people[0],
            entered_by=cast.qiao,
            confirmed_by=cast.feng_checker,
            number=CARDS[4],
        )
        return people

    def confirm(self, cast: Cast, **more):
        return bank_accounts.confirm_set(
            accounts=BankAccount.objects.all(), by=cast.shi, now=NOW, **more
        )

    def test_plain_ones_are_confirmed_and_the_others_counted(self, cast: Cast, waiting):
        done = self.confirm(cast)
        assert (done.confirmed, done.retired) == (3, 1)
        assert (done.left_own, done.left_cautioned, done.left_rivals) == (1, 1, 0)
        assert self.confirm(cast).confirmed == 0

    def test_cautioned_ones_too_once_the_list_was_read(self, cast: Cast, waiting):
        done = self.confirm(cast, with_cautioned=True)
        assert (done.confirmed, done.left_own) == (4, 1)

    def test_people_with_two_proposals_are_left_to_a_person(self, cast: Cast, waiting):
        extra = make_bank_account(waiting[1], entered_by=cast.qiao)
        done = self.confirm(cast)
        assert (done.confirmed, done.left_rivals) == (2, 2)
        extra.refresh_from_db()
        assert extra.state == BankAccountState.PROPOSED

    def test_accounts_of_another_county_stay_as_they_are(self, cast: Cast):
        make_bank_account(make_person(cast.tree.other_union), entered_by=cast.qiao)
        assert self.confirm(cast).confirmed == 0

    def test_whoever_may_not_confirm_confirms_no_set(self, cast: Cast, waiting):
        with pytest.raises(PermissionDenied):
            bank_accounts.confirm_set(accounts=BankAccount.objects.all(), by=cast.qiao, now=NOW)
