"""A merchant's month: issued from its uses, disputed by the line, approved, paid by the engine."""

from datetime import date, datetime
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override
from openpyxl import load_workbook

from members.models import BenefitOffer, Redemption
from members.states import OfferState
from tests.cast import NOW, TODAY, make_person
from tests.disbursement.conftest import Office, make_office
from tests.kernel.attacks import refused_by
from tests.kernel.races import at_once, waits_for_lock
from tests.kernel.test_row_security import page_of
from tests.members.cards import make_card
from tests.web.awards_play import browser
from tests.welfare.shop import (
    CODES,
    FEBRUARY,
    confirm_account,
    make_shop,
    of_another_programme,
    use,
)
from union_portal import files, lifecycle, queue, reports
from union_portal.models import Account, Decision, ReportRun, StoredFile
from union_portal.states import DecisionState
from welfare.actions import settlements
from welfare.actions.settlements import SettlementRefused
from welfare.disbursement import batches, claims, invariants
from welfare.disbursement.models import Entitlement, PayoutBatch, PayoutLine, ReturnRow
from welfare.disbursement.refusals import NoCover
from welfare.models import MerchantStatement, StatementLine
from welfare.queries.settlements import by_offer
from welfare.sample_rules import MERCHANTS
from welfare.states import StatementLineState, StatementState

pytestmark = pytest.mark.django_db

WORDS = "这一笔的顾客没有到店，请核实"
LATER = date(2026, 3, 20)


@pytest.fixture
def shop(cast):
    return make_shop(cast)


@pytest.fixture
def card(cast):
    return make_card(cast.lin_person)


@pytest.fixture
def fund_office(cast) -> Office:
    return make_office(cast, yuan=10_000, code="benefits", schemes=[MERCHANTS])


def issue(shop, **more) -> int:
    given = {"month": FEBRUARY, "by": shop.officer, "now": NOW, "today": TODAY}
    return settlements.issue(**{**given, **more})


def issued(shop, card, days=(10, 11, 12)) -> MerchantStatement:
    for day in days:
        use(shop, card, day=day)
    issue(shop)
    return MerchantStatement.objects.get(merchant=shop.merchant)


def approve(shop, statement, cast, **more):
    given = {"statement": statement, "by": cast.decider, "now": NOW, "today": LATER}
    return settlements.approve(**{**given, **more})


def test_a_statement_holds_every_subsidised_use_of_its_month_and_no_other(shop, card):
    use(shop, card, day=31, month=1)
    use(shop, card, day=1, month=3)
    statement = issued(shop, card)
    assert (statement.lines_count, statement.total_fen) == (3, 6_000)
    assert statement.lines.count() == 3
    assert statement.disputes_until == date(2026, 3, 9)


def test_the_month_is_the_office_s_own(shop, card):
    """Half past midnight on 1 March in Yulin is still February in Greenwich."""
    late = use(shop, card, day=1, month=3)
    assert late.redeemed_at.astimezone(ZoneInfo("UTC")).month == 3
    early = use(shop, card, day=28)
    issue(shop)
    assert list(StatementLine.objects.values_list("redemption", flat=True)) == [early.pk]


def test_what_was_taken_back_is_not_settled(shop, card):
    kept, undone = use(shop, card), use(shop, card, day=11)
    lifecycle.advance(
        undone, to="undone", by=shop.till, undone_by=shop.till, undone_at=NOW, undone_reason="错刷"
    )
    issue(shop)
    assert list(StatementLine.objects.values_list("redemption", flat=True)) == [kept.pk]


def spreadsheet(statement: MerchantStatement, by: Account) -> ReportRun:
    """The report as its worker made it."""
    run = reports.request(
        kind="merchant_statement_xlsx",
        subject=statement,
        by=by,
        organization=statement.organization,
    )
    queue.run_job(run.job_id)
    run.refresh_from_db()
    return run


