"""Edits of what is kept for ever: money, approvals, decisions, downloads, what was sent.

Every column that the models freeze, on every such table, so that a new one is edited as well; and
columns that change in the course of business but are held by an invariant.
"""

import random
from functools import partial

from tests.audit import rows
from tests.audit.log_edits import Edit
from union_portal import history

# Not frozen, or not numbered by a sequence, and held by an invariant: (table, column).
HELD = (
    ("disbursement_ledgeraccount", "balance_fen"),
    ("disbursement_entitlement", "state"),
    ("disbursement_payoutline", "state"),
    *(("disbursement_payoutbatch", column) for column in (
        "round", "required_steps", "lines_count", "total_fen", "digest", "pay_on",
        "bank_format_id",
    )),
    *(("disbursement_bankfile", column) for column in (
        "batch_id", "name", "sha256", "size", "lines_count", "total_fen", "digest", "body",
    )),
    *(("disbursement_sentmark", column) for column in (
        "sequence", "batch_number", "name", "sha256", "lines_count", "total_fen", "chain",
    )),
)  # fmt: skip


# A row of the bank that was not applied waits, or repeats another: its verdict is no money.
APPLIED = rows.Column("disbursement_returnrow", "verdict", "character varying", 8)


def kinds() -> dict[str, Edit]:
    """Every kind of edit of the tables that hold a row, by name."""
    named = {(table, name) for table, names in history.kept().items() for name in names}
    tables = sorted(table for table in {one for one, _ in named | set(HELD)} if _holds_rows(table))
    edits: dict[str, Edit] = {
        f"{_short(table)} {column.name}": partial(_change, column)
        for table in tables
        for column in rows.columns(table)
        if (table, column.name) in named | set(HELD)
    }
    edits |= {f"{_short(table)} row removed": partial(_remove, table) for table in tables}
    return edits | {
        "returnrow verdict": lambda rng: rows.change(APPLIED, rng, "verdict = 'applied'"),
        "decision refused after all": _refuse,
    }


def _refuse(rng: random.Random) -> int:
    """Outcome and sum go together: neither can be edited alone into a refusal."""
    granted = rows.value(
        "SELECT array_agg(id ORDER BY id) FROM union_portal_decision WHERE outcome = 'granted'"
    )
    return rows.execute(
        "UPDATE union_portal_decision SET outcome = 'refused', amount_fen = 0 WHERE id = %s",
        rng.choice(granted),
    )


def _change(column: rows.Column, rng: random.Random) -> int:
    return rows.change(column, rng)


def _remove(table: str, rng: random.Random) -> int:
    return rows.remove(table, rng)


def _holds_rows(table: str) -> bool:
    return bool(rows.value(f'SELECT EXISTS (SELECT 1 FROM "{table}")'))


def _short(table: str) -> str:
    return table.partition("_")[2].removeprefix("portal_")
