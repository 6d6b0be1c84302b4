"""Direct SQL against every constraint and trigger: each is refused by its own name."""

from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction

from tests.cast import make_bank_account, make_payee, make_person, make_rule_set
from tests.disbursement.conftest import SCHEME
from tests.roles import AS_OWNER, read_as_the_mightiest, the_superuser
from union_portal import lifecycle
from union_portal.privileges import APPLICATION, WEB
from union_portal.states import DecisionState
from welfare.disbursement import batches, gate, motions
from welfare.disbursement.refusals import constraint_of
from welfare.disbursement.states import LINE as LINE_STEPS
from welfare.disbursement.states import LineState

NO_PRIVILEGE = "42501"


def attack(sql: str, *params: object) -> str:
    """Run a statement as everybody, each in a savepoint of its own; what refused the owner.

    The roles of the application are refused by the same, or for want of the privilege.
    """
    refused = attack_as("none", sql, *params)
    for role in APPLICATION if refused else ():
        assert attack_as(role, sql, *params) in (refused, NO_PRIVILEGE), role
    return refused


def attack_as(role: str, sql: str, *params: object) -> str:
    """The name of the constraint that refused, the code for want of a privilege, or ''."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if role == WEB:
                read_as_the_mightiest()
            cursor.execute(f"SET LOCAL ROLE {role}")
            # What stands is settled first: TRUNCATE waits for no pending check.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            cursor.execute(sql, params)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    except DatabaseError as error:
        code: str = error.__cause__.pgcode
        return constraint_of(error) or (NO_PRIVILEGE if code == NO_PRIVILEGE else "")
    return ""


# -- the ledger -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "refused_by"),
    [
        (
            "UPDATE disbursement_ledgeraccount SET balance_fen = balance_fen + 1",
            "ledger_account_balance_posted",
        ),
        (
            "UPDATE disbursement_ledgeraccount SET floor_fen = -1 WHERE kind = 'available'",
            "ledger_account_frozen",
        ),
        ("DELETE FROM disbursement_ledgeraccount", "ledger_account_no_delete"),
        ("TRUNCATE disbursement_ledgeraccount CASCADE", "*_no_truncate"),
        ("UPDATE disbursement_entry SET reason = 'x'", "entry_append_only"),
        ("DELETE FROM disbursement_entry", "entry_append_only"),
        ("TRUNCATE disbursement_entry CASCADE", "*_no_truncate"),
        ("UPDATE disbursement_posting SET amount_fen = 1", "posting_append_only"),
        ("DELETE FROM disbursement_posting", "posting_append_only"),
        ("TRUNCATE disbursement_posting", "posting_no_truncate"),
        (
            "INSERT INTO disbursement_ledgeraccount (fund_id, kind, balance_fen, floor_fen)"
            " SELECT id, 'gifts', 5, 0 FROM disbursement_fund",
            "ledger_account_born_empty",
        ),
        (
            "INSERT INTO disbursement_ledgeraccount (fund_id, kind, balance_fen, floor_fen)"
            " SELECT id, 'gifts', 0, NULL FROM disbursement_fund",
            "ledger_account_only_source_has_no_floor",
        ),
        (
            "INSERT INTO disbursement_posting (entry_id, position, account_id, amount_fen)"
            " SELECT e.id, 3, a.id, 5 FROM disbursement_entry e, disbursement_ledgeraccount a"
            " WHERE a.kind = 'available'",
            "",
        ),
        ("DELETE FROM disbursement_fund", "fund_no_delete"),
    ],
)
def test_the_books_are_not_written_by_hand(office, sql, refused_by):
    refused = attack(sql)
    if refused_by == "":
        # Within one test everything is one transaction: the balance refuses instead.
        assert refused == "entry_balanced"
    elif refused_by.startswith("*"):
        assert refused.endswith(refused_by[1:])
    else:
        assert refused == refused_by


ENTRY = (
    "INSERT INTO disbursement_entry (fund_id, kind, key, reason)"
    " SELECT id, 'grant', %s, '' FROM disbursement_fund WHERE code = 'model-workers'"
    " RETURNING id"
)


def forge(office, *legs: tuple[str, int], key: str = "forged", fund_code: str = "") -> str:
    """An entry with these legs (account kind, fen); the name of what refused it."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(AS_OWNER)
            cursor.execute(ENTRY, [key])
            entry = cursor.fetchone()[0]
            for position, (kind, fen) in enumerate(legs, start=1):
                cursor.execute(
                    "INSERT INTO disbursement_posting (entry_id, position, account_id, amount_fen)"
                    " SELECT %s, %s, a.id, %s FROM disbursement_ledgeraccount a"
                    " JOIN disbursement_fund f ON f.id = a.fund_id"
                    " WHERE a.kind = %s AND f.code = %s",
                    [entry, position, fen, kind, fund_code or office.fund.code],
                )
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    except DatabaseError as error:
        return constraint_of(error)
    return ""


