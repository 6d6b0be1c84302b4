"""Entitlements and batch lines: the product against three ways of writing the same rows.

    python -m bench.payouts [--rows 100000] [--peer-rows 2000] [--turns 3] [--large]

Every run has a child process and a fresh database of its own, cloned from one that holds the
people, their accounts and a clear decision for each. Runs are interleaved; medians of the
turns. Everybody writes the same rows into the same tables under the same constraints, foreign
keys and triggers; the peers are spared the ledger, the audit and the checks of who may be paid.

product  grant_set and assemble_all, until everybody has a line, with the ledger and the audit, as
         the role of a worker, whose statements row security judges; then the digests of the
         batches, then again. What audit and digest take is timed within: two runs differ by more.
owner    the same as the owner of the tables, whom row security does not judge
bulk     the same rows by bulk_create in chunks of 5,000, in one transaction
each     get_or_create row by row, each in its own transaction as Django does it
joined   get_or_create row by row, all in one transaction
bare     two bare INSERT … SELECT with the triggers off: the floor

Beside the time on the clock stands the processor time of client and server process together,
which other work on the machine disturbs less. `--large` adds the product at ten times the rows.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from bench.import_people import ROOT, environment, sql
from bench.measuring import execute, timed, watch
from bench.payout_peers import SCHEME, bare, bulk, each, joined
from tests.processes import peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--peer-rows", type=int, default=2_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--child", nargs=2, metavar=("KIND", "ROWS"))
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child[0], int(arguments.child[1]))
        return
    results: dict[str, list[dict[str, Any]]] = {kind: [] for kind in RUNS}
    with Template(arguments.rows) as template, Template(arguments.peer_rows) as small:
        for turn in range(1, arguments.turns + 1):
            for kind in RUNS:
                result = (small if kind in ROW_BY_ROW else template).run(kind)
                results[kind].append(result)
                print(f"turn {turn} {kind:8} {json.dumps(result)}", flush=True)
    report(results)
    if arguments.large:
        with Template(arguments.rows * 10) as template:
            report_large(results["product"], template.run("product"))


def report(results: dict[str, list[dict[str, Any]]]) -> None:
    def median(kind: str, value: Callable[[dict[str, Any]], float]) -> float:
        return statistics.median(value(result) for result in results[kind])

    def rate(kind: str, clock: str) -> float:
        return median(kind, lambda result: result["rows"] / result[clock])

    for kind in RUNS:
        peak = int(median(kind, lambda result: result["peak_mb"]))
        by_clock, by_cpu = rate(kind, "seconds"), rate(kind, "cpu")
        print(f"{kind:8} {by_clock:9,.0f} rows/s {by_cpu:9,.0f} rows/cpu-s {peak:5} MB")
    for clock in ("seconds", "cpu"):
        print()
        for label, peer in (
            ("B1 product / get_or_create", "each"),
            ("B1 product / get_or_create in one transaction", "joined"),
            ("B1 product / bulk_create", "bulk"),
            ("   product / bare", "bare"),
        ):
            print(f"{label:46} {rate('product', clock) / rate(peer, clock):8.2f}  by {clock}")
        ratio = statistics.median(
            (result[clock] + result[f"digest_{clock}"]) / (result[clock] - result[f"audit_{clock}"])
            for result in results["product"]
        )
        print(f"{'B2 with audit and digest / without':46} {ratio:8.2f}  by {clock}")
        again = statistics.median(
            result[f"again_{clock}"] / result[clock] for result in results["product"]
        )
        print(f"{'B3 again / first':46} {again:8.2f}  by {clock}")
        slower = rate("owner", clock) / rate("product", clock)
        print(f"{'row security: time with / without':46} {slower:8.2f}  by {clock}")


def report_large(few: list[dict[str, Any]], many: dict[str, Any]) -> None:
    for clock in ("seconds", "cpu"):
        base = statistics.median(r["rows"] / r[clock] for r in few)
        ratio = many["rows"] / many[clock] / base
        print(f"{'B3 rows/s at ten times the rows':46} {ratio:8.2f}  by {clock}")
    print(json.dumps(many))


class Template:
    """A database with so many people who are owed; cloned for every run, then dropped."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.name = f"bench_payouts_{os.getpid()}_{rows}"

    def __enter__(self) -> "Template":
        sql(f"CREATE DATABASE {self.name}")
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT,
            env=environment(self.name),
            check=True,
        )
        self._child("prepare", self.name)
        return self

    def __exit__(self, *_: object) -> None:
        sql(f"DROP DATABASE IF EXISTS {self.name}")

    def run(self, kind: str) -> dict[str, Any]:
        name = f"{self.name}_run"
        sql(f"CREATE DATABASE {name} TEMPLATE {self.name}")
        try:
            return self._child(kind, name)
        finally:
            sql(f"DROP DATABASE {name}")

    def _child(self, kind: str, database: str) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-m", "bench.payouts", "--child", kind, str(self.rows)],
                cwd=ROOT,
                env=environment(database, as_worker=kind == "product")
                | {"PORTAL_REGISTER_DIR": f"{folder}/register", "PORTAL_BANK_DIR": folder},
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
        read: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return read


