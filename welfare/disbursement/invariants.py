"""What must always be true of the money, each as a question that finds the exceptions.

Checked after every test of the engine, nightly, and on demand by `manage.py
check_invariants`. Source: disbursement protocol, 7.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members import invariants as of_members
from union_portal import audit, guards, history
from union_portal.kit.crypto import SealBroken
from welfare.disbursement import gate
from welfare.disbursement.models import BankFile, SentMark
from welfare.disbursement.models.caps import COUNTED
from welfare.disbursement.register import RegisterBroken

SAMPLE: Final = 10


@dataclass(frozen=True)
class Result:
    """One invariant: `broken` counts its exceptions, `sample` names the first."""

    code: str
    title: str
    broken: int
    sample: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return self.broken == 0


@dataclass(frozen=True)
class Invariant:
    code: str
    title: str | Promise
    exceptions: Callable[[], Sequence[str]]

    def check(self) -> Result:
        found = list(self.exceptions())
        return Result(self.code, str(self.title), len(found), tuple(found[:SAMPLE]))


def check_all() -> list[Result]:
    """Check every invariant."""
    return [invariant.check() for invariant in INVARIANTS]


def _sql(statement: str) -> Callable[[], Sequence[str]]:
    def exceptions() -> Sequence[str]:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return [str(row[0]) for row in cursor.fetchall()]

    return exceptions


_NET_PAYMENTS = """
SELECT 'E' || e.id FROM (
    SELECT line_id, CASE result WHEN 'paid' THEN amount_fen WHEN 'returned' THEN -amount_fen
           ELSE 0 END AS fen
    FROM disbursement_returnrow WHERE verdict = 'applied'
    UNION ALL
    SELECT m.line_id, l.amount_fen FROM disbursement_motion m
    JOIN disbursement_payoutline l ON l.id = m.line_id
    WHERE m.kind = 'certificate' AND m.state = 'seconded' AND m.detail ->> 'result' = 'paid'
) told
JOIN disbursement_payoutline l ON l.id = told.line_id
JOIN disbursement_entitlement e ON e.id = l.entitlement_id
GROUP BY e.id, e.amount_fen HAVING sum(told.fen) NOT IN (0, e.amount_fen)
"""

_VISIBLE = """
SELECT l.e2e FROM disbursement_payoutline l
JOIN disbursement_entitlement e ON e.id = l.entitlement_id
JOIN disbursement_payoutbatch b ON b.id = l.batch_id
WHERE (e.state <> 'granted' AND l.state IN ('ready', 'sent', 'unknown', 'paid'))
   OR (l.state = 'ready' AND b.state NOT IN ('draft', 'sealed', 'approved'))
   OR (l.state NOT IN ('ready', 'void') AND b.state IN ('draft', 'sealed', 'approved', 'void'))
UNION ALL
SELECT 'E' || entitlement_id FROM disbursement_payoutline
WHERE state IN ('ready', 'sent', 'unknown', 'paid')
GROUP BY entitlement_id HAVING count(*) > 1
"""

_BOOK_IS_BANK = """
SELECT l.e2e FROM disbursement_payoutline l
WHERE l.state IN ('paid', 'failed', 'returned')
  AND NOT EXISTS (SELECT 1 FROM disbursement_returnrow r WHERE r.line_id = l.id
                  AND r.verdict = 'applied' AND r.result = l.state
                  AND r.amount_fen = l.amount_fen
                  AND r.account_fingerprint = l.account_fingerprint)
  AND NOT EXISTS (SELECT 1 FROM disbursement_motion m WHERE m.line_id = l.id
                  AND m.kind = 'certificate' AND m.state = 'seconded'
                  AND m.detail ->> 'result' = l.state)
UNION ALL
SELECT r.e2e FROM disbursement_returnrow r
LEFT JOIN disbursement_payoutline l ON l.id = r.line_id
WHERE r.verdict = 'applied' AND r.result <> 'unknown'
  AND (l.state = r.result OR (r.result = 'paid' AND l.state = 'returned')) IS NOT TRUE
