"""The merchants' months: settled and paid, owed, accepted, disputed, and just issued."""

from datetime import date, datetime, time, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from members.models import MerchantLogin
from union_portal import decisions
from union_portal.demo import merchants, payment
from union_portal.demo.setting import Setting
from union_portal.models import Account, RuleSet
from welfare import sample_rules
from welfare.actions import settlements
from welfare.disbursement import batches, ledger
from welfare.disbursement.models import Entitlement, Fund, PayoutBatch
from welfare.models import MerchantStatement
from welfare.rules.settlements import check, month_after
from welfare.states import StatementLineState, StatementState

APPROPRIATION_FEN: Final = 150_000_000
# Of the months that are over, the oldest first: what became of their statements.
_PAID, _OWED, _ACCEPTED, _DISPUTED = range(4)


class Statements:
    """A statement a merchant and month, from the programme's first month on."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.today = setting.today
        self.hui, self.lu = setting.staff["hui"], setting.staff["lu"]

    def settle(self) -> str:
        """Every month that is over, each brought as far as the demo wants it."""
        self._install_rules()
        fund = self._fund()
        over = [month for month in merchants.months(self.today) if self._is_over(month)]
        for nth, month in enumerate(over):
            with transaction.atomic():
                self._issue(month, is_newest=nth > _DISPUTED and month == over[-1])
                if nth in (_PAID, _OWED):
                    self._approve(month)
                elif nth == _ACCEPTED:
                    self._accept(month)
                elif nth == _DISPUTED:
                    self._dispute(month)
            if nth == _PAID:
                self._pay(fund, month)
        owed = Entitlement.objects.filter(scheme=sample_rules.MERCHANTS).count()
        return f"{MerchantStatement.objects.count()} statements, {owed} of them owed or paid"

    def _install_rules(self) -> None:
        sample = sample_rules.DEMO
        if RuleSet.objects.filter(scheme=sample.scheme).exists():
            return
        with transaction.atomic():
            check(sample.parameters)
            made = decisions.draft(by=self.setting.staff["ruan"], **vars(sample))
            decisions.adopt(rule_set=made, by=self.lu, now=timezone.now())

    @transaction.atomic
    def _fund(self) -> Fund:
        city, feng = self.setting.city, self.setting.staff["feng"]
        fund = Fund.objects.filter(code=merchants.FUND_CODE).first() or ledger.open_fund(
            code=merchants.FUND_CODE,
            name=f"会员普惠专项资金 {self.today.year}（演示）",
            year=self.today.year,
            organization=city,
            schemes=[sample_rules.MERCHANTS],
            payer_name=city.name,
            payer_account="99990000610800000002",
            source="工会经费（演示）",
            by=feng,
        )
        if not ledger.figures(fund).appropriated_fen:
            ledger.appropriate(
                fund=fund,
                amount_fen=APPROPRIATION_FEN,
                by=feng,
                reason="年度预算下达（演示）",
                key=f"{merchants.FUND_CODE}-{self.today.year}",
            )
        return fund

    # -- a month ---------------------------------------------------------------------------
    def _is_over(self, month: date) -> bool:
        return month_after(month) <= self.today and timezone.now() > self._issued_at(month)

    @staticmethod
    def _issued_at(month: date) -> datetime:
        """The morning of the first day of the next month."""
        return timezone.make_aware(datetime.combine(month_after(month), time(8)))

    def _issue(self, month: date, *, is_newest: bool) -> None:
        """As on the first of the month after it: the days to dispute lines run from there.

        The newest are issued today, so that whoever tries the demo can dispute a line.
        """
        settlements.issue(
            month=month,
            by=self.hui,
            now=timezone.now() if is_newest else self._issued_at(month),
            today=self.today if is_newest else month_after(month),
        )

    @staticmethod
    def _open(month: date) -> list[MerchantStatement]:
        rows = MerchantStatement.objects.filter(month=month, state=StatementState.ISSUED)
        return list(rows.select_related("merchant").order_by("pk"))

    def _approve(self, month: date) -> None:
        for statement in self._open(month):
            settlements.approve(
                statement=statement, by=self.lu, now=timezone.now(), today=self._ripe(month)
            )

    def _ripe(self, month: date) -> date:
        """A day after which no line can be disputed any more."""
        return min(self.today, month_after(month) + timedelta(days=20))

    def _accept(self, month: date) -> None:
        """Half of the merchants have agreed; the decider has them on the desk."""
        for statement in self._open(month)[::2]:
            if statement.accepted_at is None:
                settlements.accept(
                    statement=statement, by=self._till(statement), now=timezone.now()
                )

    def _dispute(self, month: date) -> None:
        """One line is disputed, and another was and counts on after the answer."""
        found = self._open(month)
        if len(found) < 2 or found[0].lines.exclude(words="").exists():
            return
        for nth, statement in enumerate(found[:2]):
            line = statement.lines.filter(state=StatementLineState.COUNTED).order_by("position")[0]
            settlements.dispute(
                line=line,
                words="该笔顾客当天退货，商户未收到现金差额，请核对（演示）。",
                by=self._till(statement),
                now=timezone.now(),
                today=month_after(month),
            )
            if nth == 1:
                settlements.answer(
                    line=line,
                    is_kept=True,
                    words="核对收银流水，该笔使用属实，予以保留（演示）。",
                    by=self.hui,
                    now=timezone.now(),
                )

    @staticmethod
    def _till(statement: MerchantStatement) -> Account:
        return MerchantLogin.objects.get(merchant=statement.merchant).account

    # -- the money -------------------------------------------------------------------------
    def _pay(self, fund: Fund, month: date) -> None:
        """One month is paid like any other money: by three people and the bank."""
        period = f"{month:%Y-%m}"
        batch = PayoutBatch.objects.filter(
            scheme=sample_rules.MERCHANTS, period=period, corrects__isnull=True
        ).first() or batches.assemble(
            fund=fund,
            scheme=sample_rules.MERCHANTS,
            period=period,
            organization=self.setting.city,
            by=self.setting.staff["feng"],
            today=self.today,
        )
        payment.send(self.setting, batch)
        payment.close(self.setting, batch)
