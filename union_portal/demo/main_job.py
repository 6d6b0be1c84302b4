"""The main job, from the roster to the filed report, through the same actions staff use.

Every stage looks first at what is there: interrupted at any point and run again, it goes on
where it stopped, and nothing is paid twice. Decisions and notices are dated some working
days back, because a public notice takes its days (see docs/adr/0005).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.utils import timezone

from awards.actions import model_workers, publicity, rule_sets, subsidies
from awards.models import ModelWorker, SubsidyRound
from awards.states import CheckState, RoundState
from members.actions import bank_accounts, imports
from members.models import BankAccount, ImportRun
from members.states import BankAccountState, ImportState
from union_portal import decisions, notices, reports, workdays
from union_portal.demo import federation, roster, waiting
from union_portal.demo.waiting import DemoStopped, Say
from union_portal.models import Account, Notice, Organization, ReportRun
from union_portal.states import NoticeState, ReportState
from welfare.disbursement import batches, formats, ledger
from welfare.disbursement.models import Fund, PayoutBatch, PayoutLine
from welfare.disbursement.states import UNPAID, BatchState

FUND_CODE = "model-workers"
SCHEMES = ("festival_gift", "living_allowance")
SEED = 610800
APPROPRIATION_PER_PERSON_FEN = 150_000
LEAST_APPROPRIATION_FEN = 50_000_000
# Notices run five working days; twelve plain days back is enough but for long holidays.
DAYS_BACK = 9


@dataclass
class MainJob:
    """One run of the demo over `people` people."""

    people: int
    today: date
    say: Say
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self) -> None:
        """Every stage in order, timed."""
        self._stage("federation", self._federation)
        self._stage("roster", self._roster)
        self._stage("accounts", self._confirm_accounts)
        self._stage("verification", self._verify)
        self._stage("decisions", self._decide)
        self._stage("notices", self._publish)
        self._stage("payment", self._pay)
        self._stage("correction", self._correct)
        self._stage("closing", self._close)
        self._stage("reports", self._report)

    def _stage(self, name: str, work: Callable[[], str]) -> None:
        began = time.monotonic()
        told = work()
        self.seconds[name] = round(time.monotonic() - began, 2)
        self.say(f"{name}: {told} ({self.seconds[name]:.1f} s)")

    # -- who ----------------------------------------------------------------------------
    def _federation(self) -> str:
        self.city = federation.ensure_unions(self.people, SEED)
        self.cast: dict[str, Account] = federation.ensure_accounts(self.city)
        rule_sets.install_samples(by=self.cast["ruan"], second=self.cast["lu"], now=timezone.now())
        formats.ensure_shipped()
        self.fund = self._fund()
        return f"{Organization.objects.count()} unions, {len(self.cast)} accounts"

    def _fund(self) -> Fund:
        fund = Fund.objects.filter(code=FUND_CODE).first() or ledger.open_fund(
            code=FUND_CODE,
            name=f"市级劳模专项补助资金 {self.today.year}（演示）",
            year=self.today.year,
            organization=self.city,
            schemes=[*SCHEMES, "special_hardship"],
            payer_name=self.city.name,
            payer_account="99990000610800000001",
            source="市级财政预算（演示）",
            by=self.cast["feng"],
        )
        ledger.appropriate(
            fund=fund,
            amount_fen=max(LEAST_APPROPRIATION_FEN, APPROPRIATION_PER_PERSON_FEN * self.people),
            by=self.cast["feng"],
            reason="年度预算下达（演示）",
            key=f"{FUND_CODE}-{self.today.year}",
        )
        return fund

    # -- the roster ---------------------------------------------------------------------
    def _roster(self) -> str:
        run = (
            ImportRun.objects.exclude(
                state__in=[ImportState.CANCELLED, ImportState.REFUSED]
            ).first()
            or self._upload()
        )
        waiting.until(
            lambda: self._fresh(run).state != ImportState.UPLOADED, what="check of the roster"
        )
        if run.state == ImportState.REFUSED or run.error_count:
            raise DemoStopped(f"the roster was refused: {run.fault} {run.error_count} errors")
        if run.state == ImportState.CHECKED:
            imports.confirm(run=run, by=self.cast["he"], now=timezone.now())
        waiting.until(
            lambda: self._fresh(run).state == ImportState.APPLIED, what="import of the roster"
        )
        return f"{run.rows_count} people read from a spreadsheet, {run.new_count} new"

    def _upload(self) -> ImportRun:
        path = Path(settings.VAR_DIR) / f"名册（演示）-{self.people}.xlsx"
        path.parent.mkdir(parents=True, exist_ok=True)
        roster.write_roster(path, city=self.city, people=self.people, today=self.today, seed=SEED)
        with path.open("rb") as stream:
            return imports.upload(
                content=File(stream, name=path.name),
                name=path.name,
                organization=self.city,
                by=self.cast["he"],
            )

    @staticmethod
    def _fresh(run: ImportRun) -> ImportRun:
        run.refresh_from_db()
        return run

    def _confirm_accounts(self) -> str:
        proposed = BankAccount.objects.filter(state=BankAccountState.PROPOSED)
        done = bank_accounts.confirm_set(
            accounts=proposed, by=self.cast["jiang"], now=timezone.now(), with_cautioned=True
        )
        return f"{done.confirmed} bank accounts confirmed by a second person"

    def _verify(self) -> str:
        count = model_workers.verify_set(
            rows=ModelWorker.objects.filter(person__died_on__isnull=True),
            year=self.today.year,
            evidence="县区总工会年度核查表（演示）",
            by=self.cast["he"],
            today=self.today,
        )
        return f"{count} model workers verified for {self.today.year}"

    # -- who gets what ------------------------------------------------------------------
    @property
    def period(self) -> str:
        return str(self.today.year)

    def _past(self) -> date:
        """A working day far enough back for a notice of this rule set to have ended."""
        calendar = workdays.calendar()
        day = self.today - timedelta(days=DAYS_BACK)
        while not (
            calendar.is_workday(day)
            and calendar.window_end(day, days=5, counts_first_day=True) < self.today
        ):
            day -= timedelta(days=1)
        return day

    def _decide(self) -> str:
        told = []
        for scheme in SCHEMES:
            round_ = (
                SubsidyRound.objects.filter(scheme=scheme, period=self.period)
                .exclude(state=RoundState.CANCELLED)
                .first()
            ) or subsidies.propose(
                scheme=scheme, period=self.period, by=self.cast["he"], today=self._past()
            )
            self._check_counties(round_)
            if round_.state == RoundState.CHECKED:
                subsidies.decide_round(round=round_, by=self.cast["lu"], today=self._past())
            round_.refresh_from_db()
            told.append(f"{scheme}: {round_.entitled_count} in, {round_.refused_count} out")
        return "; ".join(told)

    def _check_counties(self, round_: SubsidyRound) -> None:
        for check in round_.checks.filter(state=CheckState.OPEN).select_related("county"):
            subsidies.check_county(
                round=round_, county=check.county, by=self._checker(check.county)
            )
        round_.refresh_from_db()

    def _checker(self, county: Organization) -> Account:
        """Whoever checks for a county, an industry union or a directly affiliated one."""
        for name, account in self.cast.items():
            held = account.roles.filter(role="county_checker").first()
            if name.startswith("shi") and held and county.path.startswith(held.organization.path):
                return account
        raise DemoStopped(f"nobody checks for {county}")

    def _publish(self) -> str:
        for scheme in SCHEMES:
            notice = Notice.objects.filter(scheme=scheme, period=self.period).exclude(
                state=NoticeState.WITHDRAWN
            ).first() or publicity.draft_notice(
                rule_set=decisions.rule_set_in_force(scheme, self._past()),
                period=self.period,
                title=f"{self.period}年市级劳模{TITLES[scheme]}拟发放名单公示（演示）",
                place="市总工会一楼公示栏、门户网站",
                contact="市总工会权益保障部（演示）0912-0000000",
                by=self.cast["he"],
            )
            if notice.state == NoticeState.DRAFT:
                notices.publish(notice=notice, by=self.cast["he"], today=self._past())
            if notice.state == NoticeState.PUBLISHED:
                notices.close(notice=notice, by=self.cast["he"], today=self.today)
        return f"{Notice.objects.count()} notices ran their days"

    # -- the money ----------------------------------------------------------------------
    def _pay(self) -> str:
        for scheme in SCHEMES:
            batch = PayoutBatch.objects.filter(
                scheme=scheme, period=self.period, corrects__isnull=True
            ).exclude(state=BatchState.VOID).first() or batches.assemble(
                fund=self.fund,
                scheme=scheme,
                period=self.period,
                organization=self.city,
                by=self.cast["feng"],
                today=self.today,
            )
            self._send(batch)
        lines = PayoutLine.objects.filter(batch__corrects__isnull=True)
        return f"{lines.count()} payments sent and answered by the bank"

    def _send(self, batch: PayoutBatch) -> None:
        """Seal, check, release by three people, then wait for worker and bank."""
        batch.refresh_from_db()
        if batch.state == BatchState.DRAFT:
            batch = batches.seal(batch=batch, by=self.cast["feng"])
        if batch.state == BatchState.SEALED:
            steps = set(batch.approvals.filter(round=batch.round).values_list("step", flat=True))
            if "checker" not in steps:
                batches.check(batch=batch, by=self.cast["jiang"], digest=batch.digest)
            batches.release(batch=batch, by=self.cast["mu"], digest=batch.digest)
        done = (BatchState.RECONCILED, BatchState.CLOSED)

        def is_settled() -> bool:
            batch.refresh_from_db()
            return batch.state in done

        waiting.until(is_settled, what=f"payment of batch {batch.number}")

    def _correct(self) -> str:
        """Failed accounts are corrected by one, confirmed by another, and paid anew."""
        corrected = 0
        for batch in list(PayoutBatch.objects.filter(corrects__isnull=True).order_by("id")):
            failed = batch.lines.filter(state__in=UNPAID).select_related("entitlement__person")
            if not failed or batch.corrected_by.exclude(state=BatchState.VOID).exists():
                continue
            for line in failed:
                corrected += self._new_account(line)
            batches.reissue(batch=batch, by=self.cast["feng"], today=self.today)
        for batch in PayoutBatch.objects.filter(corrects__isnull=False).order_by("id"):
            self._send(batch)
        return f"{corrected} failed accounts corrected and paid in new batches"

    def _new_account(self, line: PayoutLine) -> int:
        person = line.entitlement.person
        newest = person.bank_accounts.order_by("-id").first()
        if newest is None or newest.fingerprint == line.account_fingerprint:
            newest = bank_accounts.enter(
                person=person,
                number=federation.replacement_card(line.e2e),
                bank_name="驼城演示银行",
                by=self.cast["he"],
                reason="代发失败，本人提供新卡（演示）",
            )
        if newest.state == BankAccountState.PROPOSED:
            bank_accounts.confirm(account=newest, by=self.cast["jiang"], now=timezone.now())
            return 1
        return 0

    def _close(self) -> str:
        for batch in PayoutBatch.objects.filter(state=BatchState.RECONCILED).order_by("id"):
            settled = batch.lines.filter(state__in=["paid", "returned"])
            debit = sum(settled.values_list("amount_fen", flat=True))
            batches.close(batch=batch, by=self.cast["feng"], statement_debit_fen=debit)
        closed = PayoutBatch.objects.filter(state=BatchState.CLOSED)
        return f"{closed.count()} batches agree with the bank statement and are closed"

    def _report(self) -> str:
        runs = [
            reports.request(
                kind="disbursement_pdf",
                subject=batch,
                by=self.cast["feng"],
                organization=batch.organization,
            )
            for batch in PayoutBatch.objects.filter(state=BatchState.CLOSED).order_by("id")
            if not ReportRun.objects.filter(
                kind="disbursement_pdf", subject_id=str(batch.pk), state=ReportState.READY
            ).exists()
        ]
        for run in runs:
            waiting.for_job(run.job, what=str(run))
        return f"{len(runs)} PDF reports filed"


TITLES = {"festival_gift": "双节慰问金", "living_allowance": "农民劳模生活补助"}
