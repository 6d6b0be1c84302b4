import django.db.models.deletion
import django.db.models.functions.comparison
import pgtrigger.compiler
import pgtrigger.migrations
import union_portal.triggers
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('disbursement', '0006_ordered_without_joins'),
        ('members', '0011_roster'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='entitlement',
            name='entitlement_born',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='entitlement',
            name='entitlement_frozen',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='payoutline',
            name='payout_line_born',
        ),
        migrations.AddField(
            model_name='entitlement',
            name='merchant',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='entitlements', to='members.merchant', verbose_name='merchant'),
        ),
        migrations.AlterField(
            model_name='entitlement',
            name='person',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='entitlements', to='members.person', verbose_name='person'),
        ),
        migrations.AddField(
            model_name='entitlement',
            name='payee',
            field=models.GeneratedField(db_persist=True, expression=django.db.models.functions.comparison.Coalesce(models.F('person_id'), models.Func(models.F('merchant_id'), template='(- %(expressions)s)'), output_field=models.BigIntegerField()), output_field=models.BigIntegerField(), verbose_name='payee'),
        ),
        migrations.AddIndex(
            model_name='entitlement',
            index=models.Index(condition=models.Q(('merchant__isnull', False)), fields=['merchant'], name='entitlement_of_merchant'),
        ),
        migrations.AddConstraint(
            model_name='entitlement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('merchant__isnull', True), ('person__isnull', False)), models.Q(('merchant__isnull', False), ('person__isnull', True)), _connector='OR'), name='entitlement_of_one_payee'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='entitlement',
            trigger=pgtrigger.compiler.Trigger(name='entitlement_born', sql=union_portal.triggers.GuardSql(declare='DECLARE bad record; merged record;', func="\n    EXECUTE $q$\n        SELECT bool_or(e.state <> 'granted') AS state,\n               bool_or(d.outcome IS DISTINCT FROM 'granted' OR d.state = 'withdrawn') AS decision,\n               bool_or(e.amount_fen IS DISTINCT FROM d.amount_fen - COALESCE(od.amount_fen, 0)\n                       OR e.scheme IS DISTINCT FROM d.scheme\n                       OR e.period IS DISTINCT FROM d.period\n                       OR e.organization_id IS DISTINCT FROM d.organization_id) AS content,\n               bool_or(e.claim_key IS DISTINCT FROM d.scheme || ':'\n                       || COALESCE(p.national_id_index, 'uscc-' || m.uscc) || ':' || d.period\n                       || CASE WHEN e.adjusts_id IS NULL THEN '' ELSE ':+' || d.id END) AS claim,\n               bool_or(f.code IS DISTINCT FROM r.fund_code\n                       OR NOT f.schemes @> to_jsonb(d.scheme)) AS fund\n        FROM born e\n        LEFT JOIN union_portal_decision d ON d.id = e.decision_id\n        LEFT JOIN union_portal_ruleset r ON r.id = d.rule_set_id\n        LEFT JOIN members_person p ON p.id = e.person_id\n        LEFT JOIN members_merchant m ON m.id = e.merchant_id\n        LEFT JOIN disbursement_fund f ON f.id = e.fund_id\n        LEFT JOIN disbursement_entitlement o ON o.id = e.adjusts_id\n        LEFT JOIN union_portal_decision od ON od.id = o.decision_id\n    $q$ INTO bad;\n    PERFORM pg_advisory_xact_lock_shared(20150020, 0);\n    EXECUTE $q$\n        SELECT EXISTS (\n            SELECT 1 FROM members_person m JOIN born e ON e.person_id = m.id\n            WHERE m.merged_into_id IS NOT NULL) AS away,\n        EXISTS (\n            SELECT 1 FROM members_person m\n            JOIN disbursement_entitlement o ON o.person_id = m.id AND o.state = 'granted'\n            JOIN born e ON e.person_id = m.merged_into_id AND e.scheme = o.scheme\n             AND e.period = o.period AND e.adjusts_id IS NULL\n            WHERE m.merged_into_id IS NOT NULL) AS twice\n    $q$ INTO merged;\n    IF merged.away THEN RAISE EXCEPTION 'entitlement: this row was merged into another person''s' USING ERRCODE = 'check_violation', CONSTRAINT = 'entitlement_of_whole_person', TABLE = 'entitlement'; END IF;\nIF merged.twice THEN RAISE EXCEPTION 'entitlement: the person has it under a number that was merged into theirs' USING ERRCODE = 'check_violation', CONSTRAINT = 'entitlement_claim_of_merged', TABLE = 'entitlement'; END IF;\nIF bad.state THEN RAISE EXCEPTION 'entitlement: every one is born granted' USING ERRCODE = 'check_violation', CONSTRAINT = 'entitlement_steps', TABLE = 'entitlement'; END IF;\nIF bad.decision THEN RAISE EXCEPTION 'entitlement: no standing decision grants it' USING ERRCODE = 'check_violation', CONSTRAINT = 'entitlement_decision_granted', TABLE = 'entitlement'; END IF;\nIF bad.content THEN RAISE EXCEPTION 'entitlement: amount, scheme, period or union was not so decided' USING ERRCODE = 'check_violation', CONSTRAINT = 'entitlement_as_decided', TABLE = 'entitlement'; END IF;\nIF bad.claim THEN RAISE EXCEPTION 'entitlement: the claim key is not that of the person' USING ERRCODE = 'check_violation', CONSTRAINT = 'entitlement_claim_key_true', TABLE = 'entitlement'; END IF;\nIF bad.fund THEN RAISE EXCEPTION 'entitlement: the rule set names another fund or use' USING ERRCODE = 'check_violation', CONSTRAINT = 'entitlement_fund_of_rule', TABLE = 'entitlement'; END IF;\nRETURN NULL;", hash='53f6bcbc4e5844b4180ae332b72993155f05f4a4', level='STATEMENT', operation='INSERT', pgid='pgtrigger_entitlement_born_8ed58', referencing='REFERENCING NEW TABLE AS born ', table='disbursement_entitlement', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='entitlement',
            trigger=pgtrigger.compiler.Trigger(name='entitlement_frozen', sql=union_portal.triggers.GuardSql(condition='WHEN ((true) AND (NEW.decision_id, NEW.person_id, NEW.merchant_id, NEW.fund_id, NEW.organization_id, NEW.scheme, NEW.period, NEW.amount_fen, NEW.claim_key, NEW.adjusts_id, NEW.granted_at) IS DISTINCT FROM (OLD.decision_id, OLD.person_id, OLD.merchant_id, OLD.fund_id, OLD.organization_id, OLD.scheme, OLD.period, OLD.amount_fen, OLD.claim_key, OLD.adjusts_id, OLD.granted_at))', func="RAISE EXCEPTION 'entitlement: what is owed is never edited' USING ERRCODE = 'check_violation', CONSTRAINT = 'entitlement_frozen', TABLE = 'entitlement';", hash='86a3601200556f999d939625b73070ac25fa0ac9', operation='UPDATE', pgid='pgtrigger_entitlement_frozen_fb122', table='disbursement_entitlement', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payoutline',
            trigger=pgtrigger.compiler.Trigger(name='payout_line_born', sql=union_portal.triggers.GuardSql(declare='DECLARE bad record;', func="\n    EXECUTE $q$\n        SELECT 1 FROM disbursement_payoutbatch\n        WHERE id IN (SELECT batch_id FROM born) ORDER BY id FOR SHARE\n    $q$;\n    EXECUTE $q$\n        SELECT 1 FROM union_portal_decision\n        WHERE id IN (SELECT e.decision_id FROM born n\n                     JOIN disbursement_entitlement e ON e.id = n.entitlement_id)\n        ORDER BY id FOR SHARE\n    $q$;\n    EXECUTE $q$\n        SELECT bool_or(n.state <> 'ready') AS state,\n               bool_or(b.state IS DISTINCT FROM 'draft') AS draft,\n               bool_or(d.state IS DISTINCT FROM 'clear') AS decision,\n               bool_or(e.state IS DISTINCT FROM 'granted') AS entitlement,\n               bool_or(NOT (b.pay_on >= r.valid_from AND today.day >= r.valid_from\n                       AND (r.valid_to IS NULL\n                            OR (b.pay_on <= r.valid_to AND today.day <= r.valid_to)))) AS rule_set,\n               bool_or((e.fund_id, e.scheme, e.period)\n                       IS DISTINCT FROM (b.fund_id, b.scheme, b.period)) AS other,\n               bool_or((a.state, a.payee, a.fingerprint, a.holder)\n                       IS DISTINCT FROM ('confirmed'::varchar, e.payee,\n                                         n.account_fingerprint, n.payee_name)) AS account,\n               bool_or(EXISTS (SELECT 1 FROM disbursement_straypayment s\n                               WHERE s.claim_key = e.claim_key AND s.placed_at IS NULL\n                                 AND s.batch_number <> b.number\n                                 AND NOT EXISTS (\n                                     SELECT 1 FROM disbursement_straypayment own\n                                     WHERE own.e2e = n.e2e AND own.id < s.id\n                                       AND own.placed_at IS NULL))) AS stray,\n               bool_or(n.attempt > 1) AS again\n        FROM born n\n        CROSS JOIN (SELECT (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date AS day) today\n        LEFT JOIN disbursement_payoutbatch b ON b.id = n.batch_id\n        LEFT JOIN disbursement_entitlement e ON e.id = n.entitlement_id\n        LEFT JOIN union_portal_decision d ON d.id = e.decision_id\n        LEFT JOIN union_portal_ruleset r ON r.id = d.rule_set_id\n        LEFT JOIN members_bankaccount a ON a.id = n.bank_account_id\n    $q$ INTO bad;\n    IF bad.state THEN RAISE EXCEPTION 'payout_line: every one is born ready' USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_line_steps', TABLE = 'payout'; END IF;\nIF bad.draft THEN RAISE EXCEPTION 'payout_line: the batch is no draft' USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_line_of_draft', TABLE = 'payout'; END IF;\nIF bad.decision THEN RAISE EXCEPTION 'payout_line: a decision is not clear' USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_line_decision_clear', TABLE = 'payout'; END IF;\nIF bad.entitlement THEN RAISE EXCEPTION 'payout_line: an entitlement has ended' USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_line_entitlement_granted', TABLE = 'payout'; END IF;\nIF bad.rule_set THEN RAISE EXCEPTION 'payout_line: the payment lies outside the dates of its rule set' USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_line_rule_in_force', TABLE = 'payout'; END IF;\nIF bad.other THEN RAISE EXCEPTION 'payout_line: of another fund, scheme or period' USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_line_of_its_batch', TABLE = 'payout'; END IF;\nIF bad.account THEN RAISE EXCEPTION 'payout_line: not a confirmed account of the payee' USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_line_account_confirmed', TABLE = 'payout'; END IF;\nIF bad.stray THEN RAISE EXCEPTION 'payout_line: the sent register knows a payment of it' USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_line_not_sent_before', TABLE = 'payout'; END IF;\n\n    IF bad.again THEN\n        EXECUTE $q$\n            SELECT EXISTS (\n                SELECT 1 FROM born n\n                LEFT JOIN disbursement_payoutline p\n                       ON p.entitlement_id = n.entitlement_id AND p.attempt = n.attempt - 1\n                WHERE n.attempt > 1\n                  AND (p.id IS NULL OR p.state NOT IN ('failed', 'returned', 'void')\n                       OR (p.state <> 'void' AND p.bank_account_id = n.bank_account_id\n                           AND NOT EXISTS (SELECT 1 FROM disbursement_motion m\n                                           WHERE m.line_id = p.id AND m.kind = 'retry'\n                                             AND m.state = 'seconded')))) AS barred\n        $q$ INTO bad;\n    IF bad.barred THEN RAISE EXCEPTION 'payout_line: a new attempt needs another account or a retry approved by two' USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_line_retry_permitted', TABLE = 'payout'; END IF;\nEND IF; RETURN NULL;", hash='d50caac7ba391962e0ea540c287721c4d7c0e989', level='STATEMENT', operation='INSERT', pgid='pgtrigger_payout_line_born_bed69', referencing='REFERENCING NEW TABLE AS born ', table='disbursement_payoutline', when='AFTER')),
        ),
    ]
