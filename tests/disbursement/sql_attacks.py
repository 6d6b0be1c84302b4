"""Direct SQL against a settled batch, a sealed one and everything around them.

Each statement is run as the owner of the tables and as both roles of the application. `owner` is
what refuses the owner: the name of a constraint or a trigger; the application is refused by the
same, or, where `application` says so, because it lacks the privilege named there.
"""

from __future__ import annotations

from typing import NamedTuple

# Refused for want of a privilege on the table; of a parameter; of membership; of ownership.
TABLE = "permission denied for table"
SEQUENCE = "permission denied for sequence"
VIEW = "permission denied for view"
SCHEMA = "permission denied for schema"
DATABASE = "permission denied for database"
PARAMETER = "permission denied to set parameter"
FUNCTION = "permission denied for function"
OWNERSHIP = "must be owner of"
LANGUAGE = "permission denied to"
TEMPORARY = "permission denied to create temporary tables"


class Attack(NamedTuple):
    """What is tried, in words; the statement; what refuses it."""

    tries: str
    sql: str
    owner: str
    application: str = ""


SEALED = "WHERE batch_id IN (SELECT id FROM disbursement_payoutbatch WHERE state = 'sealed')"
PAID = "WHERE state = 'paid'"
APPROVE = (
    "INSERT INTO disbursement_batchapproval (batch_id, round, step, account_id, digest)"
    " SELECT b.id, b.round, '{step}', {account}, {digest} FROM disbursement_payoutbatch b"
    " WHERE b.state = 'sealed'"
)
CHECKER = "(SELECT min(account_id) FROM disbursement_batchapproval a WHERE a.step = 'checker')"