def child(kind: str, rows: int) -> None:
    import django

    django.setup()
    if kind == "prepare":
        prepare(rows)
        result: dict[str, Any] = {}
    else:
        result = RUNS[kind](rows)
    result["peak_mb"] = peak() // (1 << 20)
    print(json.dumps(result))


def prepare(rows: int) -> None:
    """People, confirmed accounts and clear decisions, by SQL; one account number for all."""
    from tests.cast import make_cast, make_tree
    from tests.disbursement.conftest import make_office
    from union_portal.fields import fingerprint, keyring

    cast = make_cast(make_tree())
    office = make_office(cast, yuan=rows * 400)
    number = "6299990000000000017"
    sealed = keyring().seal("bank_account", number)
    union, clerk, checker = cast.tree.union.pk, cast.qiao.pk, cast.shi.pk
    execute(
        "INSERT INTO members_person (name, pinyin, initials, sex, born_on, national_id,"
        " national_id_index, national_id_shown, phone_shown, employer, organization_id,"
        " created_at, updated_at) SELECT '张' || n, 'zhang', 'z', 'male', '1965-01-01', %s,"
        " encode(sha256(n::text::bytea), 'hex'), '', '', '', %s, now(), now()"
        " FROM generate_series(1, %s) n",
        sealed, union, rows,
    )  # fmt: skip
    execute(
        "INSERT INTO members_bankaccount (person_id, holder, number, fingerprint, last_four,"
        " bank_name, bank_code, reason, entered_by_id, entered_at, state)"
        " SELECT id, name, %s, %s, '0017', '榆林示范银行', '', '', %s, now(), 'proposed'"
        " FROM members_person WHERE initials = 'z'",
        sealed, fingerprint("bank_account", number), clerk,
    )  # fmt: skip
    execute(
        "UPDATE members_bankaccount SET state = 'confirmed', confirmed_by_id = %s,"
        " confirmed_at = now()",
        checker,
    )
    execute(
        "INSERT INTO union_portal_decision (scheme, period, rule_set_id, outcome, amount_fen,"
        " steps, reason, subject_type, subject_id, organization_id, decided_by_id, decided_at,"
        " decided_on, state) SELECT %s, '2026', %s, 'granted', 30000, %s, '', 'bench.case', p.id,"
        " p.organization_id, %s, now(), '2026-03-02', 'made'"
        " FROM members_person p WHERE initials = 'z'",
        SCHEME,
        office.rule_set.pk,
        json.dumps([{"clause": "4", "text": "gift", "amount_fen": 30_000}]),
        cast.decider.pk,
    )
    execute("UPDATE union_portal_decision SET state = 'clear'")
    execute("ANALYZE")


def product(rows: int) -> dict[str, Any]:
    from django.db.models import F

    from tests.cast import TODAY
    from union_portal import audit
    from union_portal.models import Account, Decision, Organization
    from welfare.disbursement import batches, entitlements
    from welfare.disbursement.models import Fund, PayoutBatch, PayoutLine
    from welfare.disbursement.refusals import NothingToPay

    fund, maker = Fund.objects.get(), Account.objects.get(username="feng")
    city = Organization.objects.get(level="federation")
    owed = Decision.objects.filter(scheme=SCHEME).values(
        decision_id=F("id"), person_id=F("subject_id")
    )

    def write() -> int:
        made = entitlements.grant_set(rows=owed, fund=fund, by=maker)
        with suppress(NothingToPay):
            batches.assemble_all(
                fund=fund,
                scheme=SCHEME,
                period="2026",
                organization=city,
                by=maker,
                today=TODAY,
            )
        return made

    audited = watch(audit, "record_ref")
    made, first = timed(write)
    first |= {f"audit_{clock}": taken for clock, taken in audited.items()}
    lines = PayoutLine.objects.count()
    if (made, lines) != (rows, rows):
        raise SystemExit(f"{made} entitlements and {lines} lines instead of {rows}")
    digest = timed(lambda: [batches.content(each) for each in PayoutBatch.objects.all()])[1]
    again = timed(write)[1]
    return (
        {"rows": rows}
        | first
        | {f"digest_{clock}": taken for clock, taken in digest.items()}
        | {f"again_{clock}": taken for clock, taken in again.items()}
    )


ROW_BY_ROW = ("each", "joined")
RUNS: dict[str, Callable[[int], dict[str, Any]]] = {
    "product": product,
    "owner": product,
    "bulk": bulk,
    "each": each,
    "joined": joined,
    "bare": bare,
}


if __name__ == "__main__":
    main()
