"""The real engine and the model take the same steps, chosen by Hypothesis, and must agree.

Each example plays in one transaction of a real PostgreSQL that is rolled back at its end:
the office is furnished once, and an example costs no more than its steps. What PostgreSQL
puts off to the commit is asked for after every step (SET CONSTRAINTS ALL IMMEDIATE). Some
examples are played again with every step committed, see `test_machine`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import wraps
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, transaction
from django.db.models import Max
from django.utils import timezone
from hypothesis import currently_in_test_context, note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from members.models import Person
from tests.cast import TODAY, Cast, make_account, make_payee, make_rule_set
from tests.disbursement.conftest import Office
from tests.machine.model import LIVE, WAITING, Batch, Books, Line, Owed, Row
from union_portal import access, lifecycle, withdrawals
from union_portal.access import Role
from union_portal.kit.refusals import Refused
from union_portal.models import Account, AuditEntry, RoleAssignment
from union_portal.states import DecisionState
from welfare.disbursement import (
    batches,
    claims,
    crash,
    delivery,
    entitlements,
    gate,
    invariants,
    ledger,
    motions,
    replay,
    returns,
    unknowns,
)
from welfare.disbursement.models import (
    Discrepancy,
    Entitlement,
    Fund,
    Gate,
    Motion,
    PayoutBatch,
    PayoutLine,
    ReturnRow,
)
from welfare.disbursement.simulator import Payment, write_return

SCHEMES = ("winter_gift", "summer_gift")
PEOPLE, YUAN = 5, 1300
DUTIES = ("maker", "checker", "releaser")
ROLES = {
    "maker": Role.FINANCE_MAKER,
    "checker": Role.FINANCE_CHECKER,
    "releaser": Role.FINANCE_RELEASER,
}
# Who may move and second what, as in `motions.DUTIES`, written down a second time.
MOTIONS = {
    "void_batch": ("checker", "releaser"),
    "withdraw": ("maker", "checker"),
    "write_off": ("maker", "releaser"),
    "retry": ("maker", "checker"),
    "certificate": ("maker", "checker"),
}
# The right people more often than the wrong ones; the rover's duty changes.
RIGHT = {duty: st.sampled_from((duty, duty, duty, "rover", "rover", "other")) for duty in DUTIES}
ANYBODY = st.sampled_from(("maker", "checker", "releaser", "releaser2", "rover"))
PICK = st.integers(0, 999)
WHAT_A_BANK_SAYS = st.lists(
    st.sampled_from(("paid", "paid", "paid", "failed", "unknown")), min_size=5, max_size=5
)
FLAWS = ("", "", "", "", "", "amount", "conflict")
PLACES = ("deliver.before_register", "deliver.before_file", "deliver.after_file")


class Died(Exception):
    """The worker is gone at a place from which nothing is tidied up."""


@dataclass
class Moved:
    """A motion as the model knows it."""

    row: Motion
    kind: str
    by: str
    subject: Any
    result: str = ""
    state: str = "moved"
    shuts: int = 0


@dataclass
class Stage:
    """What every example finds: two funds, people with accounts, finance with a rover."""

    cast: Cast
    funds: list[Fund]
    rules: list[Any]
    people: list[Person]
    accounts: dict[str, Account]
    office: Office
    folder: Any
    settings: Any


def furnish(cast: Cast, folder: Any, settings: Any) -> Stage:
    tiers = [{"from_fen": 60_000, "steps": ["second_releaser"]}]
    funds = []
    for number, scheme in enumerate(SCHEMES):
        fund = ledger.open_fund(
            code=scheme, name=scheme, year=2026, organization=cast.tree.city, schemes=[scheme],
            payer_name="榆林市总工会", payer_account="99990000000000000001", by=cast.feng,
            approval_tiers=tiers if number else [],
        )  # fmt: skip
        funds.append(fund)
    rover = make_account("rover", role=Role.FINANCE_MAKER, at=cast.tree.city)
    second = make_account("feng4", role=Role.FINANCE_RELEASER, at=cast.tree.city)
    accounts = {
        "maker": cast.feng, "checker": cast.feng_checker, "releaser": cast.feng_releaser,
        "releaser2": second, "rover": rover, "other": cast.gao,
    }  # fmt: skip
    rules = [make_rule_set(cast, scheme, fund_code=scheme) for scheme in SCHEMES]
    people = [make_payee(cast) for _ in range(PEOPLE)]
    gate.look()
    return Stage(
        cast, funds, rules, people, accounts, Office(cast, rules[0], funds[0]), folder, settings
    )


class Engine(RuleBasedStateMachine):
    """Rules are acts of people, workers and the bank; right and wrong ones."""

    furnish: ClassVar[Callable[[], Stage]]
    commits: ClassVar[bool] = False
    acts: ClassVar[Counter[tuple[str, bool]]] = Counter()
    examples: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).examples += 1
        if not self.commits:
            self._whole = transaction.atomic()
            self._whole.__enter__()
        self.stage = type(self).furnish()
        for account in self.stage.accounts.values():
            access.forget(account)
        folder = self.stage.folder / f"example{type(self).examples}"
        self.stage.settings.REGISTER_DIR = folder / "register"
        self.stage.settings.BANK_DIR = folder / "bank"
        self.books = Books([0, 0], [0] * PEOPLE)
        self.duty = {name: name for name in DUTIES} | {"releaser2": "releaser", "rover": "maker"}
        self.owed: list[tuple[Owed, Entitlement]] = []
        self.batches: list[tuple[Batch, PayoutBatch]] = []
        self.lines: list[tuple[Line, PayoutLine]] = []
        self.rows: list[Row] = []
        self.sent: set[bytes] = set()
        self.moved: list[Moved] = []
        self.tickets: list[tuple[Batch, int, int]] = []
        self.shuts = 0
        self.appropriations: list[tuple[int, int, Any]] = []
        self.number = 0

    def teardown(self) -> None:
        if not self.commits:
            transaction.set_rollback(True)
            self._whole.__exit__(None, None, None)

    # -- how a step is taken ---------------------------------------------------------------

    def act(
        self, may: bool, function: Callable[..., Any], *also: type[Exception], **more: Any
    ) -> Any:
        """Do it; it must be refused exactly when the model says so, and then change nothing."""
        name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        self.acts[name, may] += 1
        if currently_in_test_context():
            note(f"{name} {'may' if may else 'may not'}")
        last = self._last_entry()
        try:
            # Only what the database refuses is undone here: a refusal must undo its own work.
            with transaction.atomic():
                result, refusal = self._tried(function, also, more)
        except DatabaseError as error:
            if not isinstance(error, also):
                raise
            result, refusal = None, error
        if refusal is None:
            assert may, f"{name} was not refused"
            return result
        assert not may, f"{name} was refused: {refusal!r}"
        assert self._last_entry() == last, f"{name} was refused and stands in the log"
        return None

    def _tried(
        self, function: Callable[..., Any], also: tuple[type[Exception], ...], more: dict[str, Any]
    ) -> tuple[Any, Exception | None]:
        """The result or the refusal; what the database says goes up to whoever undoes it."""
        try:
            result = function(**more)
            self._ask_what_waits()
        except DatabaseError:
            raise
        except (Refused, PermissionDenied, *also) as refusal:
            return None, refusal
        return result, None

    def _ask_what_waits(self) -> None:
        """What PostgreSQL puts off to the commit; where each step commits, it comes by itself."""
        if self.commits:
            return
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")

    def _last_entry(self) -> int | None:
        """The newest number in the log."""
        return AuditEntry.objects.aggregate(last=Max("id"))["last"]

    def who(self, name: str) -> Account:
        return self.stage.accounts[name]

    def is_a(self, name: str, *duties: str) -> bool:
        return self.duty.get(name) in duties

    def one(self, of: list[Any], pick: int) -> Any:
        """One of them; small picks mean the newest, so that steps follow each other."""
        return of[-1 - pick % len(of)]

    def _newest(self, *states: str) -> Any:
        fit = [one for one in self.batches if one[0].state in states]
        return fit[-1] if fit else None

    def batch(self, pick: int, *states: str) -> tuple[Batch, PayoutBatch]:
        """A batch, two times of three one that stands where the step begins."""
        fit = [one for one in self.batches if one[0].state in states]
        model, row = self.one(fit if fit and pick % 3 else self.batches, pick // 3)
        row.refresh_from_db()
        return model, row

    # -- money and what is owed ------------------------------------------------------------

    @initialize(life=st.integers(0, 5), results=WHAT_A_BANK_SAYS)
    def begin(self, life: int, results: list[str]) -> None:
        """Money, people who are owed, and a batch that has lived so far already."""
        for fund in (0, 1):
            self.appropriate(fund=fund, who="maker", yuan=YUAN)
        self.owe_everybody(fund=life % 2)
        steps: list[Callable[[], None]] = [
            lambda: self.assemble(fund=life % 2, who="maker"),
            self.take_it_to_release,
            self.wake,
            lambda: self.answer_as_a_bank_does(results=results),
        ]
        for step in steps[:life]:
            step()

    @rule(fund=st.integers(0, 1), who=RIGHT["maker"], yuan=st.sampled_from((300, 700)))
    def appropriate(self, fund: int, who: str, yuan: int) -> None:
        self.number += 1
        entry = self.act(
            self.is_a(who, "maker"), ledger.appropriate, fund=self.stage.funds[fund],
            amount_fen=yuan * 100, by=self.who(who), reason="budget", key=f"B{self.number}",
        )  # fmt: skip
        if entry:
            self.books.appropriated[fund] += yuan * 100
            self.appropriations.append((fund, yuan * 100, entry))

    @precondition(lambda self: self.appropriations)
    @rule(pick=PICK, who=RIGHT["maker"])
    def take_back(self, pick: int, who: str) -> None:
        fund, fen, entry = self.one(self.appropriations, pick)
        holds = self.books.figures(fund)["available_fen"] >= fen
        may = self.is_a(who, "maker") and holds
        if self.act(may, ledger.reverse, DatabaseError, entry=entry, by=self.who(who), reason="x"):
            self.books.appropriated[fund] -= fen
            self.appropriations.remove((fund, fen, entry))

    @rule(
        fund=st.integers(0, 1),
        person=st.integers(0, PEOPLE - 1),
        fen=st.sampled_from((20_000, 30_000, 50_000)),
    )
    def owe(self, fund: int, person: int, fen: int) -> None:
        decision = self.stage.office.clear_decision(
            self.stage.people[person], rule_set=self.stage.rules[fund], amount_fen=fen
        )
        made = self.act(
            self.books.may_owe(fund, person, fen), entitlements.grant, decision=decision,
            person=self.stage.people[person], by=self.stage.cast.officer,
        )  # fmt: skip
        if made:
            for stale in self.books.stale(fund, person):
                stale.state = "withdrawn"
            self.books.owed.append(Owed(fund, person, fen))
            self.owed.append((self.books.owed[-1], made))

    @rule(fund=st.integers(0, 1))
    def owe_everybody(self, fund: int) -> None:
        for person in range(PEOPLE):
            self.owe(fund=fund, person=person, fen=20_000)

    @precondition(lambda self: self.owed)
    @rule(pick=PICK, to=st.sampled_from(("contested", "clear", "clear", "clear", "withdrawn")))
    def turn_the_decision(self, pick: int, to: str) -> None:
        turned = [one for one in self.owed if one[0].decision == "contested"]
        model, row = self.one((to == "clear" and turned) or self.owed, pick)
        steps = {"clear": ("contested", "withdrawn"), "contested": ("clear", "withdrawn")}
        may = to in steps.get(model.decision, ())
        decision = row.decision
        decision.refresh_from_db()
        by = self.stage.cast.decider
        if to == "withdrawn":
            self.act(may, withdrawals.withdraw, decision=decision, by=by, reason="objection 1")
        else:
            self.act(may, lifecycle.advance, subject=decision, to=DecisionState(to), by=by)
        if may:
            model.decision = to
            self.books.end_with_its_decision(model)

    @rule(person=st.integers(0, PEOPLE - 1))
    def correct_the_account(self, person: int) -> None:
        self.stage.office.correct_account(self.stage.people[person])
        self.books.accounts[person] += 1

    @precondition(lambda self: self.owed)
    @rule(pick=PICK, who=RIGHT["maker"])
    def withdraw(self, pick: int, who: str) -> None:
        model, row = self.one(self.owed, pick)
        row = Entitlement.objects.get(pk=row.pk)
        if model.decision != "withdrawn":
            self._move("withdraw", who, (model, row), entitlements.withdraw, entitlement=row)
            return
        may = self.is_a(who, "maker") and model.is_free
        self.act(may, entitlements.withdraw, entitlement=row, by=self.who(who), reason="x")
        if may:
            model.state = "withdrawn"

    # -- acts of two people ----------------------------------------------------------------

    def _move(
        self, kind: str, who: str, subject: Any, function: Callable[..., Motion], **more: Any
    ) -> None:
        waiting = [
            one for one in self.moved
            if (one.kind, one.state) == (kind, "moved") and one.subject[0] is subject[0]
        ]  # fmt: skip
        may = self.is_a(who, *MOTIONS[kind]) and all(one.by == who for one in waiting)
        if kind == "certificate":
            may = may and subject[0].state == "unknown"
        made = self.act(may, function, by=self.who(who), reason="because", **more)
        if made and not waiting:
            self.moved.append(Moved(made, kind, who, subject, more.get("result", "")))

    @precondition(lambda self: self.owed)
    @rule(pick=PICK, who=RIGHT["maker"])
    def move_to_write_off(self, pick: int, who: str) -> None:
        model, row = self.one(self.owed, pick)
        self._move("write_off", who, (model, row), entitlements.write_off, entitlement=row)

    @precondition(lambda self: self.batches)
    @rule(pick=PICK, who=RIGHT["checker"])
    def move_to_void(self, pick: int, who: str) -> None:
        model, row = self.batch(pick, "draft", "sealed", "approved")
        self._move("void_batch", who, (model, row), batches.void, batch=row)

    @precondition(lambda self: self.lines)
    @rule(pick=PICK, who=RIGHT["maker"])
    def move_to_retry(self, pick: int, who: str) -> None:
        failed = [one for one in self.lines if one[0].state in ("failed", "returned")]
        model, row = self.one(failed or self.lines, pick)
        self._move("retry", who, (model, row), batches.retry, line=row)

    @precondition(lambda self: self.lines)
    @rule(pick=PICK, who=RIGHT["maker"], result=st.sampled_from(("paid", "failed")))
    def move_a_certificate(self, pick: int, who: str, result: str) -> None:
        fit = [one for one in self.lines if one[0].state == "unknown"]
        model, row = self.one(fit or self.lines, pick)
        row.refresh_from_db()
        self._move(
            "certificate",
            who,
            (model, row),
            unknowns.certify,
            line=row,
            result=result,
            bank_ref="C",
        )

    @rule(pick=PICK, who=st.one_of(RIGHT["checker"], RIGHT["releaser"]))
    def move_to_lift(self, pick: int, who: str) -> None:
        waiting = [one for one in self.moved if (one.kind, one.state) == ("lift_gate", "moved")]
        may = self.is_a(who, "checker", "releaser") and all(one.by == who for one in waiting)
        made = self.act(may, replay.lift, by=self.who(who), reason="looked")
        if made and not waiting:
            self.moved.append(Moved(made, "lift_gate", who, None, shuts=self.shuts))

    def _duties_needed(self, motion: Moved) -> list[tuple[str, ...]]:
        """What the second person must hold; each of the list."""
        if motion.kind == "lift_gate":
            return [("checker", "releaser")]
        pair = MOTIONS[motion.kind]
        return [(duty,) for duty in pair if not self.is_a(motion.by, duty)] or [(pair[0],)]

    def _can_be_carried_out(self, motion: Moved) -> bool:
        if motion.kind == "lift_gate":
            return self.books.is_shut and motion.shuts == self.shuts
        model = motion.subject[0]
        if motion.kind == "void_batch":
            return model.state in ("draft", "sealed", "approved")
        if motion.kind == "retry":
            return True
        return model.state == "unknown" if motion.kind == "certificate" else model.is_free

    @precondition(lambda self: self.moved)
    @rule(pick=PICK, who=ANYBODY)
    def second(self, pick: int, who: str) -> None:
        waiting = [one for one in self.moved if one.state == "moved"]
        self._second(self.one(waiting if waiting and pick % 4 else self.moved, pick // 4), who)

    def _second(self, motion: Moved, who: str) -> None:
        may = (
            motion.state == "moved"
            and motion.by != who
            and all(self.is_a(who, *duty) for duty in self._duties_needed(motion))
            and self._can_be_carried_out(motion)
        )
        self.act(may, motions.second, motion=motion.row, by=self.who(who))
        if may:
            motion.state = "seconded"
            self._carry_out(motion)

    def _carry_out(self, motion: Moved) -> None:
        model = motion.subject[0] if motion.subject else None
        if motion.kind == "lift_gate":
            self.books.is_shut = False
        elif motion.kind == "void_batch":
            self.books.void(model)
        elif motion.kind == "retry":
            model.is_retried = True
        elif motion.kind == "certificate":
            model.state = motion.result
            for line in model.batch.lines:
                self.books.hear(line, [])
            self.books.reconcile(model.batch)
        else:
            model.state = "withdrawn" if motion.kind == "withdraw" else "written_off"

    @precondition(lambda self: self._newest_motion())
    @rule()
    def let_two_agree(self) -> None:
        """The newest motion that waits finds the right person."""
        motion = self._newest_motion()
        needed = self._duties_needed(motion)[0]
        who = next(name for name in ("maker", "checker", "releaser") if name in needed)
        self._second(motion, "releaser" if motion.kind == "lift_gate" else who)

    def _newest_motion(self) -> Moved | None:
        waiting = [one for one in self.moved if one.state == "moved"]
        return waiting[-1] if waiting else None

    @precondition(lambda self: self.moved)
    @rule(pick=PICK, who=ANYBODY)
    def decline(self, pick: int, who: str) -> None:
        self._decline(self.one(self.moved, pick), who)

    def _decline(self, motion: Moved, who: str) -> None:
        duties = MOTIONS.get(motion.kind, ("checker", "releaser"))
        may = motion.state == "moved" and motion.by != who and self.is_a(who, *duties)
        self.act(may, motions.decline, motion=motion.row, by=self.who(who), reason="no")
        if may:
            motion.state = "declined"

    @rule(duty=st.sampled_from(DUTIES))
    def rove(self, duty: str) -> None:
        """One account gets another duty: what it did before is not forgotten."""
        RoleAssignment.objects.filter(account=self.who("rover")).update(role=ROLES[duty])
        access.forget(self.who("rover"))
        self.duty["rover"] = duty

    # -- batches ---------------------------------------------------------------------------

    def _keep(self, made: PayoutBatch, fund: int, who: str, chosen: list[Owed]) -> None:
        batch = Batch(fund, who, DUTIES)
        self.books.fill(batch, chosen)
        self.batches.append((batch, made))
        of = {row.pk: model for model, row in self.owed}
        found = {of[line.entitlement_id]: line for line in made.lines.all()}
        assert set(found) == set(chosen), "others are in the batch"
        self.lines += [(line, found[line.owed]) for line in batch.lines]

    @rule(fund=st.integers(0, 1), who=RIGHT["maker"])
    def assemble(self, fund: int, who: str) -> None:
        chosen = self.books.fresh(fund)
        may = self.is_a(who, "maker") and not self.books.is_shut and bool(chosen)
        made = self.act(
            may, batches.assemble, fund=self.stage.funds[fund], scheme=SCHEMES[fund],
            period="2026", organization=self.stage.cast.tree.city, by=self.who(who), today=TODAY,
        )  # fmt: skip
        if made:
            self._keep(made, fund, who, chosen)

    @precondition(lambda self: self.batches)
    @rule(pick=PICK, who=RIGHT["maker"])
    def reissue(self, pick: int, who: str) -> None:
        model, row = self.batch(pick, "delivered", "reconciled", "closed")
        chosen = self.books.again(model)
        may = self.is_a(who, "maker") and not self.books.is_shut and bool(chosen)
        made = self.act(may, batches.reissue, batch=row, by=self.who(who), today=TODAY)
        if made:
            self._keep(made, model.fund, who, chosen)

    @precondition(lambda self: self.batches)
    @rule(pick=PICK, who=RIGHT["maker"])
    def seal(self, pick: int, who: str) -> None:
        self._seal(self.batch(pick, "draft"), who)

    def _seal(self, one: tuple[Batch, PayoutBatch], who: str) -> None:
        model, row = one
        may = self.is_a(who, "maker") and model.maker == who and model.state == "draft"
        may = may and any(
            line.state == "ready" and self.books.can_be_paid(line) for line in model.lines
        )
        self.act(may, batches.seal, batch=row, by=self.who(who))
        if may:
            self.books.seal(model)
            total = sum(line.owed.fen for line in model.lines if line.state == "ready")
            is_large = model.fund == 1 and total >= 60_000
            model.steps = (*DUTIES, "second_releaser") if is_large else DUTIES

    @precondition(lambda self: self.batches)
    @rule(pick=PICK, who=RIGHT["maker"])
    def reopen(self, pick: int, who: str) -> None:
        model, row = self.batch(pick, "sealed")
        may = self.is_a(who, "maker") and model.state == "sealed"
        self.act(may, batches.reopen, batch=row, by=self.who(who), reason="again")
        if may:
            model.state, model.approved = "draft", {}

    def _approve(
        self, one: tuple[Batch, PayoutBatch], who: str, duty: str, is_as_seen: bool
    ) -> None:
        model, row = one
        row.refresh_from_db()
        function = batches.check if duty == "checker" else batches.release
        missing = model.missing(duty)
        may = (
            self.is_a(who, duty)
            and model.state == "sealed"
            and is_as_seen
            and self.books.payable(model)
            and bool(missing)
            and who not in model.approved.values()
            and (duty == "checker" or not model.missing("checker"))
        )
        digest = row.digest if is_as_seen else "0" * 64
        self.act(may, function, batch=row, by=self.who(who), digest=digest)
        if may:
            model.approved[missing[0]] = who
            if set(model.approved) == set(model.steps):
                model.state = "approved"

    @precondition(lambda self: self.batches)
    @rule(pick=PICK, who=RIGHT["checker"], is_as_seen=st.sampled_from((True, True, True, False)))
    def check(self, pick: int, who: str, is_as_seen: bool) -> None:
        self._approve(self.batch(pick, "sealed"), who, "checker", is_as_seen)

    @precondition(lambda self: self.batches)
    @rule(
        pick=PICK,
        who=st.sampled_from(("releaser", "releaser", "releaser2", "rover", "other")),
        is_as_seen=st.sampled_from((True, True, True, False)),
    )
    def release(self, pick: int, who: str, is_as_seen: bool) -> None:
        self._approve(self.batch(pick, "sealed"), who, "releaser", is_as_seen)

    @precondition(lambda self: self._newest("draft", "sealed"))
    @rule()
    def take_it_to_release(self) -> None:
        """What people do most days, so that long lives are reached."""
        one = self._newest("draft", "sealed")
        if one[0].state == "draft":
            self._seal(one, one[0].maker)
        for duty, who in (
            ("checker", "checker"),
            ("releaser", "releaser"),
            ("releaser", "releaser2"),
        ):
            self._approve(one, who, duty, is_as_seen=True)

    @precondition(lambda self: self.batches)
    @rule(pick=PICK, who=RIGHT["maker"], over=st.sampled_from((0, 0, 0, 1)))
    def close(self, pick: int, who: str, over: int) -> None:
        model, row = self.batch(pick, "reconciled")
        may = (
            self.is_a(who, "maker") and model.state == "reconciled" and not over
            and not model.open and not any(line.kept for line in model.lines)
        )  # fmt: skip
        debit = model.debit + over
        self.act(may, batches.close, batch=row, by=self.who(who), statement_debit_fen=debit)
        if may:
            model.state = "closed"

    # -- workers ---------------------------------------------------------------------------

    def _claimable(self) -> list[Batch]:
        return [
            one for one in self.books.batches if one.state in WAITING and not one.is_leased
        ]  # fmt: skip

    @precondition(lambda self: self.batches)
    @rule()
    def wake(self) -> None:
        claimed = [] if self.books.is_shut else self._claimable()
        assert self.act(True, claims.wake) == len(claimed), "another number was claimed"
        for batch in claimed:
            batch.fence, batch.is_leased = batch.fence + 1, True
            if batch.state != "approved" or self.books.generate(batch):
                self.books.deliver(batch)
        if not self.books.is_shut:
            for batch in self.books.batches:
                self.books.reconcile(batch)

    @precondition(lambda self: self._claimable())
    @rule()
    def claim_and_vanish(self) -> None:
        """A worker claims and is not heard of; its ticket is still about."""
        pk, fence = self.act(True, claims.claim)
        batch = self._claimable()[0]
        batch.fence, batch.is_leased = batch.fence + 1, True
        assert fence == batch.fence, "the fence is another"
        self.tickets.append((batch, pk, fence))

    @precondition(lambda self: self._claimable() and not self.books.is_shut)
    @rule(place=st.sampled_from(PLACES))
    def die_at(self, place: str) -> None:
        """A worker dies while it hands a file over: before, between and after the two places."""
        batch = self._claimable()[0]

        def die(name: str) -> None:
            if name == place:
                raise Died

        def drive_and_die() -> None:
            pk, fence = claims.claim()
            self.tickets.append((batch, pk, fence))
            with swapped(crash, "point", die), suppress(Died):
                delivery.drive(pk, fence)

        self.act(True, drive_and_die)
        batch.fence, batch.is_leased = batch.fence + 1, True
        if batch.state != "approved" or self.books.generate(batch):
            batch.state = "delivering"

    @precondition(lambda self: self.tickets)
    @rule(pick=PICK, step=st.sampled_from(("generate", "announce", "hand_over")))
    def come_back_with_a_ticket(self, pick: int, step: str) -> None:
        """A worker that was away goes on with the fence it got then."""
        batch, pk, fence = self.one(self.tickets, pick)
        starts = {"generate": "approved", "announce": "generated", "hand_over": "delivering"}
        is_ours = batch.fence == fence and batch.state == starts[step]
        may = is_ours and (step == "generate" or not self.books.is_shut)
        self.act(
            may,
            getattr(delivery, step),
            delivery.Abandoned,
            DatabaseError,
            batch_id=pk,
            fence=fence,
        )
        if not may:
            return
        if step == "generate":
            self.books.generate(batch)
        elif step == "announce":
            batch.state = "delivering"
        else:
            self.books.deliver(batch)

    @precondition(lambda self: any(one.is_leased for one in self.books.batches))
    @rule()
    def let_leases_run_out(self) -> None:
        PayoutBatch.objects.update(lease_until=None)
        for batch in self.books.batches:
            batch.is_leased = False

    @precondition(lambda self: self.batches and not self.books.is_shut)
    @rule()
    def shut_the_gate(self) -> None:
        gate.shut("a fault")
        self.shuts += not self.books.is_shut
        self.books.is_shut = True

    @precondition(lambda self: self.books.is_shut)
    @rule()
    def lift_it_by_two(self) -> None:
        for motion in [one for one in self.moved if one.state == "moved"]:
            if motion.kind == "lift_gate":
                self._decline(motion, "checker" if motion.by != "checker" else "releaser")
        self.move_to_lift(pick=0, who="checker")
        self._second(self.moved[-1], "releaser")

    # -- the bank --------------------------------------------------------------------------

    ANSWER = st.lists(
        st.tuples(
            PICK,
            st.sampled_from(("paid", "paid", "paid", "failed", "failed", "returned", "unknown")),
            st.sampled_from(("A", "A", "A", "B")),
            st.sampled_from(FLAWS),
        ),
        min_size=1,
        max_size=5,
    )

    @precondition(lambda self: self.lines)
    @rule(pick=PICK, rows=ANSWER, stranger=st.sampled_from((0, 0, 0, 0, 1)), who=RIGHT["maker"])
    def answer(
        self, pick: int, rows: list[tuple[int, str, str, str]], stranger: int, who: str
    ) -> None:
        """Rows of any kind, in any order, most of them on one batch."""
        model, row = self.batch(pick, "delivering", "delivered", "reconciled", "closed")
        own = [one for one in self.lines if one[0].batch is model]
        said = [
            (*self.one(own if number % 5 else self.lines, number // 5), *more)
            for number, *more in rows
        ]
        self._answer(model, row, said, stranger, who)

    @precondition(lambda self: any(one[0].state in ("sent", "unknown") for one in self.lines))
    @rule(results=WHAT_A_BANK_SAYS)
    def answer_as_a_bank_does(self, results: list[str]) -> None:
        """Each line of a batch once."""
        waiting = [one for one in self.lines if one[0].state in ("sent", "unknown")]
        batch = waiting[-1][0].batch
        row = next(row for model, row in self.batches if model is batch)
        said = [
            (*one, result, "A", "")
            for one, result in zip(
                [one for one in waiting if one[0].batch is batch], results, strict=False
            )
        ]
        self._answer(batch, row, said, 0, "maker")

    @precondition(lambda self: any(one[0].state == "paid" for one in self.lines))
    @rule(pick=PICK)
    def send_one_back(self, pick: int) -> None:
        line, row = self.one([one for one in self.lines if one[0].state == "paid"], pick)
        of = next(row for model, row in self.batches if model is line.batch)
        self._answer(line.batch, of, [(line, row, "returned", "T", "")], 0, "maker")

    def _answer(
        self, batch: Batch, row: PayoutBatch, said: list[Any], stranger: int, who: str
    ) -> None:
        told = [self._payment(line, result, ref, flaw) for _, line, result, ref, flaw in said]
        if stranger:
            self.number += 1
            told.append(replace(told[0], e2e=f"X{self.number}"))
        content = write_return(self.stage.office.layout(row), row.number, told)
        may = self.is_a(who, "maker") and content not in self.sent
        self.act(may, returns.import_return, content=content, name="answer.csv", by=self.who(who))
        if not may:
            return
        self.sent.add(content)
        rows = [Row(result, ref, flaw) for _, _, result, ref, flaw in said]
        self.rows += rows
        touched = {batch} | {line.batch for line, *_ in said}
        for line in [line for one in self.books.batches if one in touched for line in one.lines]:
            new = [row for (of, *_), row in zip(said, rows, strict=True) if of is line]
            self.books.hear(line, new)
        for one in touched:
            self.books.reconcile(one)
        if stranger:
            self.rows.append(Row(said[0][2], said[0][3], "stranger"))
            batch.open.append("no_match")

    def _payment(self, line: PayoutLine, result: str, ref: str, flaw: str) -> Payment:
        account = str(line.account_number)
        return Payment(
            sequence=line.position,
            e2e=line.e2e,
            account=account[::-1] if flaw == "conflict" else account,
            amount_fen=line.amount_fen + (flaw == "amount"),
            result=result,
            reference=f"{line.e2e}-{ref}",
        )

    @precondition(lambda self: self._newest("delivered"))
    @rule()
    def let_days_pass(self) -> None:
        """The bank says nothing for so long that its silence is written down."""
        PayoutBatch.objects.filter(state="delivered").update(
            delivered_at=timezone.now() - timedelta(days=30)
        )
        self.act(True, unknowns.mark, today=timezone.localdate())
        for batch in self.books.batches:
            if batch.state == "delivered":
                for line in batch.lines:
                    line.state = "unknown" if line.state == "sent" else line.state

    @precondition(lambda self: any(one[0].open for one in self.batches))
    @rule(pick=PICK, who=RIGHT["maker"])
    def look_into(self, pick: int, who: str) -> None:
        found = self.one(list(Discrepancy.objects.filter(state="open").order_by("id")), pick)
        may = self.is_a(who, "maker")
        self.act(may, returns.resolve, discrepancy=found, by=self.who(who), finding="told by phone")
        if may:
            batch = next(model for model, row in self.batches if row.pk == found.batch_id)
            batch.open.remove(found.kind)

    # -- they agree ------------------------------------------------------------------------

    @invariant()
    def the_database_says_the_same(self) -> None:
        states = dict(Entitlement.objects.values_list("pk", "state"))
        assert states == {row.pk: model.state for model, row in self.owed}, "entitlements differ"
        states = dict(PayoutLine.objects.values_list("pk", "state"))
        assert states == {row.pk: model.state for model, row in self.lines}, "lines differ"
        states = dict(PayoutBatch.objects.values_list("pk", "state"))
        assert states == {row.pk: model.state for model, row in self.batches}, "batches differ"
        states = dict(Motion.objects.values_list("pk", "state"))
        assert states == {one.row.pk: one.state for one in self.moved}, "motions differ"
        assert (Gate.objects.get().state == "safe") == self.books.is_shut, "the gate differs"

    @invariant()
    def every_row_is_judged_the_same(self) -> None:
        verdicts = list(ReturnRow.objects.order_by("id").values_list("verdict", flat=True))
        assert verdicts == [row.verdict for row in self.rows], "verdicts differ"
        found = Discrepancy.objects.filter(state="open").values_list("batch", "kind")
        of = {model: row.pk for model, row in self.batches}
        opened = [(of[batch], kind) for batch in of for kind in batch.open]
        assert Counter(found) == Counter(opened), "open questions differ"

    @invariant()
    def every_fen_is_where_it_must_be(self) -> None:
        for number, fund in enumerate(self.stage.funds):
            figures = ledger.figures(fund).as_dict()
            assert figures == self.books.figures(number), "money differs"

    @invariant()
    def no_one_is_paid_twice(self) -> None:
        for one in self.books.owed:
            assert sum(line.state in LIVE for line in one.lines) <= 1, "paid twice"

    @invariant()
    def nothing_that_must_hold_is_broken(self) -> None:
        self._ask_what_waits()
        broken = [one for one in invariants.check_all() if not one.holds]
        assert not broken, f"invariants broken: {broken}"


@contextmanager
def swapped(owner: Any, name: str, value: Any) -> Iterator[None]:
    was = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, was)


@contextmanager
def steps_counted(taken: Counter[tuple[str, str, str]]) -> Iterator[None]:
    """Count each step that the only writer of states takes: (table, from, to)."""
    advance, advance_set = lifecycle.advance, lifecycle.advance_set

    @wraps(advance)
    def one(subject: Any, *, to: str, **more: Any) -> None:
        was = str(subject.state)
        advance(subject, to=to, **more)
        taken[subject._meta.label_lower, was, str(to)] += 1

    @wraps(advance_set)
    def several(rows: Any, *, to: str, **more: Any) -> int:
        label = rows.model._meta.label_lower
        sources = sorted(lifecycle.TABLES[label].sources(to))
        was = list(rows.filter(state__in=sources).order_by().values_list("pk", "state"))
        moved = advance_set(rows, to=to, **more)
        for _pk, state in was:
            taken[label, state, str(to)] += 1
        return moved

    with swapped(lifecycle, "advance", one), swapped(lifecycle, "advance_set", several):
        yield