def test_an_entry_must_balance_with_two_legs(office):
    assert forge(office) == "entry_balanced"
    assert forge(office, ("available", 5)) == "entry_balanced"
    assert forge(office, ("available", -5), ("reserved", 6)) == "entry_balanced"


def test_a_leg_of_nothing_is_refused(office):
    assert forge(office, ("available", 0), ("reserved", 0)) == "posting_amount_not_zero"


def test_a_fund_is_never_overspent(office):
    assert forge(office, ("available", -(10**9)), ("reserved", 10**9)) == "ledger_account_floor"


def test_the_same_event_lands_once(office):
    assert forge(office, key="appropriate:budget-2026") == "disbursement_entry_key_key"


def test_an_entry_stays_within_its_fund(office):
    from welfare.disbursement import ledger

    ledger.open_fund(
        code="other", name="Other", year=2026, organization=office.cast.tree.city,
        schemes=[SCHEME], payer_name="x", payer_account="1", by=office.cast.feng,
    )  # fmt: skip
    assert forge(office, ("available", -5), ("reserved", 5), fund_code="other") == (
        "posting_same_fund"
    )


@pytest.mark.django_db(transaction=True)
def test_an_entry_takes_postings_in_its_own_transaction_only(office):
    assert (
        attack(
            "INSERT INTO disbursement_posting (entry_id, position, account_id, amount_fen)"
            " SELECT e.id, n, a.id, CASE n WHEN 3 THEN -5 ELSE 5 END FROM disbursement_entry e,"
            " disbursement_ledgeraccount a, generate_series(3, 4) n WHERE a.kind = 'available'"
        )
        == "posting_in_its_transaction"
    )


@pytest.mark.django_db(transaction=True)
def test_a_forged_transaction_id_changes_nothing(office):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")
        own = cursor.fetchone()[0]
        cursor.execute(
            "INSERT INTO disbursement_entry (fund_id, kind, key, reason, tx)"
            " SELECT id, 'grant', 'f', '', '7'::xid8 FROM disbursement_fund RETURNING tx"
        )
        assert cursor.fetchone()[0] == own
        transaction.set_rollback(True)


# -- entitlements -----------------------------------------------------------------------

OWE = """
INSERT INTO disbursement_entitlement (decision_id, person_id, fund_id, organization_id, scheme,
    period, amount_fen, claim_key, state)
SELECT d.id, p.id, f.id, d.organization_id, d.scheme, d.period, d.amount_fen + {more},
       d.scheme || ':' || p.national_id_index || ':' || d.period || '{suffix}', '{state}'
FROM union_portal_decision d, members_person p, disbursement_fund f
WHERE d.id = %s AND p.id = %s AND f.code = '{fund}'
"""


def owe(decision, person, *, more=0, suffix="", state="granted", fund="model-workers") -> str:
    return attack(
        OWE.format(more=more, suffix=suffix, state=state, fund=fund), decision.pk, person.pk
    )


def test_an_entitlement_is_what_was_decided(office):
    person = make_payee(office.cast)
    decision = office.clear_decision(person)
    assert owe(decision, person, more=1) == "entitlement_as_decided"
    assert owe(decision, person, suffix="x") == "entitlement_claim_key_true"
    assert owe(decision, person, state="withdrawn") == "entitlement_steps"


def test_a_refusal_owes_nothing(office):
    from tests.cast import make_decision

    person = make_payee(office.cast)
    refused = make_decision(office.cast, office.rule_set, person, outcome="refused", amount_fen=0)
    assert owe(refused, person, more=1) == "entitlement_decision_granted"