"""

_ENTRIES_BALANCE = """
SELECT e.key FROM disbursement_entry e
LEFT JOIN disbursement_posting p ON p.entry_id = e.id
GROUP BY e.id HAVING count(p.id) < 2 OR sum(p.amount_fen) <> 0
UNION ALL
SELECT 'P' || p.id FROM disbursement_posting p
WHERE NOT EXISTS (SELECT 1 FROM disbursement_entry e WHERE e.id = p.entry_id)
"""

_BALANCES = """
SELECT a.fund_id || ' ' || a.kind FROM disbursement_ledgeraccount a
LEFT JOIN disbursement_posting p ON p.account_id = a.id
GROUP BY a.id HAVING a.balance_fen <> COALESCE(sum(p.amount_fen), 0)
    OR a.balance_fen < a.floor_fen
UNION ALL
SELECT 'P' || p.id FROM disbursement_posting p
WHERE NOT EXISTS (SELECT 1 FROM disbursement_ledgeraccount a WHERE a.id = p.account_id)
"""

_LINES_OF_FUND = """
SELECT f.code FROM disbursement_fund f
JOIN disbursement_ledgeraccount a ON a.fund_id = f.id AND a.kind = '{kind}'
LEFT JOIN disbursement_payoutbatch b ON b.fund_id = f.id
LEFT JOIN disbursement_payoutline l ON l.batch_id = b.id AND l.state IN ({states})
GROUP BY f.id, a.balance_fen HAVING a.balance_fen <> COALESCE(sum(l.amount_fen), 0)
"""

_RESERVED = """
SELECT f.code FROM disbursement_fund f
JOIN disbursement_ledgeraccount a ON a.fund_id = f.id AND a.kind = 'reserved'
LEFT JOIN disbursement_entitlement e ON e.fund_id = f.id AND e.state = 'granted'
     AND NOT EXISTS (SELECT 1 FROM disbursement_payoutline l WHERE l.entitlement_id = e.id
                     AND l.state IN ('sent', 'unknown', 'paid'))
GROUP BY f.id, a.balance_fen HAVING a.balance_fen <> COALESCE(sum(e.amount_fen), 0)
"""

_CAPPED = f"""
SELECT 'C' || c.id FROM disbursement_cap c
LEFT JOIN disbursement_entitlement e ON e.state = 'granted' AND {COUNTED}
GROUP BY c.id HAVING c.used_fen <> COALESCE(sum(e.amount_fen), 0) OR c.used_fen > c.ceiling_fen
"""  # noqa: S608

_FILES_TRUE = """
SELECT b.number FROM disbursement_payoutbatch b
LEFT JOIN disbursement_bankfile f ON f.batch_id = b.id
LEFT JOIN disbursement_sentmark m ON m.batch_number = b.number
LEFT JOIN LATERAL disbursement_batch_content(b.id) c ON true
WHERE b.state NOT IN ('draft', 'void')
  AND ((c.digest, c.lines_count, c.total_fen)
       IS DISTINCT FROM (b.digest::text, b.lines_count, b.total_fen)
    OR (b.state NOT IN ('sealed', 'approved')
        AND (f.digest, f.lines_count, f.total_fen)
            IS DISTINCT FROM (b.digest, b.lines_count, b.total_fen))
    OR (b.state NOT IN ('sealed', 'approved', 'generated', 'delivering')
        AND (m.sha256, m.name, m.lines_count, m.total_fen)
            IS DISTINCT FROM (f.sha256, f.name, f.lines_count, f.total_fen)))
"""

# Whoever made or approved a batch is whom the log names; of one that was told to a restored
# database by the register, the log was lost.
_APPROVERS = """
SELECT b.number FROM disbursement_payoutbatch b
LEFT JOIN disbursement_batchapproval a
       ON a.batch_id = b.id AND a.round = b.round AND a.digest = b.digest
      AND b.required_steps @> to_jsonb(a.step::text)
WHERE b.state NOT IN ('draft', 'sealed', 'void')
GROUP BY b.id
HAVING count(DISTINCT a.account_id) <> jsonb_array_length(b.required_steps)
    OR count(DISTINCT a.account_id) < 3
