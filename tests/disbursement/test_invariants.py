"""Every invariant notices its own kind of damage."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.roles import the_superuser
from welfare.disbursement import invariants


def damage(sql: str, *params: object) -> None:
    """Change rows as a database superuser can: past every trigger and check."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with the_superuser(), connection.cursor() as cursor:
        cursor.execute(sql, params)
        assert cursor.rowcount > 0, "the damage did nothing"


def broken() -> set[str]:
    return {result.code for result in invariants.check_all() if not result.holds}


def test_nothing_is_broken_in_an_ordinary_year(doomed_office):
    doomed_office.settled("paid", "failed", "paid")
    doomed_office.released(2)
    assert broken() == set()


@pytest.mark.parametrize(
    ("code", "sql"),
    [
        (
            "I1",
            "INSERT INTO disbursement_returnrow (file_id, number, e2e, amount_fen,"
            " account_fingerprint, result, bank_ref, reason_code, reason, verdict, line_id)"
            " SELECT file_id, 99, e2e, amount_fen, account_fingerprint, result, 'again', '', '',"
            " verdict, line_id FROM disbursement_returnrow WHERE result = 'paid' LIMIT 1",
        ),
        ("I1", "UPDATE disbursement_returnrow SET amount_fen = 29999 WHERE result = 'paid'"),
        (
            "I2",
            "UPDATE disbursement_entitlement SET state = 'withdrawn' WHERE id IN"
            " (SELECT entitlement_id FROM disbursement_payoutline WHERE state = 'paid')",
        ),
        ("I2", "UPDATE disbursement_payoutbatch SET state = 'draft'"),
        ("I3", "UPDATE disbursement_payoutline SET state = 'paid' WHERE state = 'failed'"),
        ("I3", "UPDATE disbursement_returnrow SET result = 'failed' WHERE result = 'paid'"),
        (
            "I4",
            "UPDATE disbursement_posting SET amount_fen = amount_fen + 1 WHERE id ="
            " (SELECT max(id) FROM disbursement_posting)",
        ),
        ("I4", "DELETE FROM disbursement_posting WHERE position = 2"),
        (
            "I5",
            "UPDATE disbursement_ledgeraccount SET balance_fen = balance_fen + 1"
            " WHERE kind = 'available'",
        ),
        ("I6", "UPDATE disbursement_payoutline SET state = 'sent' WHERE state = 'paid'"),
        ("I7", "UPDATE disbursement_payoutline SET state = 'returned' WHERE state = 'paid'"),
        ("I8", "UPDATE disbursement_bankfile SET sha256 = repeat('0', 64)"),
        ("I8", "UPDATE disbursement_sentmark SET sha256 = repeat('0', 64)"),
        ("I8", "UPDATE disbursement_payoutline SET payee_name = 'Somebody Else'"),
        ("I8", "UPDATE disbursement_payoutline SET account_fingerprint = repeat('0', 64)"),
        ("I9", "DELETE FROM disbursement_batchapproval WHERE step = 'checker'"),
        (
            "I9",
            "UPDATE disbursement_batchapproval SET round = 7, account_id = (SELECT made_by_id FROM"
            " disbursement_payoutbatch) WHERE step = 'releaser'",
        ),
        ("I9", "UPDATE disbursement_batchapproval SET digest = 'x' WHERE step = 'releaser'"),
        (
            "I10",
            "UPDATE disbursement_payoutbatch SET state = 'generated', lease_until = NULL,"
            " approved_at = now() - interval '1 hour', generated_at = now() - interval '1 hour'",
        ),
        (
            "I11",
            "DELETE FROM union_portal_auditentry WHERE action = 'payoutbatch.approved'",
        ),
        ("I11", "DELETE FROM union_portal_auditentry WHERE action = 'payoutline.paid'"),
        ("I11", "UPDATE disbursement_payoutbatch SET state = 'closed'"),
        ("I13", "UPDATE disbursement_payoutline SET state = 'failed' WHERE state = 'paid'"),
    ],
)
def test_each_kind_of_damage_is_noticed(doomed_office, code, sql):
    doomed_office.settled("paid", "failed", "paid")
    assert broken() == set()
    damage(sql)
    assert code in broken()


def test_a_changed_log_is_noticed(doomed_office):
    from union_portal import audit

    doomed_office.settled("paid")
    audit.seal()
    damage("UPDATE union_portal_auditentry SET actor = 'nobody' WHERE block = 1")
    assert "I12" in broken()


def test_an_emptied_register_breaks_an_invariant(doomed_office, settings):
    doomed_office.settled("paid")
    (settings.REGISTER_DIR / "sent.jsonl").write_text("")
    assert "I8" in broken()


def test_the_command_prints_what_it_checked(doomed_office):
    doomed_office.settled("paid", "failed")
    out = StringIO()
    call_command("check_invariants", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"checked": 17, "broken": 0, "exceptions": {}}


def test_the_command_fails_on_damage(doomed_office):
    doomed_office.settled("paid")
    damage(
        "UPDATE disbursement_ledgeraccount SET balance_fen = balance_fen + 1"
        " WHERE kind = 'available'"
    )
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("check_invariants", stdout=out)
    assert "BROKEN" in out.getvalue()