def test_a_withdrawn_decision_owes_nothing(office):
    person = make_payee(office.cast)
    decision = office.clear_decision(person)
    lifecycle.advance(decision, to=DecisionState.WITHDRAWN, by=office.cast.decider)
    assert owe(decision, person) == "entitlement_decision_granted"


def test_another_fund_than_the_rule_set_names_pays_nothing(office):
    from welfare.disbursement import ledger

    ledger.open_fund(
        code="other", name="Other", year=2026, organization=office.cast.tree.city,
        schemes=[SCHEME], payer_name="x", payer_account="1", by=office.cast.feng,
    )  # fmt: skip
    person = make_payee(office.cast)
    assert owe(office.clear_decision(person), person, fund="other") == "entitlement_fund_of_rule"


def test_a_claim_is_granted_once_whatever_the_decision(office):
    person = make_payee(office.cast)
    office.owe_one(person)
    second = office.clear_decision(person)
    assert owe(second, person) == "entitlement_claim_once"


@pytest.mark.parametrize(
    ("sql", "refused_by"),
    [
        ("UPDATE disbursement_entitlement SET amount_fen = 1", "entitlement_frozen"),
        ("UPDATE disbursement_entitlement SET claim_key = 'x'", "entitlement_frozen"),
        ("UPDATE disbursement_entitlement SET person_id = 1 + person_id", "entitlement_frozen"),
        (
            "UPDATE disbursement_entitlement SET state = 'withdrawn'",
            "entitlement_ended_by_two",
        ),
        (
            "UPDATE disbursement_entitlement SET state = 'written_off'",
            "entitlement_ended_by_two",
        ),
        ("UPDATE disbursement_entitlement SET state = 'paid'", "entitlement_steps"),
        ("DELETE FROM disbursement_entitlement", "entitlement_no_delete"),
        ("TRUNCATE disbursement_entitlement CASCADE", "*_no_truncate"),
    ],
)
def test_what_is_owed_is_not_edited(office, sql, refused_by):
    office.owe(1)
    assert attack(sql).endswith(refused_by.strip("*"))


# -- lines ------------------------------------------------------------------------------

LINE = """
INSERT INTO disbursement_payoutline (batch_id, entitlement_id, attempt, position, e2e,
    amount_fen, bank_account_id, payee_name, account_number, account_fingerprint,
    account_last_four, bank_name, bank_code, state)
SELECT b.id, e.id, {attempt}, 99, 'forged-1', e.amount_fen + {more}, a.id, {name}, a.number,
       a.fingerprint, a.last_four, a.bank_name, '', '{state}'
FROM disbursement_payoutbatch b, disbursement_entitlement e
JOIN members_bankaccount a ON a.person_id = {person}
WHERE b.id = %s AND e.id = %s AND a.state {account}
"""


def add_line(batch, entitlement, **more) -> str:
    fields = {
        "attempt": 1,
        "more": 0,
        "name": "a.holder",
        "state": "ready",
        "person": "e.person_id",
        "account": "= 'confirmed'",
    }
    return attack(LINE.format(**{**fields, **more}), batch.pk, entitlement.pk)


@pytest.fixture
def draft(office):
    """A draft with one line, and one more person who is owed and not in it."""
    office.owe(1)
    batch = office.assemble()
    (outside,) = office.owe(1)
    return batch, outside


FORBIDDEN = [
    (old, new)
    for old in LINE_STEPS.steps
    for new in LineState.values
    if new != old and not LINE_STEPS.allows(old, new)
]


@pytest.mark.parametrize(("old", "new"), FORBIDDEN)
def test_a_line_takes_no_step_beside_its_table(office, old, new):
    office.delivered(1)
    with the_superuser(), connection.cursor() as cursor:
        cursor.execute("UPDATE disbursement_payoutline SET state = %s", [old])
    assert attack("UPDATE disbursement_payoutline SET state = %s", new) == "payout_line_steps"
    with the_superuser(), connection.cursor() as cursor:
        cursor.execute("UPDATE disbursement_payoutline SET state = 'sent'")


