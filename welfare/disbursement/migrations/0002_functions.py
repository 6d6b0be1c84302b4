"""The digest of a batch, what stands in its way, and the line's composite foreign key."""

from django.db import migrations

# The text that three people approve: one line per payment, in the order of the bank file.
CONTENT = """
CREATE FUNCTION disbursement_batch_content(batch bigint)
RETURNS TABLE (lines_count integer, total_fen bigint, digest text)
LANGUAGE sql STABLE AS $$
    SELECT s.n, s.total, encode(sha256(convert_to(
        concat_ws('|', b.number, f.code, b.scheme, b.period, b.pay_on::text, k.code,
                  s.n::text, s.total::text) || E'\\n' || s.body, 'UTF8')), 'hex')
    FROM disbursement_payoutbatch b
    JOIN disbursement_fund f ON f.id = b.fund_id
    JOIN disbursement_bankformat k ON k.id = b.bank_format_id
    CROSS JOIN LATERAL (
        SELECT count(*)::integer AS n, COALESCE(sum(l.amount_fen), 0)::bigint AS total,
               COALESCE(string_agg(concat_ws('|', l.e2e, e.claim_key, l.amount_fen::text,
                   l.payee_name, l.account_fingerprint, l.bank_code), E'\\n'
                   ORDER BY l.e2e COLLATE "C"), '') AS body
        FROM disbursement_payoutline l
        JOIN disbursement_entitlement e ON e.id = l.entitlement_id
        WHERE l.batch_id = b.id AND l.state <> 'void'
    ) s
    WHERE b.id = batch
$$;
"""

# Locks the decisions, so that an objection and a release wait for each other.
FAULT = """
CREATE FUNCTION disbursement_batch_fault(batch bigint, pay_on date)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    today date := (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date;
    bad record;
BEGIN
    PERFORM 1 FROM union_portal_decision WHERE id IN (
        SELECT e.decision_id FROM disbursement_payoutline l
        JOIN disbursement_entitlement e ON e.id = l.entitlement_id
        WHERE l.batch_id = batch AND l.state <> 'void') ORDER BY id FOR SHARE;
    SELECT bool_or(d.state <> 'clear') AS decision,
           bool_or(e.state <> 'granted') AS entitlement,
           bool_or(NOT (pay_on >= r.valid_from AND today >= r.valid_from
                   AND (r.valid_to IS NULL
                        OR (pay_on <= r.valid_to AND today <= r.valid_to)))) AS rule_set,
           bool_or(EXISTS (SELECT 1 FROM disbursement_straypayment s
                           WHERE s.claim_key = e.claim_key AND s.placed_at IS NULL
                             AND s.e2e <> l.e2e)) AS stray
    INTO bad
    FROM disbursement_payoutline l
    JOIN disbursement_entitlement e ON e.id = l.entitlement_id
    JOIN union_portal_decision d ON d.id = e.decision_id
    JOIN union_portal_ruleset r ON r.id = d.rule_set_id
    WHERE l.batch_id = batch AND l.state <> 'void';
    RETURN CASE WHEN bad.decision THEN 'decision_clear'
                WHEN bad.entitlement THEN 'entitlement_granted'
                WHEN bad.rule_set THEN 'rule_in_force'
                WHEN bad.stray THEN 'not_sent_before' END;
END
$$;
"""

AMOUNT = """
ALTER TABLE disbursement_payoutline ADD CONSTRAINT payout_line_amount_of_entitlement
FOREIGN KEY (entitlement_id, amount_fen) REFERENCES disbursement_entitlement (id, amount_fen)
"""


class Migration(migrations.Migration):
    dependencies = [("disbursement", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE disbursement_batch_number",
            "DROP SEQUENCE disbursement_batch_number",
            elidable=False,
        ),
        migrations.RunSQL(
            CONTENT, "DROP FUNCTION disbursement_batch_content(bigint)", elidable=False
        ),
        migrations.RunSQL(
            FAULT, "DROP FUNCTION disbursement_batch_fault(bigint, date)", elidable=False
        ),
        migrations.RunSQL(
            AMOUNT,
            "ALTER TABLE disbursement_payoutline"
            " DROP CONSTRAINT payout_line_amount_of_entitlement",
            elidable=False,
        ),
    ]
