"""The main job, from the roster to the filed report, through the same actions staff use.

Every stage looks first at what is there: interrupted at any point and run again, it goes on
where it stopped, and nothing is paid twice. Once it is played to its end it is left alone:
what people did in the demo since then is theirs. Decisions and notices are dated some working
days back, because a public notice takes its days (see docs/adr/0005).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.files import File
from django.utils import timezone

from awards.actions import model_workers, publicity, rule_sets, subsidies
from awards.models import HardshipYear, ModelWorker, SubsidyRound
from awards.states import CheckState, RoundState
from members.actions import bank_accounts, consents, imports
from members.models import BankAccount, ImportRun
from members.states import BankAccountState, ImportState
from union_portal import audit, decisions, notices, reports
from union_portal.demo import (
    benefits,
    cast,
    comeback,
    contest,
    federation,
    messages,
    payment,
    roster,
    waiting,
)
from union_portal.demo.cast import Player
from union_portal.demo.hardship import Hardship
from union_portal.demo.setting import Setting
from union_portal.demo.summary import rostered
from union_portal.demo.waiting import DemoStopped, Say
from union_portal.models import Account, AuditEntry, Decision, Notice, Organization, ReportRun
from union_portal.states import DecisionState, NoticeState, ReportState
from welfare.disbursement import batches, formats, ledger
from welfare.disbursement.models import Fund, PayoutBatch, PayoutLine
from welfare.disbursement.states import BatchState, LineState

FUND_CODE = "model-workers"
SCHEMES = ("festival_gift", "living_allowance")
TITLES = {"festival_gift": "双节慰问金", "living_allowance": "农民劳模生活补助"}
SEED = 610800
APPROPRIATION_PER_PERSON_FEN = 150_000
LEAST_APPROPRIATION_FEN = 50_000_000
PLAYED = "demo.played"
# Members agreed to the texts when they applied for their cards, weeks ago.
TEXTS_BEFORE = timedelta(days=60)


def was_played() -> bool:
    """Whether the main job has come to its end in this database."""
    return AuditEntry.objects.filter(action=PLAYED).exists()


def held_people() -> int:
    """How many people came from this demo's roster, whatever is asked for now."""
    return rostered()