@pytest.mark.parametrize(
    ("change", "refused_by"),
    [
        ({"more": 1}, "payout_line_amount_of_entitlement"),
        ({"state": "sent"}, "payout_line_steps"),
        ({"state": "paid"}, "payout_line_steps"),
        ({"name": "'Somebody Else'"}, "payout_line_account_confirmed"),
        ({"attempt": 2}, "payout_line_retry_permitted"),
    ],
)
def test_a_line_is_what_is_owed_to_whom(draft, change, refused_by):
    batch, outside = draft
    assert add_line(batch, outside, **change) == refused_by


def test_a_line_needs_a_confirmed_account_of_the_person(office, draft):
    batch, _outside = draft
    poor = office.owe_one(make_person(office.cast.tree.union))
    make_bank_account(poor.person, entered_by=office.cast.qiao)
    assert add_line(batch, poor, account="= 'proposed'") == "payout_line_account_confirmed"
    other = make_payee(office.cast)
    assert add_line(batch, poor, person=str(other.pk)) == "payout_line_account_confirmed"


@pytest.mark.parametrize("state", ["contested", "withdrawn"])
def test_only_a_clear_decision_is_paid(office, draft, state):
    batch, outside = draft
    lifecycle.advance(outside.decision, to=state, by=office.cast.decider)
    assert add_line(batch, outside) == "payout_line_decision_clear"


def test_a_line_is_of_the_scheme_and_period_of_its_batch(office, draft):
    batch, _outside = draft
    other = office.owe_one(make_payee(office.cast), period="2025")
    assert add_line(batch, other) == "payout_line_of_its_batch"


def test_a_payment_outside_its_rule_set_is_refused(office, draft):
    batch, _outside = draft
    lapsed = make_rule_set(
        office.cast, SCHEME, valid_from=date(2019, 1, 1), valid_to=date(2023, 12, 31)
    )
    late = office.owe_one(make_payee(office.cast), rule_set=lapsed, decided_on=date(2023, 12, 1))
    assert add_line(batch, late) == "payout_line_rule_in_force"


def test_a_second_live_line_is_refused(office, draft):
    batch, _outside = draft
    line = office.line(batch)
    assert add_line(batch, line.entitlement) in (
        "payout_line_one_live_or_paid",
        "payout_line_attempt_once",
    )
    assert add_line(batch, line.entitlement, attempt=2) in (
        "payout_line_one_live_or_paid",
        "payout_line_retry_permitted",
    )


def test_a_sealed_batch_takes_no_line(office, draft):
    batch, outside = draft
    batches.seal(batch=batch, by=office.cast.feng)
    assert add_line(batch, outside) == "payout_line_of_draft"


@pytest.mark.parametrize(
    ("sql", "refused_by"),
    [
        ("UPDATE disbursement_payoutline SET amount_fen = 1", "payout_line_frozen"),
        ("UPDATE disbursement_payoutline SET payee_name = 'x'", "payout_line_frozen"),
        ("UPDATE disbursement_payoutline SET account_fingerprint = 'x'", "payout_line_frozen"),
        ("UPDATE disbursement_payoutline SET e2e = 'x'", "payout_line_frozen"),
        ("UPDATE disbursement_payoutline SET state = 'paid'", "payout_line_steps"),
        ("UPDATE disbursement_payoutline SET state = 'sent'", "payout_line_sent_with_batch"),
        ("UPDATE disbursement_payoutline SET state = 'void'", "payout_line_void_with_batch"),
        ("DELETE FROM disbursement_payoutline", "payout_line_no_delete"),
        ("TRUNCATE disbursement_payoutline CASCADE", "_no_truncate"),
    ],
)
def test_sealed_lines_are_frozen(office, sql, refused_by):
    office.sealed(1)
    assert attack(sql).endswith(refused_by)


@pytest.mark.parametrize("state", ["paid", "failed"])
def test_only_the_banks_word_settles_a_line(office, state):
    office.delivered(1)
    assert attack("UPDATE disbursement_payoutline SET state = %s", state) == (
        "payout_line_bank_said_so"
    )


def test_paid_money_comes_back_only_by_the_banks_word(office):
    office.settled("paid")
    assert attack("UPDATE disbursement_payoutline SET state = 'returned'") == (
        "payout_line_bank_said_so"
    )
    assert attack("UPDATE disbursement_payoutline SET state = 'failed'") == "payout_line_steps"