UNION ALL
SELECT b.number || ' ' || said.step FROM disbursement_payoutbatch b
JOIN (
    SELECT batch_id, account_id, 'approve_' || step AS step, digest, id::text AS approval
    FROM disbursement_batchapproval
    UNION ALL
    SELECT id, made_by_id, 'draft', NULL, NULL FROM disbursement_payoutbatch
) said ON said.batch_id = b.id
WHERE NOT EXISTS (
    SELECT 1 FROM union_portal_auditentry e
    WHERE e.subject_type = 'disbursement.payoutbatch' AND e.subject_id = b.id::text
      AND ((e.action = 'payoutbatch.' || said.step AND e.actor_id = said.account_id
            AND e.detail ->> 'digest' IS NOT DISTINCT FROM said.digest
            AND e.detail ->> 'approval' IS NOT DISTINCT FROM said.approval)
        OR (e.actor = 'register replay' AND e.actor_id IS NULL)))
"""

_NOTHING_WAITS = """
SELECT b.number FROM disbursement_payoutbatch b
WHERE b.state IN ('approved', 'generated', 'delivering') AND b.held_since IS NULL
  AND GREATEST(b.approved_at, b.generated_at, b.lease_until)
      < clock_timestamp() - interval '2 minutes'
  AND NOT EXISTS (SELECT 1 FROM disbursement_gate WHERE state = 'safe')
"""

# Each step of a batch has one entry of its own; sets of lines have one entry a statement,
# which holds how many moved.
_ALL_LOGGED = """
WITH said AS (
    SELECT subject_type, subject_id, split_part(action, '.', 2) AS step, count(*) AS n,
           sum(CASE WHEN subject_id = 'set' THEN (detail ->> 'count')::bigint ELSE 1 END) AS rows
    FROM union_portal_auditentry
    WHERE subject_type IN ('disbursement.payoutbatch', 'disbursement.payoutline',
                           'disbursement.entitlement', 'disbursement.motion')
      AND action IN ({actions})
    GROUP BY 1, 2, 3
), batch_steps (step, place) AS (
    VALUES ('approved', 2), ('generated', 3), ('delivering', 4), ('delivered', 5),
           ('reconciled', 6), ('closed', 7)
), batch_places (state, place) AS (
    VALUES ('draft', 0), ('sealed', 1), ('approved', 2), ('generated', 3), ('delivering', 4),
           ('delivered', 5), ('reconciled', 6), ('closed', 7)
), line_steps (step, states) AS (
    VALUES ('sent', ARRAY['sent', 'unknown', 'paid', 'failed', 'returned']),
           ('paid', ARRAY['paid', 'returned']), ('failed', ARRAY['failed']),
           ('returned', ARRAY['returned']), ('void', ARRAY['void'])
)
SELECT b.number || ' ' || s.step FROM disbursement_payoutbatch b
JOIN batch_places p ON p.state = b.state
CROSS JOIN batch_steps s
LEFT JOIN said ON said.subject_type = 'disbursement.payoutbatch'
     AND said.subject_id = b.id::text AND said.step = s.step
WHERE COALESCE(said.n, 0) <> CASE WHEN s.place <= p.place THEN 1 ELSE 0 END
UNION ALL
SELECT b.number || ' sealed' FROM disbursement_payoutbatch b
LEFT JOIN said ON said.subject_type = 'disbursement.payoutbatch'
     AND said.subject_id = b.id::text AND said.step = 'sealed'
WHERE COALESCE(said.n, 0) <> b.round
UNION ALL
SELECT 'lines ' || s.step FROM line_steps s
WHERE COALESCE((SELECT sum(rows) FROM said WHERE subject_type = 'disbursement.payoutline'
                AND step = s.step), 0)
   <> (SELECT count(*) FROM disbursement_payoutline WHERE state = ANY(s.states))