def test_the_paper_of_a_statement_is_shown_to_the_till_that_asked_for_it(shop, card):
    statement = issued(shop, card)
    run = spreadsheet(statement, shop.till)
    for account, is_shown in ((shop.till, True), (card.person.account, False)):
        with page_of(account.pk):
            made = StoredFile.objects.filter(subject_id=str(run.pk)).first()
            assert (made is not None and files.may_fetch(account, made)) is is_shown


def test_issued_again_nothing_is_added(shop, card):
    issued(shop, card)
    assert issue(shop) == 0
    assert MerchantStatement.objects.count() == 1


def test_two_merchants_get_one_statement_each(cast, shop, card):
    other = make_shop(cast, code=CODES[1], programme=shop.programme)
    use(shop, card)
    use(other, card, day=11)
    assert issue(shop) == 2


def test_a_merchant_of_two_programmes_gets_a_statement_of_each_and_is_owed_both(
    cast, shop, card, fund_office
):
    other = of_another_programme(cast, shop)
    use(shop, card)
    use(other, card, day=11)
    assert issue(shop) == 2
    first, second = MerchantStatement.objects.order_by("number")
    assert second.number == f"{first.number}-2"
    owed = [approve(shop, one, cast).period for one in (first, second)]
    assert owed == ["2026-02", "2026-02-2"]
    assert Entitlement.objects.filter(merchant=shop.merchant).count() == 2


def test_what_was_cancelled_is_issued_anew_whatever_else_stands(cast, shop, card):
    other = of_another_programme(cast, shop)
    use(shop, card)
    use(other, card, day=11)
    issue(shop)
    wrong = MerchantStatement.objects.get(programme=other.programme)
    settlements.cancel(statement=wrong, reason=WORDS, by=shop.officer)
    assert issue(shop) == 1
    assert MerchantStatement.objects.filter(programme=other.programme).count() == 2


def test_a_month_that_runs_is_not_settled(shop, card):
    use(shop, card)
    with pytest.raises(SettlementRefused, match="not over yet"):
        issue(shop, now=datetime(2026, 2, 28, 12, tzinfo=ZoneInfo("Asia/Shanghai")))
    assert not MerchantStatement.objects.exists()


@pytest.mark.parametrize("who", ["qiao", "shi", "decider", "feng", "gao", "wei"])
def test_only_the_benefits_officer_issues(cast, shop, who):
    with pytest.raises(PermissionDenied):
        issue(shop, by=getattr(cast, who))


def paid(office: Office) -> PayoutBatch:
    """What is owed for February, paid by the bank."""
    batch = batches.assemble(
        fund=office.fund, scheme=MERCHANTS, period="2026-02",
        organization=office.cast.tree.city, by=office.cast.feng, today=TODAY,
    )  # fmt: skip
    office.release(batches.seal(batch=batch, by=office.cast.feng))
    claims.wake()
    office.answer(batch, *office.says(batch, "paid"))
    return batch


def test_an_approved_statement_is_owed_and_paid_like_any_other_money(cast, shop, card, fund_office):
    statement = issued(shop, card)
    account = confirm_account(shop, cast)
    decision = approve(shop, statement, cast)
    assert (decision.amount_fen, decision.state) == (6_000, DecisionState.CLEAR)
    owed = Entitlement.objects.get(merchant=shop.merchant)
    assert (owed.amount_fen, owed.person_id, owed.period) == (6_000, None, "2026-02")
    assert owed.claim_key == f"{MERCHANTS}:uscc-{shop.merchant.uscc}:2026-02"
    batch = paid(fund_office)
    line = PayoutLine.objects.get(batch=batch)
    assert (line.state, line.payee_name, line.bank_account_id) == (
        "paid", shop.merchant.name, account.pk,
    )  # fmt: skip
    assert [one for one in invariants.check_all() if not one.holds] == []


def test_without_a_confirmed_account_the_merchant_waits(cast, shop, card, fund_office):
    approve(shop, issued(shop, card), cast)
    left = batches.left_out(
        fund=fund_office.fund, scheme=MERCHANTS, period="2026-02",
        organization=cast.tree.city, today=TODAY,
    )  # fmt: skip
    assert [row.because for row in left] == ["no_account"]