# -- batches ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "refused_by"),
    [
        ("SET total_fen = 1", "payout_batch_frozen"),
        ("SET digest = repeat('0', 64)", "payout_batch_frozen"),
        ("SET lines_count = 99", "payout_batch_frozen"),
        ("SET required_steps = '[\"maker\"]'", "payout_batch_frozen"),
        ("SET pay_on = '2020-01-01'", "payout_batch_frozen"),
        ("SET number = 'x'", "payout_batch_identity_frozen"),
        ("SET made_by_id = made_by_id + 1", "payout_batch_identity_frozen"),
        ("SET state = 'approved'", "payout_batch_approved_by_all"),
        ("SET state = 'generated'", "payout_batch_steps"),
        ("SET state = 'closed'", "payout_batch_steps"),
        ("SET state = 'void', fence = fence + 1", "payout_batch_void_by_two"),
        ("SET state = 'void'", "payout_batch_fence_rises"),
        ("SET fence = fence - 1", "*fence*"),
        ("SET owner = 'me'", "payout_batch_fence_rises"),
    ],
)
def test_a_sealed_batch_moves_only_as_three_people_let_it(office, sql, refused_by):
    office.sealed(1)
    refused = attack(f"UPDATE disbursement_payoutbatch {sql}")
    if refused_by.startswith("*"):
        assert "fence" in refused
    else:
        assert refused == refused_by


def test_batches_are_kept(office):
    office.sealed(1)
    assert attack("DELETE FROM disbursement_payoutbatch") == "payout_batch_no_delete"
    assert attack("TRUNCATE disbursement_payoutbatch CASCADE").endswith("_no_truncate")


@pytest.mark.parametrize(
    ("sets", "refused_by"),
    [
        ("lines_count = 2", "payout_batch_content_true"),
        ("total_fen = 1", "payout_batch_content_true"),
        ("digest = repeat('0', 64)", "payout_batch_content_true"),
        ("round = 5", "payout_batch_sealed_whole"),
        ('required_steps = \'["maker", "checker"]\'', "payout_batch_sealed_whole"),
    ],
)
def test_a_seal_tells_the_truth(office, sets, refused_by):
    office.owe(1)
    batch = office.assemble()
    count, total, digest = batches.content(batch)
    truth = {
        "round": "1",
        "lines_count": str(count),
        "total_fen": str(total),
        "digest": f"'{digest}'",
        "required_steps": '\'["maker", "checker", "releaser"]\'',
    }
    name, value = sets.split(" = ", 1)
    lie = ", ".join(f"{column} = {said}" for column, said in {**truth, name: value}.items())
    sql = "UPDATE disbursement_payoutbatch SET state = 'sealed', "
    assert attack(sql + lie) == refused_by
    honest = ", ".join(f"{column} = {said}" for column, said in truth.items())
    assert attack(f"{sql}{honest}; SELECT 1 / 0") == ""
    assert batches.content(batch) == (count, total, digest)


APPROVAL = """
INSERT INTO disbursement_batchapproval (batch_id, round, step, account_id, digest)
SELECT id, {round}, '{step}', {account}, {digest} FROM disbursement_payoutbatch
"""


def approve(*, step="checker", account="made_by_id + 1", digest="digest", round="round") -> str:
    return attack(APPROVAL.format(step=step, account=account, digest=digest, round=round))


def test_approvals_are_of_this_content_by_different_people(office):
    batch = office.sealed(1)
    other = str(office.cast.feng_checker.pk)
    assert approve(account=other, digest="repeat('0', 64)") == "batch_approval_digest"
    assert approve(account=str(office.cast.feng.pk)) == "batch_approval_person_once"
    assert approve(account=other, step="maker") == "batch_approval_maker_made_it"
    assert approve(account=other, step="second_releaser") == "batch_approval_of_sealed"
    assert approve(account=other, round="round + 1") == "batch_approval_of_sealed"
    batches.check(batch=batch, by=office.cast.feng_checker, digest=batch.digest)
    assert approve(account=str(office.cast.feng_releaser.pk)) == "batch_approval_step_once"
    assert attack("UPDATE disbursement_batchapproval SET step = 'releaser'") == (
        "batch_approval_append_only"
    )
    assert attack("DELETE FROM disbursement_batchapproval") == "batch_approval_append_only"
    assert attack("UPDATE disbursement_payoutbatch SET state = 'approved'") == (
        "payout_batch_approved_by_all"
    )