UNION ALL
SELECT 'E' || e.id FROM disbursement_entitlement e
WHERE e.state <> 'granted' AND NOT EXISTS (
    SELECT 1 FROM said WHERE subject_type = 'disbursement.entitlement'
    AND subject_id = e.id::text AND step = e.state)
UNION ALL
SELECT 'M' || m.id FROM disbursement_motion m
WHERE m.state <> 'moved' AND NOT EXISTS (
    SELECT 1 FROM said WHERE subject_type = 'disbursement.motion'
    AND subject_id = m.id::text AND step = m.state)
"""

_ACTIONS: Final = ", ".join(
    f"'{model}.{state}'"
    for model, states in {
        "payoutbatch": (
            "sealed", "approved", "generated", "delivering", "delivered", "reconciled", "closed",
        ),
        "payoutline": ("sent", "paid", "failed", "returned", "void"),
        "entitlement": ("withdrawn", "written_off"),
        "motion": ("seconded", "declined"),
    }.items()
    for state in states
)  # fmt: skip


def _files() -> Sequence[str]:
    """Stored bytes against their digest, the register's own lines against their mirror."""
    faults = list(_sql(_FILES_TRUE)())
    faults += [file.name for file in BankFile.objects.defer("body") if not _holds_its_bytes(file)]
    try:
        marks = {mark.sequence: mark for mark in gate.register().marks()}
    except RegisterBroken as error:
        return [*faults, str(error)]
    for known in SentMark.objects.iterator(chunk_size=1000):
        mark = marks.get(known.sequence)
        if mark is None or (mark.batch_number, mark.content_sha256, mark.digest) != (
            known.batch_number,
            known.sha256,
            known.chain,
        ):
            faults.append(f"register {known.sequence}")
    return faults


def _holds_its_bytes(file: BankFile) -> bool:
    """Whether the stored bytes open, and are those that left."""
    try:
        body = base64.b64decode(file.body)  # read now: a broken seal is of this file alone
    except SealBroken:
        return False
    return (len(body), sha256(body).hexdigest()) == (file.size, file.sha256)


INVARIANTS: Final[tuple[Invariant, ...]] = (
    Invariant("I1", _("Nobody is paid twice or in part"), _sql(_NET_PAYMENTS)),
    Invariant("I2", _("Every entitlement is paid, live or visibly ended"), _sql(_VISIBLE)),
    Invariant("I3", _("The books say what the bank said, both ways"), _sql(_BOOK_IS_BANK)),
    Invariant("I4", _("Every entry balances"), _sql(_ENTRIES_BALANCE)),
    Invariant("I5", _("Every balance is the sum of its postings"), _sql(_BALANCES)),
    Invariant(
        "I6",
        _("Money in transit is what the bank has not answered"),
        _sql(_LINES_OF_FUND.format(kind="transit", states="'sent', 'unknown'")),
    ),
    Invariant(
        "I7",
        _("Money spent is what was paid"),
        _sql(_LINES_OF_FUND.format(kind="spent", states="'paid'")),
    ),
    Invariant("I8", _("File, register and approved content are one"), _files),
    Invariant("I9", _("Different people approved exactly this content"), _sql(_APPROVERS)),
    Invariant("I10", _("No batch waits for a worker in vain"), _sql(_NOTHING_WAITS)),
    Invariant(
        "I11", _("Every step has its entry in the log"), _sql(_ALL_LOGGED.format(actions=_ACTIONS))
    ),
    Invariant("I12", _("The log is whole"), lambda: [*audit.verify(), *history.differences()]),
    Invariant("I13", _("Money reserved is what is owed and not on its way"), _sql(_RESERVED)),
    Invariant("I14", _("Nobody is granted more than a ceiling allows"), _sql(_CAPPED)),
    Invariant(
        "I16",
        _("Everybody's live membership is in their union"),
        of_members.members_of_other_unions,
    ),
    Invariant("I17", _("A merged row takes part in nothing"), of_members.merged_at_work),
)
# Of the tables rather than the rows: asked by the command, not after every test.
GUARDS: Final = Invariant("I15", _("Every guard of the tables stands"), guards.fallen)