def test_the_sum_is_explained_offer_by_offer(cast, shop, card, fund_office):
    decision = approve(shop, issued(shop, card), cast)
    (step,) = decision.steps
    assert step["values"] == {"title": shop.offer.title, "count": 3, "each": "20.00"}
    assert step["amount_fen"] == 6_000


def test_a_disputed_line_holds_the_statement_up_until_it_is_answered(cast, shop, card, fund_office):
    statement = issued(shop, card)
    line = statement.lines.get(position=2)
    settlements.dispute(line=line, words=WORDS, by=shop.till, now=NOW, today=TODAY)
    with pytest.raises(SettlementRefused, match="disputed"):
        approve(shop, statement, cast)
    settlements.answer(line=line, is_kept=False, words=WORDS, by=shop.officer, now=NOW)
    assert approve(shop, statement, cast).amount_fen == 4_000


def test_a_line_that_was_kept_counts(cast, shop, card, fund_office):
    statement = issued(shop, card)
    line = statement.lines.get(position=1)
    settlements.dispute(line=line, words=WORDS, by=shop.officer, now=NOW, today=TODAY)
    with pytest.raises(SettlementRefused, match="yourself"):
        settlements.answer(line=line, is_kept=True, words=WORDS, by=shop.officer, now=NOW)
    settlements.answer(line=line, is_kept=True, words=WORDS, by=shop.colleague, now=NOW)
    assert approve(shop, statement, cast).amount_fen == 6_000


def test_the_merchant_disputes_until_the_last_day_and_no_longer(shop, card):
    statement = issued(shop, card)
    one, other = statement.lines.order_by("position")[:2]
    last = statement.disputes_until
    settlements.dispute(line=one, words=WORDS, by=shop.till, now=NOW, today=last)
    with pytest.raises(SettlementRefused, match="until"):
        settlements.dispute(line=other, words=WORDS, by=shop.till, now=NOW, today=LATER)


def test_nobody_disputes_for_another_merchant(cast, shop, card):
    other = make_shop(cast, code=CODES[1], programme=shop.programme)
    line = issued(shop, card).lines.first()
    with pytest.raises(PermissionDenied):
        settlements.dispute(line=line, words=WORDS, by=other.till, now=NOW, today=TODAY)


def test_a_statement_waits_for_its_days_or_for_the_merchant(cast, shop, card, fund_office):
    statement = issued(shop, card)
    with pytest.raises(SettlementRefused, match="may dispute"):
        approve(shop, statement, cast, today=TODAY)
    settlements.accept(statement=statement, by=shop.till, now=NOW)
    assert approve(shop, statement, cast, today=TODAY).amount_fen == 6_000


def test_whoever_issued_it_does_not_approve_it(cast, shop, card, fund_office):
    statement = issued(shop, card)
    with pytest.raises(PermissionDenied):
        approve(shop, statement, cast, by=shop.officer)
    refused_by(
        "statement_prepared_by_not_approved_by",
        "UPDATE welfare_merchantstatement SET approved_by_id = prepared_by_id WHERE id = %s",
        [statement.pk],
    )


def test_without_cover_nothing_is_approved(cast, shop, card):
    make_office(cast, yuan=50, code="benefits", schemes=[MERCHANTS])
    statement = issued(shop, card)
    with pytest.raises(NoCover):
        approve(shop, statement, cast)
    statement.refresh_from_db()
    assert statement.state == StatementState.ISSUED
    assert not Entitlement.objects.exists()


def test_a_cancelled_statement_gives_its_uses_back(shop, card):
    statement = issued(shop, card)
    settlements.cancel(statement=statement, reason=WORDS, by=shop.officer)
    assert issue(shop) == 1
    again = MerchantStatement.objects.get(state=StatementState.ISSUED)
    assert again.total_fen == 6_000
    assert again.number != statement.number


