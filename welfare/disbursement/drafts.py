"""Drafts: numbered, parted by what the bank's files take, and filled by one statement each."""

from datetime import date
from typing import Final

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext_noop as _

from union_portal import audit, sets
from union_portal.models import Account, Organization
from welfare.disbursement import formats, gate, statistics
from welfare.disbursement.models import Entitlement, Fund, PayoutBatch, PayoutLine
from welfare.disbursement.refusals import PayoutRefused, explained

_FILL: Final = """
    INSERT INTO disbursement_payoutline (batch_id, entitlement_id, attempt, position,
        e2e, amount_fen, bank_account_id, payee_name, account_number,
        account_fingerprint, account_last_four, bank_name, bank_code, state)
    SELECT %s, e.id, 1 + COALESCE((SELECT max(l.attempt) FROM disbursement_payoutline l
                                   WHERE l.entitlement_id = e.id), 0),
           c.n, %s || '-' || lpad(c.n::text, 6, '0'), e.amount_fen, a.id, a.holder,
           a.number, a.fingerprint, a.last_four, a.bank_name, a.bank_code, 'ready'
    FROM unnest(%s::bigint[]) WITH ORDINALITY c (id, n)
    JOIN disbursement_entitlement e ON e.id = c.id
    JOIN members_bankaccount a ON a.payee = e.payee AND a.state = 'confirmed'
    ORDER BY c.n
"""


def begin(
    fund: Fund,
    scheme: str,
    period: str,
    organization: Organization,
    *,
    by: Account,
    today: date,
    corrects: PayoutBatch | None = None,
) -> PayoutBatch:
    """An empty draft with a number of its own."""
    made = PayoutBatch.objects.create(
        number=_number(today),
        fund=fund,
        scheme=scheme,
        period=period,
        organization=organization,
        bank_format=formats.stored(fund.bank_format),
        pay_on=today,
        corrects=corrects,
        made_by=by,
    )
    audit.record("payoutbatch.draft", made, by=by, corrects=corrects.number if corrects else None)
    return made


def _number(today: date) -> str:
    """A number never used, not even by a batch that only the sent register remembers."""
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT nextval('disbursement_batch_number')")
            number = f"P{today.year}{cursor.fetchone()[0]:07d}"
            if not gate.has_sent(number):
                return number


def parted(payable: QuerySet[Entitlement], most: int, *, at_most: int | None) -> list[str]:
    """Who is paid, in the order of unions, by drafts of `most`: judged and sorted once.

    Each is PostgreSQL's own text of an array of ids, which only travels through here. Drafts
    have to stand before their lines: whether a line may be added is asked of its batch.
    """
    chosen = sets.source(payable.order_by(), "pk", "organization__path")
    if chosen is None:
        return []
    with connection.cursor() as cursor:
        statistics.make_room(cursor)
        cursor.execute(
            f"""
            SELECT array_agg(n.id ORDER BY n.path, n.id)::text
            FROM (SELECT c.*, (row_number() OVER (ORDER BY c.path, c.id) - 1) / %s AS draft
                  FROM ({chosen.sql}) c (id, path)) n
            GROUP BY n.draft ORDER BY n.draft LIMIT %s
            """,  # noqa: S608
            [most, *chosen.parameters, at_most],
        )
        return [ids for (ids,) in cursor.fetchall()]


def fill(batch: PayoutBatch, ids: str) -> None:
    """One INSERT … SELECT: a line for each in their order, payee copied onto it.

    Refuses if an account was retired since everybody was judged.
    """
    with explained(), connection.cursor() as cursor:
        statistics.make_room(cursor)
        cursor.execute(_FILL, [batch.pk, batch.number, ids])
        count = cursor.rowcount
    if count != ids.count(",") + 1:
        raise PayoutRefused(
            _("A bank account was retired a moment ago."), _("Reload the list and assemble again.")
        )
    sets.refresh(PayoutLine, count)
    audit.record("payoutbatch.fill", batch, by=batch.made_by, count=count)