def test_a_draft_takes_no_approval(office):
    office.owe(1)
    office.assemble()
    assert approve(account=str(office.cast.feng_checker.pk)) == "batch_approval_of_sealed"


@pytest.mark.parametrize(
    ("state", "refused_by"),
    [
        ("generated", "payout_batch_has_its_file"),
        ("delivering", "payout_batch_steps"),
        ("delivered", "payout_batch_steps"),
    ],
)
def test_a_released_batch_needs_its_file_to_go_on(office, state, refused_by):
    office.released(1)
    assert attack("UPDATE disbursement_payoutbatch SET state = %s", state) == refused_by


FILE = """
INSERT INTO disbursement_bankfile (batch_id, name, sha256, size, lines_count, total_fen,
    digest, body)
SELECT id, number, repeat('0', 64), 1, lines_count, total_fen, {digest}, 'x'
FROM disbursement_payoutbatch
"""


def test_a_file_alone_is_not_enough(office):
    office.released(1)
    wrong = FILE.format(digest="repeat('0', 64)")
    move = "UPDATE disbursement_payoutbatch SET state = 'generated'"
    assert attack(f"{wrong}; {move}") == "payout_batch_has_its_file"
    assert attack(f"{FILE.format(digest='digest')}; {move}") == "payout_batch_lines_sent"
    sent = "UPDATE disbursement_payoutline SET state = 'sent'"
    assert attack(f"{FILE.format(digest='digest')}; {sent}; {move}") == "payout_batch_booked"


def test_the_banks_file_is_written_once(office):
    batch = office.delivered(1)
    assert attack("UPDATE disbursement_bankfile SET sha256 = ''") == "bank_file_append_only"
    assert attack("DELETE FROM disbursement_bankfile") == "bank_file_append_only"
    assert attack("TRUNCATE disbursement_bankfile") == "bank_file_no_truncate"
    assert attack(FILE.format(digest="digest")) == "disbursement_bankfile_pkey"
    assert attack("UPDATE disbursement_payoutbatch SET state = 'void', fence = fence + 1") == (
        "payout_batch_steps"
    )
    assert batch.state == "delivered"


def test_delivered_means_registered(office, monkeypatch):
    from welfare.disbursement import claims, delivery

    batch = office.released(1)
    monkeypatch.setattr(delivery, "hand_over", lambda *_: None)
    claims.wake()
    assert attack("UPDATE disbursement_payoutbatch SET state = 'delivered'") == (
        "payout_batch_registered"
    )
    monkeypatch.undo()
    batch.refresh_from_db()
    delivery.hand_over(batch.pk, batch.fence)


def test_a_batch_is_not_reconciled_or_closed_before_its_time(office):
    office.delivered(1)
    assert attack("UPDATE disbursement_payoutbatch SET state = 'reconciled'") == (
        "payout_batch_lines_terminal"
    )


def test_a_batch_closes_only_when_the_statement_agrees(office):
    office.settled("paid", "failed")
    close = "UPDATE disbursement_payoutbatch SET state = 'closed', statement_debit_fen = %s"
    assert attack(close, 60_000) == "payout_batch_statement_agrees"
    assert attack(close, None) == "payout_batch_statement_agrees"


# -- return rows, motions, gate ----------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "refused_by"),
    [
        ("UPDATE disbursement_returnrow SET amount_fen = 1", "return_row_frozen"),
        ("UPDATE disbursement_returnrow SET result = 'failed'", "return_row_frozen"),
        ("UPDATE disbursement_returnrow SET verdict = 'early'", "return_row_verdict_final"),
        ("DELETE FROM disbursement_returnrow", "return_row_no_delete"),
        ("TRUNCATE disbursement_returnrow CASCADE", "_no_truncate"),
        ("UPDATE disbursement_returnfile SET name = 'x'", "return_file_append_only"),
        ("DELETE FROM disbursement_returnfile", "return_file_append_only"),
    ],
)
def test_what_the_bank_said_is_not_edited(office, sql, refused_by):
    office.settled("paid")
    assert attack(sql).endswith(refused_by)