MONEY = (
    Attack("change an amount after sealing",
           f"UPDATE disbursement_payoutline SET amount_fen = amount_fen + 1 {SEALED}",
           "payout_line_frozen"),
    Attack("pay another person", f"UPDATE disbursement_payoutline SET payee_name = 'x' {SEALED}",
           "payout_line_frozen"),
    Attack("take a line out of its batch",
           f"UPDATE disbursement_payoutline SET batch_id = 1 {SEALED}", "payout_line_frozen"),
    Attack("delete a line", "DELETE FROM disbursement_payoutline", "payout_line_no_delete", TABLE),
    Attack("empty the lines", "TRUNCATE disbursement_payoutline CASCADE",
           "payout_line_no_truncate", TABLE),
    Attack("put a second live line beside the first",
           "INSERT INTO disbursement_payoutline (batch_id, entitlement_id, attempt, position, e2e,"
           " amount_fen, bank_account_id, payee_name, account_number, account_fingerprint,"
           " account_last_four, bank_name, bank_code, state) SELECT batch_id, entitlement_id,"
           " attempt + 1, position + 900, 'F' || e2e, amount_fen, bank_account_id, payee_name,"
           " account_number, account_fingerprint, account_last_four, bank_name, bank_code, 'ready'"
           f" FROM disbursement_payoutline {SEALED}",
           "payout_line_one_live_or_paid"),
    Attack("call a paid line failed",
           f"UPDATE disbursement_payoutline SET state = 'failed' {PAID}", "payout_line_steps"),
    Attack("call a paid line returned",
           f"UPDATE disbursement_payoutline SET state = 'returned' {PAID}",
           "payout_line_bank_said_so"),
    Attack("pay a failed line by hand",
           "UPDATE disbursement_payoutline SET state = 'paid' WHERE state = 'failed'",
           "payout_line_steps"),
    Attack("send a sealed line",
           f"UPDATE disbursement_payoutline SET state = 'sent' {SEALED}",
           "payout_line_sent_with_batch"),
    Attack("raise what is owed",
           "UPDATE disbursement_entitlement SET amount_fen = amount_fen + 1",
           "entitlement_frozen"),
    Attack("owe it to another person",
           "UPDATE disbursement_entitlement SET person_id = person_id + 1", "entitlement_frozen"),
    Attack("rename a claim", "UPDATE disbursement_entitlement SET claim_key = 'x' || claim_key",
           "entitlement_frozen"),
    Attack("end an entitlement alone",
           "UPDATE disbursement_entitlement SET state = 'withdrawn'",
           "entitlement_not_on_its_way"),
    Attack("delete what is owed", "DELETE FROM disbursement_entitlement",
           "entitlement_no_delete", TABLE),
    Attack("owe the same claim once more",
           "INSERT INTO disbursement_entitlement (decision_id, person_id, fund_id, organization_id,"
           " scheme, period, amount_fen, claim_key, state) SELECT decision_id, person_id, fund_id,"
           " organization_id, scheme, period, amount_fen, claim_key, 'granted'"
           " FROM disbursement_entitlement LIMIT 1",
           "disbursement_entitlement_decision_id_key"),
)  # fmt: skip
BATCHES = (
    Attack("skip a state", "UPDATE disbursement_payoutbatch SET state = 'delivered'"
           " WHERE state = 'sealed'", "payout_batch_steps"),
    Attack("approve without approvals", "UPDATE disbursement_payoutbatch SET state = 'approved'"
           " WHERE state = 'sealed'", "payout_batch_approved_by_all"),
    Attack("change a sealed total", "UPDATE disbursement_payoutbatch SET total_fen = 1"
           " WHERE state = 'sealed'", "payout_batch_frozen"),
    Attack("change a sealed digest", "UPDATE disbursement_payoutbatch SET digest = repeat('0', 64)"
           " WHERE state = 'sealed'", "payout_batch_frozen"),
    Attack("ask for fewer approvals", "UPDATE disbursement_payoutbatch"
           " SET required_steps = '[\"maker\"]' WHERE state = 'sealed'", "payout_batch_frozen"),
    Attack("name another maker", "UPDATE disbursement_payoutbatch SET made_by_id = made_by_id + 1"
           " WHERE state = 'sealed'", "payout_batch_identity_frozen"),
    Attack("void alone", "UPDATE disbursement_payoutbatch SET state = 'void', fence = fence + 1"
           " WHERE state = 'sealed'", "payout_batch_void_by_two"),
    Attack("void what the bank has", "UPDATE disbursement_payoutbatch SET state = 'void',"
           " fence = fence + 1 WHERE state = 'reconciled'", "payout_batch_steps"),
    Attack("turn a fence back", "UPDATE disbursement_payoutbatch SET fence = fence - 1"
           " WHERE state = 'reconciled'", "payout_batch_fence_rises"),
    Attack("take a lease without its fence", "UPDATE disbursement_payoutbatch SET owner = 'me'"
           " WHERE state = 'sealed'", "payout_batch_fence_rises"),
    Attack("close against the statement", "UPDATE disbursement_payoutbatch SET state = 'closed',"
           " statement_debit_fen = 1 WHERE state = 'reconciled'", "payout_batch_statement_agrees"),
    Attack("delete a batch", "DELETE FROM disbursement_payoutbatch", "payout_batch_no_delete",
           TABLE),
    Attack("approve a third time as the same person",
           APPROVE.format(step="releaser", account=CHECKER, digest="b.digest"),
           "batch_approval_person_once"),
    Attack("approve as the maker",
           APPROVE.format(step="releaser", account="b.made_by_id", digest="b.digest"),
           "batch_approval_person_once"),
    Attack("approve another content",
           APPROVE.format(step="releaser", account="(SELECT max(id) FROM union_portal_account)",
                          digest="repeat('0', 64)"),
           "batch_approval_digest"),
    Attack("approve a step that nobody asks for",
           APPROVE.format(step="second_releaser",
                          account="(SELECT max(id) FROM union_portal_account)", digest="b.digest"),
           "batch_approval_of_sealed"),
    Attack("turn an approval into another",
           "UPDATE disbursement_batchapproval SET step = 'releaser'", "batch_approval_append_only",
           TABLE),
    Attack("take an approval back", "DELETE FROM disbursement_batchapproval",
           "batch_approval_append_only", TABLE),
    Attack("alter the bank's file", "UPDATE disbursement_bankfile SET sha256 = ''",
           "bank_file_append_only", TABLE),
    Attack("remove the bank's file", "DELETE FROM disbursement_bankfile", "bank_file_append_only",
           TABLE),
    Attack("write a second file for a batch",
           "INSERT INTO disbursement_bankfile (batch_id, name, sha256, size, lines_count,"
           " total_fen, digest, body) SELECT batch_id, 'again', sha256, size, lines_count,"
           " total_fen, digest, body FROM disbursement_bankfile", "disbursement_bankfile_pkey"),
    Attack("forge a mark of the sent register",
           "UPDATE disbursement_sentmark SET batch_number = 'forged'", "sent_mark_append_only",
           TABLE),
    Attack("forget a mark of the sent register", "DELETE FROM disbursement_sentmark",
           "sent_mark_append_only", TABLE),
    Attack("change what the bank said", "UPDATE disbursement_returnrow SET result = 'paid'"
           " WHERE result = 'failed'", "return_row_frozen"),
    Attack("judge a row anew", "UPDATE disbursement_returnrow SET verdict = 'early'",
           "return_row_verdict_final"),
    Attack("remove what the bank said", "DELETE FROM disbursement_returnrow",
           "return_row_no_delete", TABLE),
    Attack("second one's own motion", "UPDATE disbursement_motion SET state = 'seconded',"
           " seconded_by_id = moved_by_id", "motion_seconded_by_another"),
    Attack("change a motion", "UPDATE disbursement_motion SET reason = 'another'",
           "motion_frozen"),
    Attack("open the gate alone", "UPDATE disbursement_gate SET state = 'open'",
           "gate_lifted_by_two"),
    Attack("make a second gate", "INSERT INTO disbursement_gate (id, system_identifier, timeline,"
           " cause, state) VALUES (2, '', 0, '', 'open')", "gate_one_row"),
)  # fmt: skip
BOOKS = (
    Attack("write a balance",
           "UPDATE disbursement_ledgeraccount SET balance_fen = balance_fen + 1",
           "ledger_account_balance_posted", TABLE),
    Attack("lower a floor", "UPDATE disbursement_ledgeraccount SET floor_fen = -1"
           " WHERE kind = 'available'", "ledger_account_frozen", TABLE),
    Attack("begin with money", "INSERT INTO disbursement_ledgeraccount (fund_id, kind,"
           " balance_fen, floor_fen) SELECT id, 'gifts', 5, 0 FROM disbursement_fund",
           "ledger_account_born_empty"),
    Attack("keep an account without a floor", "INSERT INTO disbursement_ledgeraccount (fund_id,"
           " kind, balance_fen, floor_fen) SELECT id, 'gifts', 0, NULL FROM disbursement_fund",
           "ledger_account_only_source_has_no_floor"),
    Attack("overdraw a fund",
           "WITH e AS (INSERT INTO disbursement_entry (fund_id, kind, key, reason)"
           " SELECT id, 'grant', 'forged', '' FROM disbursement_fund RETURNING id)"
           " INSERT INTO disbursement_posting (entry_id, position, account_id, amount_fen)"
           " SELECT e.id, 1, a.id, -1000000000 FROM e, disbursement_ledgeraccount a"
           " WHERE a.kind = 'available'", "ledger_account_floor"),
    Attack("leave an entry unbalanced",
           "INSERT INTO disbursement_entry (fund_id, kind, key, reason)"
           " SELECT id, 'grant', 'forged', '' FROM disbursement_fund", "entry_balanced"),
    Attack("edit an entry", "UPDATE disbursement_entry SET reason = 'x'", "entry_append_only",
           TABLE),
    Attack("remove a posting", "DELETE FROM disbursement_posting", "posting_append_only", TABLE),
    Attack("raise a posting", "UPDATE disbursement_posting SET amount_fen = amount_fen + 1",
           "posting_append_only", TABLE),
    Attack("empty the postings", "TRUNCATE disbursement_posting", "posting_no_truncate", TABLE),
    Attack("remove a fund", "DELETE FROM disbursement_fund", "fund_no_delete", TABLE),
)  # fmt: skip
HISTORY = (
    Attack("change a decision's amount", "UPDATE union_portal_decision SET amount_fen = 1",
           "decision_frozen"),
    Attack("remove a decision", "DELETE FROM union_portal_decision", "decision_frozen"),
    Attack("loosen adopted rules", "UPDATE union_portal_ruleset SET valid_to = '2099-01-01'",
           "rule_set_frozen"),
    Attack("reword the audit log", "UPDATE union_portal_auditentry SET reason = 'x'",
           "audit_entry_append_only", TABLE),
    Attack("cut the audit log", "DELETE FROM union_portal_auditentry", "audit_entry_append_only",
           TABLE),
    Attack("empty the audit log", "TRUNCATE union_portal_auditentry", "audit_entry_no_truncate",
           TABLE),
    Attack("swap the account money goes to", "UPDATE members_bankaccount SET holder = 'x'",
           "bank_account_frozen"),
    Attack("swap it with pgtrigger told to look away",
           "SELECT set_config('pgtrigger.ignore', '{members_bankaccount:bank_account_frozen}',"
           " true); UPDATE members_bankaccount SET holder = 'x'", "bank_account_frozen"),
    Attack("confirm one's own entry",
           "UPDATE members_bankaccount SET confirmed_by_id = entered_by_id",
           "bank_account_confirmed_by_another"),
)  # fmt: skip
# What the owner of tables may do, and what therefore is found out afterwards (test_guards.py).
POWER = (
    Attack("put a trigger to sleep", "ALTER TABLE disbursement_payoutline DISABLE TRIGGER USER",
           "", OWNERSHIP),
    Attack("put the foreign keys to sleep",
           "ALTER TABLE disbursement_payoutline DISABLE TRIGGER ALL",
           "is a system trigger", OWNERSHIP),
    Attack("drop a constraint", "ALTER TABLE disbursement_payoutline DROP CONSTRAINT"
           " payout_line_amount_positive", "", OWNERSHIP),
    Attack("drop the index against a second live line", "DROP INDEX payout_line_one_live_or_paid",
           "", OWNERSHIP),
    Attack("drop a table", "DROP TABLE disbursement_sentmark", "", OWNERSHIP),
    Attack("empty a guard", "ALTER FUNCTION disbursement_batch_content(bigint) RENAME TO gone", "",
           OWNERSHIP),
    Attack("make a table", "CREATE TABLE mine (id integer)", "", SCHEMA),
    Attack("make a table that outranks ours", "CREATE TEMP TABLE disbursement_gate (id integer)",
           "", TEMPORARY),
    Attack("make a function", "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'", "",
           SCHEMA),
    Attack("become the owner", "GRANT union_worker TO union_web", LANGUAGE, LANGUAGE),
    Attack("turn the numbers of batches back",
           "SELECT setval('disbursement_batch_number', 1)", "", SEQUENCE),
    Attack("become the superuser", "SET ROLE portal_admin", LANGUAGE, LANGUAGE),
    Attack("pass row-level security by", "ALTER ROLE union_web BYPASSRLS", LANGUAGE, LANGUAGE),
    Attack("read files of the server", "SELECT pg_read_file('postgresql.conf')", FUNCTION,
           FUNCTION),
    Attack("run a program", "COPY members_person TO PROGRAM 'cat'", LANGUAGE, LANGUAGE),
)  # fmt: skip
ATTACKS = (*MONEY, *BATCHES, *BOOKS, *HISTORY, *POWER)