@dataclass
class MainJob:
    """One run of the demo over `people` people."""

    people: int
    today: date
    say: Say
    seconds: dict[str, float] = field(default_factory=dict)
    _asked: list[ReportRun] = field(default_factory=list)

    def run(self) -> None:
        """Every stage in order, timed."""
        self.setting = Setting(self.today)
        self._stage("federation", self._federation)
        self._stage("roster", self._roster)
        self._stage("accounts", self._confirm_accounts)
        self._stage("verification", self._verify)
        self._stage("decisions", self._decide)
        messages.ring()
        self._stage("notices", self._publish)
        self._stage("payment", self._pay)
        self._stage("correction", self._correct)
        self._stage("closing", self._close)
        self._stage("return", lambda: comeback.give_back(self.setting))
        self._ask_for_reports()
        self._stage("hardship", lambda: Hardship(self.setting, self.players).play())
        self._stage("appeals", self._contest)
        self._ask_for_reports()
        for name, work in benefits.stages(self.setting, self.players):
            self._stage(name, work)
        self._ask_for_reports()
        messages.ring()
        self._stage("reports", self._await_reports)
        self._stage("messages", messages.await_sent)
        audit.record_ref(PLAYED, "demo", self.setting.period, by=audit.Machine("demo"))

    def _stage(self, name: str, work: Callable[[], str]) -> None:
        began = time.monotonic()
        told = work()
        self.seconds[name] = round(time.monotonic() - began, 2)
        self.say(f"{name}: {told} ({self.seconds[name]:.1f} s)")

    @property
    def staff(self) -> dict[str, Account]:
        return self.setting.staff

    # -- who ----------------------------------------------------------------------------
    def _federation(self) -> str:
        self.setting.city = federation.ensure_unions(self.people, SEED)
        self.setting.staff = federation.ensure_accounts(self.setting.city)
        waiting.require_open_gate()
        self.setting.assume_holidays()
        rule_sets.install_samples(
            by=self.staff["ruan"], second=self.staff["lu"], now=timezone.now()
        )
        consents.install_samples(
            by=self.staff["ruan"],
            second=self.staff["lu"],
            today=self.today - TEXTS_BEFORE,
            now=timezone.now(),
        )
        formats.ensure_shipped()
        self.setting.fund = self._fund()
        return f"{Organization.objects.count()} unions, {len(self.staff)} accounts"

    def _fund(self) -> Fund:
        city = self.setting.city
        fund = Fund.objects.filter(code=FUND_CODE).first() or ledger.open_fund(
            code=FUND_CODE,
            name=f"市级劳模专项补助资金 {self.today.year}（演示）",
            year=self.today.year,
            organization=city,
            schemes=[*SCHEMES, "special_hardship"],
            payer_name=city.name,
            payer_account="99990000610800000001",
            source="市级财政预算（演示）",
            by=self.staff["feng"],
        )
        if not ledger.figures(fund).appropriated_fen:
            ledger.appropriate(
                fund=fund,
                amount_fen=max(LEAST_APPROPRIATION_FEN, APPROPRIATION_PER_PERSON_FEN * self.people),
                by=self.staff["feng"],
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
            imports.confirm(run=run, by=self.staff["he"], now=timezone.now())
        waiting.until(
            lambda: self._fresh(run).state == ImportState.APPLIED, what="import of the roster"
        )
        self.players = self._players()
        return f"{run.rows_count} people read from a spreadsheet, {run.new_count} new"

    def _upload(self) -> ImportRun:
        path = Path(settings.VAR_DIR) / f"名册（演示）-{self.people}.xlsx"
        path.parent.mkdir(parents=True, exist_ok=True)
        city = self.setting.city
        roster.write_roster(path, city=city, people=self.people, today=self.today, seed=SEED)
        with path.open("rb") as stream:
            return imports.upload(
                content=File(stream, name=path.name),
                name=path.name,
                organization=city,
                by=self.staff["he"],
            )

    @staticmethod
    def _fresh(run: ImportRun) -> ImportRun:
        run.refresh_from_db()
        return run

    def _players(self) -> dict[str, Player]:
        """The cast with their accounts; Lin's first log-in is left to whoever tries the demo."""
        password = make_password(federation.PASSWORD)
        found = (cast.player(one, password) for one in cast.MEMBERS if one is not cast.LIN)
        return {one.member.username: one for one in found if one is not None}

    def _confirm_accounts(self) -> str:
        proposed = BankAccount.objects.filter(state=BankAccountState.PROPOSED)
        done = bank_accounts.confirm_set(
            accounts=proposed, by=self.staff["jiang"], now=timezone.now(), with_cautioned=True
        )
        return f"{done.confirmed} bank accounts confirmed by a second person"

    def _verify(self) -> str:
        count = model_workers.verify_set(
            rows=ModelWorker.objects.filter(person__died_on__isnull=True),
            year=self.today.year,
            evidence="县区总工会年度核查表（演示）",
            by=self.staff["he"],
            today=self.today,
        )
        self._record_hardship()
        return f"{count} model workers verified for {self.today.year}"

    def _record_hardship(self) -> None:
        """Whoever is in hardship gets this year's standard in place of the gift (X5)."""
        for member in cast.MEMBERS:
            worker = ModelWorker.objects.filter(person__national_id_index=member.index()).first()
            year = HardshipYear.objects.filter(model_worker=worker, year=self.today.year)
            if member.is_in_hardship and worker is not None and not year.exists():
                model_workers.record_hardship(
                    model_worker=worker,
                    year=self.today.year,
                    evidence="困难职工档案（演示）",
                    by=self.staff["qiao"],
                )

    # -- who gets what ------------------------------------------------------------------
    def _decide(self) -> str:
        told = []
        past = self.setting.past()
        for scheme in SCHEMES:
            round_ = (
                SubsidyRound.objects.filter(scheme=scheme, period=self.setting.period)
                .exclude(state=RoundState.CANCELLED)
                .first()
            ) or subsidies.propose(
                scheme=scheme, period=self.setting.period, by=self.staff["he"], today=past
            )
            self._check_counties(round_)
            if round_.state == RoundState.CHECKED:
                subsidies.decide_round(round=round_, by=self.staff["lu"], today=past)
            round_.refresh_from_db()
            told.append(f"{scheme}: {round_.entitled_count} in, {round_.refused_count} out")
        return "; ".join(told)

    def _check_counties(self, round_: SubsidyRound) -> None:
        for check in round_.checks.filter(state=CheckState.OPEN).select_related("county"):
            subsidies.check_county(
                round=round_, county=check.county, by=self.setting.checker_of(check.county)
            )
        round_.refresh_from_db()

    def _publish(self) -> str:
        objections = 0
        for scheme in SCHEMES:
            notice = self._notice(scheme)
            if notice is None:
                continue
            if scheme == "festival_gift":
                objections += contest.object_to(self.setting, notice)
            if notice.state == NoticeState.PUBLISHED:
                notices.close(notice=notice, by=self.staff["he"], today=self.today)
        taken_back = Decision.objects.filter(state=DecisionState.WITHDRAWN).count()
        return (
            f"{Notice.objects.count()} notices ran their days;"
            f" {objections} objections, {taken_back} decisions taken back"
        )

    def _notice(self, scheme: str) -> Notice | None:
        """The notice of a scheme, posted; None where nobody was granted anything."""
        period = self.setting.period
        past = self.setting.past()
        notice = (
            Notice.objects.filter(scheme=scheme, period=period)
            .exclude(state=NoticeState.WITHDRAWN)
            .first()
        )
        if notice is None:
            rounds = SubsidyRound.objects.filter(scheme=scheme, period=period)
            if not rounds.filter(cases__state="granted").exists():
                return None
            notice = publicity.draft_notice(
                rule_set=decisions.rule_set_in_force(scheme, past),
                period=period,
                title=f"{period}年市级劳模{TITLES[scheme]}拟发放名单公示（演示）",
                place="市总工会一楼公示栏、门户网站",
                contact="市总工会权益保障部（演示）0912-0000000",
                by=self.staff["he"],
            )
        if notice.state == NoticeState.DRAFT:
            notices.publish(notice=notice, by=self.staff["he"], today=past)
        return notice

    # -- the money ----------------------------------------------------------------------
    def _first_batches(self) -> list[PayoutBatch]:
        return list(
            PayoutBatch.objects.filter(
                scheme__in=SCHEMES, period=self.setting.period, corrects__isnull=True
            )
            .exclude(state=BatchState.VOID)
            .order_by("id")
        )

    def _pay(self) -> str:
        made = {batch.scheme: batch for batch in self._first_batches()}
        for scheme in SCHEMES:
            batch = made.get(scheme)
            if batch is None and Notice.objects.filter(scheme=scheme).exists():
                batch = payment.assemble(self.setting, scheme)
            if batch is not None:
                payment.send(self.setting, batch)
        lines = PayoutLine.objects.filter(batch__in=self._first_batches())
        return f"{lines.counted().count()} payments sent and answered by the bank"

    def _correct(self) -> str:
        """Failed accounts are corrected by one, confirmed by another, and paid anew."""
        corrected = 0
        for batch in self._first_batches():
            failed = batch.lines.filter(state=LineState.FAILED).select_related(
                "entitlement__person"
            )
            if not failed or batch.corrected_by.exclude(state=BatchState.VOID).exists():
                continue
            for line in failed:
                corrected += self._new_account(line)
            batches.reissue(batch=batch, by=self.staff["feng"], today=self.today)
        for batch in PayoutBatch.objects.filter(corrects__isnull=False).order_by("id"):
            payment.send(self.setting, batch)
        return f"{corrected} failed accounts corrected and paid in new batches"

    def _new_account(self, line: PayoutLine) -> int:
        person = line.entitlement.person
        if person is None:
            raise TypeError("merchants are paid in batches of their own")
        newest = person.bank_accounts.order_by("-id").first()
        if newest is None or newest.fingerprint == line.account_fingerprint:
            newest = bank_accounts.enter(
                person=person,
                number=federation.replacement_card(line.e2e),
                bank_name="驼城演示银行",
                by=self.staff["he"],
                reason="代发失败，本人提供新卡（演示）",
            )
        if newest.state == BankAccountState.PROPOSED:
            bank_accounts.confirm(account=newest, by=self.staff["jiang"], now=timezone.now())
            return 1
        return 0

    def _close(self) -> str:
        for batch in PayoutBatch.objects.filter(state=BatchState.RECONCILED).order_by("id"):
            payment.close(self.setting, batch)
        closed = PayoutBatch.objects.filter(state=BatchState.CLOSED)
        return f"{closed.count()} batches agree with the bank statement and are closed"

    # -- what is said against it, and what is filed ---------------------------------------
    def _contest(self) -> str:
        made = contest.appeal_of_kong(self.setting, self.players)
        contest.look_at_lin(self.setting)
        return f"{made} appeal waits for its reviewer"

    def _ask_for_reports(self) -> None:
        """The workers print while the demo goes on."""
        known = ReportRun.objects.filter(kind="disbursement_pdf")
        ready = known.filter(state=ReportState.READY).values_list("subject_id", flat=True)
        asked = {run.subject_id for run in self._asked}
        self._asked += [
            reports.request(
                kind="disbursement_pdf",
                subject=batch,
                by=self.staff["feng"],
                organization=batch.organization,
            )
            for batch in PayoutBatch.objects.filter(state=BatchState.CLOSED).order_by("id")
            if str(batch.pk) not in asked | set(ready)
        ]

    def _await_reports(self) -> str:
        for run in self._asked:
            waiting.for_job(run.job, what=str(run))
        return f"{len(self._asked)} PDF reports filed"