ROW = """
INSERT INTO disbursement_returnrow (file_id, number, e2e, amount_fen, account_fingerprint,
    result, bank_ref, reason_code, reason, verdict, line_id)
SELECT f.id, 99, l.e2e, l.amount_fen{more}, l.account_fingerprint, 'paid', '{ref}', '', '',
       '{verdict}', {line}
FROM disbursement_returnfile f, disbursement_payoutline l ORDER BY l.e2e LIMIT 1
"""


def test_a_row_is_judged_after_it_is_written_and_must_match(office):
    batch = office.delivered(2)
    office.answer(batch, *office.says(batch, "paid"))
    row = ROW.format(more="", ref="Z", verdict="applied", line="l.id")
    assert attack(row) == "return_row_born_unmatched"
    wrong = ROW.format(more=" + 1", ref="Z", verdict="no_match", line="NULL")
    match = (
        "UPDATE disbursement_returnrow r SET verdict = 'applied', line_id = l.id"
        " FROM disbursement_payoutline l WHERE l.e2e = r.e2e AND r.number = 99"
    )
    assert attack(f"{wrong}; {match}") == "return_row_matches"
    again = ROW.format(more="", ref="B1", verdict="no_match", line="NULL")
    assert attack(f"{again}; {match}") == "return_row_applied_once"
    orphan = "UPDATE disbursement_returnrow SET verdict = 'applied' WHERE number = 99"
    fresh = ROW.format(more="", ref="Z", verdict="no_match", line="NULL")
    assert attack(f"{fresh}; {orphan}") == "return_row_applied_to_a_line"


def test_a_motion_takes_two(office):
    batch = office.sealed(1)
    motion = batches.void(batch=batch, by=office.cast.feng_checker, reason="wrong list")
    own = "UPDATE disbursement_motion SET state = 'seconded', seconded_by_id = moved_by_id"
    assert attack(own) == "motion_seconded_by_another"
    assert attack("UPDATE disbursement_motion SET state = 'seconded'") == "motion_ended_by_someone"
    assert attack("UPDATE disbursement_motion SET reason = 'x'") == "motion_frozen"
    assert attack("UPDATE disbursement_motion SET kind = 'retry'") == "motion_frozen"
    assert attack("DELETE FROM disbursement_motion") == "motion_no_delete"
    motions.second(motion=motion, by=office.cast.feng_releaser)
    assert attack("UPDATE disbursement_motion SET state = 'moved'") == "motion_steps"
    assert attack("UPDATE disbursement_motion SET seconded_at = now()") == "motion_end_frozen"


def test_the_gate_is_not_lifted_by_hand(office):
    gate.shut("a test")
    lift = "UPDATE disbursement_gate SET state = 'open'"
    assert attack(lift) == "gate_lifted_by_two"
    assert attack("DELETE FROM disbursement_gate") == "gate_no_delete"
    assert (
        attack(
            "INSERT INTO disbursement_gate (id, system_identifier, timeline, cause, state)"
            " VALUES (2, '', 0, '', 'open')"
        )
        == "gate_one_row"
    )


def test_in_safe_mode_nothing_is_sent(office):
    office.released(1)
    gate.shut("a test")
    assert attack("UPDATE disbursement_payoutbatch SET state = 'generated'") in (
        "payout_batch_gate",
        "payout_batch_has_its_file",
    )


def test_the_mirror_of_the_register_is_append_only(office):
    office.delivered(1)
    assert attack("UPDATE disbursement_sentmark SET sha256 = ''") == "sent_mark_append_only"
    assert attack("DELETE FROM disbursement_sentmark") == "sent_mark_append_only"
    assert attack("TRUNCATE disbursement_sentmark") == "sent_mark_no_truncate"


def test_a_stray_payment_is_placed_only_by_a_sent_line(office):
    from welfare.disbursement.models import StrayPayment

    StrayPayment.objects.create(e2e="x", claim_key="y", amount_fen=1, batch_number="P")
    assert attack("UPDATE disbursement_straypayment SET placed_at = now()") == (
        "stray_payment_placed"
    )
    assert attack("DELETE FROM disbursement_straypayment") == "stray_payment_no_delete"


def test_no_setting_silences_a_guard(office):
    office.sealed(1)
    assert (
        attack(
            "SELECT set_config('pgtrigger.ignore', '{disbursement_payoutline:payout_line_frozen}',"
            " true); UPDATE disbursement_payoutline SET amount_fen = 1"
        )
        == "payout_line_frozen"
    )
