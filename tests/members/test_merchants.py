"""Merchants: taken in by two people, honoured under an agreement, stopped at once."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from members.actions import (
    agreements,
    complaints,
    merchant_accounts,
    merchant_logins,
    merchants,
    programmes,
)
from members.actions.refusals import BenefitRefused, PeopleRefused
from members.models import BenefitOffer, Merchant, MerchantAccount
from members.queries import benefits as queries_benefits
from members.states import BankAccountState, MerchantState
from tests.cast import Cast, make_person
from tests.members.benefits import (
    PASSWORD,
    agree,
    apply,
    complain,
    credit_code,
    enter_account,
    give_login,
    honoured,
    make_merchant,
    make_offer,
    make_place,
    paper,
    programme,
    rate,
    today,
    used,
)
from union_portal import lifecycle
from union_portal.kit.refusals import Refused
from union_portal.models import AuditEntry, Message

pytestmark = pytest.mark.django_db


def honours(offer: BenefitOffer, day: Any = None) -> bool:
    return queries_benefits.honours_on(day or today()).filter(pk=offer.pk).exists()


# -- taken in ---------------------------------------------------------------------------------
def test_a_business_applies_and_follows_by_its_receipt(cast: Cast):
    made = apply(address="192.0.2.7")
    assert (made.state, made.organization, made.entered_by) == ("applied", cast.tree.city, None)
    assert made.licence is not None and made.licence.uploaded_by is None
    assert queries_benefits.application(f" {made.receipt.lower()} ") == made
    assert queries_benefits.application("ABCDEFGHJKMN") is None
    assert queries_benefits.application("") is None
    assert made.contact_phone_shown == "138****8000"
    merchants.refuse(merchant=made, by=cast.benefits, reason="No licence for food.")
    assert queries_benefits.application(made.receipt).reason == "No licence for food."


def test_the_same_code_applies_once_until_it_was_refused(cast: Cast):
    code = credit_code()
    first = apply(uscc=code)
    with pytest.raises(BenefitRefused, match="registered or has applied"):
        apply(uscc=code, address="192.0.2.8")
    merchants.refuse(merchant=first, by=cast.benefits, reason="no shop")
    assert apply(uscc=code).state == MerchantState.APPLIED


def test_one_address_applies_so_often_a_day_and_the_next_day_again(cast: Cast):
    for _number in range(merchants.APPLICATIONS_A_DAY):
        apply(address="192.0.2.9")
    with pytest.raises(BenefitRefused, match="Too many applications"):
        apply(address="192.0.2.9")
    apply(address="192.0.2.10")
    apply(address="192.0.2.9", now=timezone.now() + timedelta(days=1, seconds=1))


@pytest.mark.parametrize(
    "wrong",
    [{"uscc": "91610800MA00000000"}, {"contact_phone": "12345"}, {"contact_phone": ""},
     {"name": "  "}, {"contact": ""}],
)  # fmt: skip
def test_an_application_that_can_not_be_read_is_refused_and_keeps_nothing(cast: Cast, wrong: Any):
    with pytest.raises(Refused):
        apply(**wrong)
    assert not Merchant.objects.exists()


def test_who_reviewed_does_not_approve(cast: Cast):
    merchant = make_merchant(cast, approve=False)
    with pytest.raises(PermissionDenied):
        merchants.approve(merchant=merchant, by=cast.benefits, now=timezone.now())
    with (
        pytest.raises(IntegrityError, match="merchant_reviewed_by_not_approved_by"),
        transaction.atomic(),
    ):
        Merchant.objects.filter(pk=merchant.pk).update(approved_by=cast.benefits)
    Merchant.objects.filter(pk=merchant.pk).update(reviewed_by=cast.decider)
    with pytest.raises(BenefitRefused, match="You reviewed this merchant yourself"):
        merchants.approve(merchant=merchant, by=cast.decider, now=timezone.now())


def test_nobody_is_approved_by_sql_without_two_people(cast: Cast):
    merchant = apply()
    for change in ("state = 'approved'", "state = 'reviewed', reviewed_by_id = NULL"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE members_merchant SET {change} WHERE id = %s", [merchant.pk])
            cursor.execute(
                "UPDATE members_merchant SET state = 'approved' WHERE id = %s", [merchant.pk]
            )


def test_a_merchant_without_a_licence_is_not_reviewed(cast: Cast):
    merchant = merchants.invite(
        name="无照商户", uscc=credit_code(), category=make_merchant(cast).category,
        organization=cast.tree.city, contact="王掌柜", contact_phone="13800138000",
        by=cast.benefits,
    )  # fmt: skip
    with pytest.raises(BenefitRefused, match="licence is missing"):
        merchants.review(merchant=merchant, by=cast.benefits, now=timezone.now())
    merchants.describe(merchant=merchant, by=cast.benefits, licence=paper())
    merchants.review(merchant=merchant, by=cast.benefits, now=timezone.now())
    merchants.send_back(merchant=merchant, by=cast.decider, reason="The photo is blurred.")
    assert (merchant.state, merchant.reviewed_by) == (MerchantState.INVITED, None)


def test_what_was_reviewed_keeps_its_name(cast: Cast):
    merchant = make_merchant(cast)
    with pytest.raises(BenefitRefused, match="name was reviewed"):
        merchants.describe(merchant=merchant, by=cast.benefits, name="另一家店")
    changed = merchants.describe(merchant=merchant, by=cast.benefits, contact="李掌柜")
    assert changed == ["contact"]
    assert AuditEntry.objects.latest("id").detail == {"columns": ["contact"]}


# -- honoured ---------------------------------------------------------------------------------
def test_an_offer_is_honoured_from_the_first_day_of_the_agreement_to_its_last(cast: Cast):
    merchant = make_merchant(cast)
    held = agree(cast, merchant, first=-5, last=5)
    offer = make_offer(
        cast, merchant, valid_from=today() - timedelta(days=20),
        valid_to=today() + timedelta(days=20),
    )  # fmt: skip
    day = timedelta(days=1)
    assert [
        honours(offer, one)
        for one in (held.valid_from - day, held.valid_from, held.valid_to, held.valid_to + day)
    ] == [False, True, True, False]


def test_nothing_is_honoured_without_a_confirmed_agreement_or_after_it_was_terminated(cast: Cast):
    merchant = make_merchant(cast)
    held = agree(cast, merchant, confirm=False)
    offer = make_offer(cast, merchant)
    assert not honours(offer)
    agreements.confirm(agreement=held, by=cast.decider, now=timezone.now())
    assert honours(offer)
    agreements.terminate(agreement=held, by=cast.decider, reason="breach", today=today())
    assert not honours(offer)


def test_an_expired_agreement_ends_everything_without_anybody_doing_anything(cast: Cast):
    merchant = make_merchant(cast)
    agree(cast, merchant, first=-40, last=-1)
    offer = make_offer(cast, merchant)
    assert not honours(offer)
    assert queries_benefits.count_merchants(today()) == 0
    [ending] = queries_benefits.ending_agreements(cast.benefits, today=today())
    assert ending.merchant == merchant
    agree(cast, merchant, first=0)
    assert honours(offer)
    assert not queries_benefits.ending_agreements(cast.benefits, today=today()).exists()


def test_agreements_that_end_within_sixty_days_are_told(cast: Cast):
    near, far = make_merchant(cast), make_merchant(cast)
    agree(cast, near, last=60)
    agree(cast, far, last=61)
    found = queries_benefits.ending_agreements(cast.benefits, today=today())
    assert [one.merchant for one in found] == [near]


def test_who_entered_an_agreement_does_not_confirm_it_and_days_never_overlap(cast: Cast):
    merchant = make_merchant(cast)
    agree(cast, merchant, first=-30, last=30)
    second = agree(cast, merchant, first=30, last=90, confirm=False)
    with pytest.raises(BenefitRefused, match="Another agreement holds"):
        agreements.confirm(agreement=second, by=cast.decider, now=timezone.now())
    with (
        pytest.raises(IntegrityError, match="agreement_entered_by_not_confirmed_by"),
        transaction.atomic(),
    ):
        type(second).objects.filter(pk=second.pk).update(confirmed_by=cast.benefits)
    with (
        pytest.raises(DatabaseError, match="another one holds"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE members_merchantagreement SET state = 'confirmed', confirmed_by_id = %s"
            " WHERE id = %s",
            [cast.decider.pk, second.pk],
        )
    with pytest.raises(PermissionDenied):
        agreements.confirm(agreement=second, by=cast.benefits, now=timezone.now())


def test_a_confirmed_agreement_is_not_edited_by_sql(cast: Cast):
    held = agree(cast, make_merchant(cast))
    with pytest.raises(DatabaseError, match="never edited"), transaction.atomic():
        type(held).objects.filter(pk=held.pk).update(valid_to=today() + timedelta(days=900))


def test_a_suspended_merchant_is_out_at_once_and_comes_back_by_another(cast: Cast):
    offer = honoured(cast)
    merchants.suspend(merchant=offer.merchant, by=cast.benefits, reason="Three complaints.")
    assert not honours(offer)
    with pytest.raises(PermissionDenied):
        merchants.lift(merchant=offer.merchant, by=cast.benefits, reason="mended")
    merchants.lift(merchant=offer.merchant, by=cast.decider, reason="mended")
    assert honours(offer)


def test_the_end_of_a_merchant_ends_offers_agreements_and_log_ins(cast: Cast):
    offer = honoured(cast)
    merchant = offer.merchant
    login = give_login(cast, merchant, "counter")
    merchants.end(merchant=merchant, by=cast.decider, reason="closed", now=timezone.now())
    offer.refresh_from_db()
    login.refresh_from_db()
    login.account.refresh_from_db()
    assert (merchant.state, offer.state) == ("ended", "ended")
    assert merchant.agreements.get().state == "terminated"
    assert login.ended_at is not None and not login.account.is_active


def test_figures_count_what_is_honoured_on_the_day(cast: Cast):
    offer = honoured(cast)
    make_offer(cast, offer.merchant)
    make_offer(cast, make_merchant(cast))
    assert queries_benefits.count_offers(today()) == 2
    assert queries_benefits.count_merchants(today()) == 1
    assert queries_benefits.count_categories(today()) == 1
    assert queries_benefits.count_offers(today() + timedelta(days=400)) == 0


# -- what hangs on a merchant --------------------------------------------------------------------
def test_a_log_in_is_a_plain_account_that_stands_for_one_merchant(cast: Cast):
    merchant = make_merchant(cast)
    first = give_login(cast, merchant, "counter")
    second = give_login(cast, merchant, "till2")
    assert not first.account.is_staff and not first.account.roles.exists()
    assert queries_benefits.merchant_of(first.account) == merchant
    merchant_logins.end(login=first, by=cast.benefits, reason="left", now=timezone.now())
    assert queries_benefits.merchant_of(first.account) is None
    assert queries_benefits.merchant_of(second.account) == merchant
    merchant_logins.renew(login=second, password="n7wq-83kd-pf4m-x2vh", by=cast.benefits)
    second.account.refresh_from_db()
    assert second.account.is_password_first
    with pytest.raises(BenefitRefused, match="has ended"):
        merchant_logins.renew(login=first, password=PASSWORD, by=cast.benefits)
    with pytest.raises(PermissionDenied):
        merchant_logins.end(login=second, by=cast.gao, reason="x?", now=timezone.now())


def test_an_account_counts_once_another_confirmed_it_and_the_one_before_retires(cast: Cast):
    merchant = make_merchant(cast)
    first = enter_account(cast, merchant)
    merchant_accounts.confirm(account=first, by=cast.feng_checker, now=timezone.now())
    second = enter_account(cast, merchant)
    merchant_accounts.confirm(account=second, by=cast.feng_checker, now=timezone.now())
    first.refresh_from_db()
    assert (first.state, second.state) == (BankAccountState.RETIRED, BankAccountState.CONFIRMED)


def test_an_account_is_entered_once_by_one_and_confirmed_by_another(cast: Cast):
    merchant = make_merchant(cast)
    number = "6101234567890123"
    made = enter_account(cast, merchant, number=number)
    with pytest.raises(BenefitRefused, match="has this account already"):
        enter_account(cast, merchant, number=number)
    with pytest.raises(Refused, match="holder differs"):
        enter_account(cast, merchant, holder="别人")
    with pytest.raises(PermissionDenied):
        merchant_accounts.confirm(account=made, by=cast.benefits, now=timezone.now())
    MerchantAccount.objects.filter(pk=made.pk).update(entered_by=cast.feng_checker)
    made.refresh_from_db()
    with pytest.raises(PeopleRefused, match="You entered"):
        merchant_accounts.confirm(account=made, by=cast.feng_checker, now=timezone.now())
    with pytest.raises(DatabaseError, match="never edited"), transaction.atomic():
        MerchantAccount.objects.filter(pk=made.pk).update(holder="别人")


def test_a_shop_has_one_name_and_a_point_in_china(cast: Cast):
    merchant = make_merchant(cast)
    with pytest.raises(BenefitRefused, match="shop of this name"):
        make_place(cast, merchant)
    with pytest.raises(Refused, match="swapped"):
        make_place(
            cast, merchant, name="二店", latitude=Decimal("109.7"), longitude=Decimal("38.2")
        )
    with pytest.raises(IntegrityError, match="merchant_place_in_china"), transaction.atomic():
        merchant.places.update(latitude=2)


def test_a_budget_is_lowered_to_what_was_used_and_no_further(cast: Cast):
    money = programme(cast, budget_fen=5_000)
    merchant = make_merchant(cast)
    agree(cast, merchant)
    start = today().replace(month=1, day=1)
    offer = make_offer(
        cast, merchant, kind="subsidy", subsidy_fen=1_000, programme=money, quota_total=9,
        quota_per_member=9, valid_from=start, valid_to=today().replace(month=12, day=31),
    )  # fmt: skip
    for _time in range(3):
        used(cast, offer)
    with pytest.raises(Refused, match="have taken ¥30"):
        programmes.set_budget(programme=money, budget_fen=2_999, by=cast.decider, reason="cut")
    with pytest.raises(IntegrityError, match="programme_within_budget"), transaction.atomic():
        type(money).objects.filter(pk=money.pk).update(budget_fen=2_999)
    programmes.set_budget(programme=money, budget_fen=3_000, by=cast.decider, reason="cut")
    with pytest.raises(IntegrityError, match="programme_within_budget"), transaction.atomic():
        used(cast, offer)
    with pytest.raises(PermissionDenied):
        programmes.set_budget(programme=money, budget_fen=9_000, by=cast.benefits, reason="more")


# -- complaints -----------------------------------------------------------------------------------
def test_a_member_complains_staff_answer_and_the_member_is_told(cast: Cast):
    made = complain(cast, make_merchant(cast))
    assert made.organization == cast.lin_person.organization
    with pytest.raises(BenefitRefused, match="complained of this merchant already"):
        complain(cast, made.merchant)
    complaints.answer(
        complaint=made, text="We have spoken with the till.", by=cast.benefits, now=timezone.now()
    )
    told = Message.objects.get(topic="merchant_complaint")
    assert told.recipient == cast.lin_person.pk and told.state == "sent"
    complain(cast, made.merchant)


def test_nobody_complains_in_anothers_name_or_of_anothers_use(cast: Cast):
    offer = honoured(cast)
    neighbour = make_person(cast.tree.union)
    with pytest.raises(PermissionDenied):
        complain(cast, offer.merchant, person=neighbour)
    with pytest.raises(PermissionDenied):
        complain(cast, offer.merchant, redemption=used(cast, offer, neighbour))
    with pytest.raises(PermissionDenied):
        complaints.answer(complaint=complain(cast, offer.merchant), text="Not by the auditor.",
                          by=cast.gao, now=timezone.now())  # fmt: skip


def test_the_log_of_a_complaint_names_no_member(cast: Cast):
    made = complain(cast, make_merchant(cast))
    [entry] = AuditEntry.objects.filter(
        subject_type="members.merchantcomplaint", subject_id=str(made.pk)
    )
    assert (entry.actor_id, entry.actor) == (None, "member")


def test_stars_are_told_as_a_mean_rounded_to_tenths_of_uses_that_stand(cast: Cast):
    offer = honoured(cast)
    for stars in (5, 4, 4):
        rate(used(cast, offer), stars)
    taken_back = used(cast, offer)
    rate(taken_back, 1)
    lifecycle.advance(
        taken_back, to="undone", by=cast.benefits, undone_at=timezone.now(), undone_by=cast.benefits
    )
    found = queries_benefits.stars([offer.pk])
    assert (str(found[offer.pk]), found[offer.pk].count) == ("4.3", 3)
    assert queries_benefits.stars([]) == {}