def test_nothing_is_changed_in_an_approved_statement(cast, shop, card, fund_office):
    statement = issued(shop, card)
    approve(shop, statement, cast)
    line = statement.lines.first()
    with pytest.raises(SettlementRefused, match="closed"):
        settlements.dispute(line=line, words=WORDS, by=shop.officer, now=NOW, today=TODAY)
    refused_by(
        "statement_line_open",
        "UPDATE welfare_statementline SET state = 'removed' WHERE id = %s",
        [line.pk],
    )


@pytest.mark.parametrize(
    ("sql", "guard"),
    [
        ("UPDATE welfare_statementline SET amount_fen = 1 WHERE id = %s", "statement_line_frozen"),
        ("DELETE FROM welfare_statementline WHERE id = %s", "statement_line_no_delete"),
    ],
)
def test_a_line_is_never_edited(shop, card, sql, guard):
    line = issued(shop, card).lines.first()
    refused_by(guard, sql, [line.pk])


def test_a_line_says_what_its_use_says(shop, card):
    statement = issued(shop, card)
    march = use(shop, card, day=1, month=3)
    with pytest.raises(IntegrityError, match="statement_line"), transaction.atomic():
        StatementLine.objects.create(
            statement=statement, position=9, redemption=march, amount_fen=2_000
        )


def test_a_use_stands_in_one_statement_at_a_time(shop, card):
    statement = issued(shop, card)
    first = statement.lines.first()
    with pytest.raises(IntegrityError, match="statement_line_use_once"), transaction.atomic():
        StatementLine.objects.create(
            statement=statement, position=9, redemption=first.redemption, amount_fen=2_000
        )
    assert first.state == StatementLineState.COUNTED


@pytest.mark.django_db(transaction=True)
def test_two_who_issue_at_once_make_one_statement(cast):
    shop = make_shop(cast)
    use(shop, make_card(make_person(cast.tree.union)))
    with at_once(lambda: issue(shop, by=shop.colleague)) as other, transaction.atomic():
        assert issue(shop) == 1
        other.start()
        waits_for_lock(other)
    assert (other.error, other.result) == (None, 0)
    assert StatementLine.objects.count() == 1


# -- the desk ------------------------------------------------------------------------------------
def test_a_month_issued_at_the_desk_is_told_by_its_count(shop, card):
    use(shop, card, day=10)
    client = browser(shop.officer)
    url = reverse("admin:welfare_merchantstatement_list_do", args=["issue"])
    seen = client.get(url).context["seen"]
    answer = client.post(url, {"seen": seen, "month": FEBRUARY.isoformat()})
    assert answer.status_code == 200
    assert "1 statements were issued." in answer.content.decode()
    assert MerchantStatement.objects.get().month == FEBRUARY


def test_the_auditor_follows_an_approved_statement_to_what_is_owed(shop, card, cast, fund_office):
    statement = issued(shop, card)
    confirm_account(shop, cast)
    approve(shop, statement, cast)
    owed = Entitlement.objects.get(decision=MerchantStatement.objects.get().decision)
    page = reverse("admin:welfare_merchantstatement_change", args=[statement.pk])
    way = reverse("admin:disbursement_entitlement_change", args=[owed.pk])
    assert way in browser(cast.gao).get(page).content.decode()
    assert way not in browser(shop.officer).get(page).content.decode()


def test_a_line_that_is_disputed_is_not_asked_about_again(shop, card):
    statement = issued(shop, card)
    page = reverse("welfare:line-dispute", args=[statement.pk, 1])
    till = browser(shop.till)
    MerchantStatement.objects.update(disputes_until=timezone.localdate())
    assert till.get(page).status_code == 200
    line = statement.lines.get(position=1)
    settlements.dispute(line=line, words=WORDS, by=shop.till, now=NOW, today=TODAY)
    assert till.get(page).url == reverse("welfare:statement", args=[statement.pk])


def test_the_merchant_reads_where_the_money_of_its_month_stands(cast, shop, card, fund_office):
    owed = approved(shop, card, cast)
    statement = MerchantStatement.objects.get()
    pages = [
        reverse("welfare:statement-list"),
        reverse("welfare:statement", args=[statement.pk]),
    ]
    till, other = browser(shop.till), make_shop(cast, code=CODES[1], programme=shop.programme)
    with page_of(shop.till.pk):
        assert owed.decision.number in till.get(pages[1]).content.decode()
    with page_of(other.till.pk):
        assert not Decision.objects.exists()
    paid(fund_office)
    day = timezone.localdate(ReturnRow.objects.get().judged_at)
    with page_of(shop.till.pk):
        for page in pages:
            assert f"paid on {day}" in till.get(page).content.decode()
        assert "was paid to your account" in till.get(pages[1]).content.decode()


def approved(shop, card, cast) -> Entitlement:
    """What an approved statement came to."""
    statement = issued(shop, card)
    confirm_account(shop, cast)
    approve(shop, statement, cast)
    return Entitlement.objects.get(decision__merchant_statement=statement)


def test_whoever_pays_a_statement_reads_it_use_by_use_and_changes_nothing(
    shop, card, cast, fund_office
):
    owed = approved(shop, card, cast)
    statement = MerchantStatement.objects.get()
    beside = use(shop, card, day=1, month=3)
    lifecycle.advance(shop.offer, to=OfferState.ENDED, by=shop.officer)
    with page_of(cast.feng.pk):
        lines = statement.lines.select_related("redemption__offer", "redemption__place")
        assert [str(line.redemption.offer) for line in lines] == [str(shop.offer)] * 3
        assert not Redemption.objects.filter(pk=beside.pk).exists()
        assert MerchantStatement.objects.update(reason="x") == 0
    page = reverse("admin:welfare_merchantstatement_change", args=[statement.pk])
    shown = browser(cast.feng).get(page).content.decode()
    assert "¥60.00" in shown and card.person.name not in shown
    assert reverse("admin:disbursement_entitlement_change", args=[owed.pk]) in shown
    assert "/do/" not in shown.split('id="main"')[-1]
    line = reverse("admin:welfare_statementline_change", args=[lines[0].pk])
    assert line in shown and browser(cast.feng).get(line).status_code == 200
    assert browser(cast.qiao).get(page).status_code == 404


def test_what_is_owed_to_a_merchant_is_found_by_the_number_of_its_statement(
    shop, card, cast, fund_office
):
    owed = approved(shop, card, cast)
    statement = MerchantStatement.objects.get()
    listed = reverse("admin:disbursement_entitlement_changelist")
    page = reverse("admin:disbursement_entitlement_change", args=[owed.pk])
    client = browser(cast.feng)
    for typed in (statement.number, statement.number.lower(), statement.number[:7]):
        assert page in client.get(listed, {"q": typed}).content.decode(), typed
    assert page not in client.get(listed, {"q": "S199901-000001"}).content.decode()
    way = reverse("admin:welfare_merchantstatement_change", args=[statement.pk])
    shown = client.get(page).content.decode()
    assert way in shown and shop.merchant.name in shown
    assert reverse("admin:members_merchant_change", args=[shop.merchant.pk]) not in shown


def test_who_reads_english_reads_the_offer_s_english_title(shop, card, cast):
    BenefitOffer.objects.filter(pk=shop.offer.pk).update(title_en="Noodles for less")
    statement = issued(shop, card)
    with override("en"):
        assert [row["title"] for row in by_offer(statement)] == ["Noodles for less"]
    with override("zh-hans"):
        assert [row["title"] for row in by_offer(statement)] == [shop.offer.title]
    BenefitOffer.objects.filter(pk=shop.offer.pk).update(title_en="")
    with override("en"):
        assert [row["title"] for row in by_offer(statement)] == [shop.offer.title]


def test_the_amounts_of_a_statement_as_spreadsheet_are_numbers_to_add_up(shop, card):
    statement = issued(shop, card)
    run = spreadsheet(statement, shop.officer)
    with files.open_for(run.file) as stream:
        sheet = load_workbook(BytesIO(stream.read())).worksheets[0]
    assert sum(row[5].value for row in sheet.iter_rows(min_row=2)) == 60
