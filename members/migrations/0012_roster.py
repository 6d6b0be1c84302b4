"""Membership columns of staged rows and what they would change; rows that follow a merge."""

from importlib import import_module

import django.contrib.postgres.fields
import pgtrigger.compiler
import pgtrigger.migrations
import union_portal.triggers
from django.db import migrations, models

DROP = "DROP VIEW members_stagedrow"
OLD_VIEW = import_module("members.migrations.0004_row_security").VIEW

# What a row says of a membership changes nothing where the register holds against it: a later
# day of joining, a membership that ended, one of somebody retired.
VIEW = """
CREATE VIEW members_stagedrow AS
SELECT s.id, s.run_id, s.row, p.id AS person_id, s.name, s.national_id_shown, s.phone_shown,
       s.employer, s.organization_id, s.account_last_four, s.bank_name, s.extra,
       CASE WHEN NOT s.is_sound THEN 'error'
            WHEN p.id IS NULL THEN 'new'
            WHEN c.conflict <> '' THEN 'conflict'
            WHEN d.changed <> '{}' THEN 'changed'
            ELSE 'unchanged' END AS kind,
       d.changed,
       c.conflict
FROM members_stagedperson s
JOIN members_importrun r ON r.id = s.run_id
LEFT JOIN members_person p ON p.national_id_index = s.national_id_index
LEFT JOIN union_portal_organization o ON o.id = p.organization_id
LEFT JOIN members_memberprofile f ON f.person_id = p.id
LEFT JOIN members_membership m ON m.person_id = p.id
      AND m.state IN ('active', 'retained', 'retired')
CROSS JOIN LATERAL (SELECT CASE
    WHEN p.id IS NULL THEN ''
    WHEN p.merged_into_id IS NOT NULL THEN 'merged'
    WHEN p.name <> s.name THEN 'name'
    WHEN NOT EXISTS (
        SELECT 1 FROM unnest(r.reach) AS prefix WHERE starts_with(o.path, prefix)) THEN 'union'
    WHEN s.organization_id <> p.organization_id AND EXISTS (
        SELECT 1 FROM members_membershiptransfer t
        WHERE t.membership_id = m.id AND t.state IN ('requested', 'released')) THEN 'transfer'
    ELSE '' END AS conflict) c
CROSS JOIN LATERAL (SELECT CASE WHEN p.id IS NULL THEN '{}'::text[] ELSE array_remove(ARRAY[
    CASE WHEN s.phone_index IS NOT NULL AND s.phone_index IS DISTINCT FROM p.phone_index
         THEN 'phone' END,
    CASE WHEN s.employer <> '' AND s.employer <> p.employer THEN 'employer' END,
    CASE WHEN s.organization_id <> p.organization_id THEN 'organization' END,
    CASE WHEN s.died_on IS NOT NULL AND s.died_on IS DISTINCT FROM p.died_on
         THEN 'died_on' END,
    CASE WHEN s.account_index IS NOT NULL AND NOT EXISTS (
             SELECT 1 FROM members_bankaccount b
             WHERE b.person_id = p.id AND b.fingerprint = s.account_index)
         THEN 'bank_account' END,
    CASE WHEN s.is_member AND (
             (s.ethnicity <> '' AND s.ethnicity IS DISTINCT FROM f.ethnicity)
             OR (s.education <> '' AND s.education IS DISTINCT FROM f.education)
             OR (s.political_status <> ''
                 AND s.political_status IS DISTINCT FROM f.political_status)
             OR (s.hukou_type <> '' AND s.hukou_type IS DISTINCT FROM f.hukou_type)
             OR (s.employment <> '' AND s.employment IS DISTINCT FROM f.employment)
             OR (s.technical_grade <> ''
                 AND s.technical_grade IS DISTINCT FROM f.technical_grade)
             OR (s.is_farmer_worker IS NOT NULL
                 AND s.is_farmer_worker IS DISTINCT FROM f.is_farmer_worker))
         THEN 'profile' END,
    CASE WHEN m.id IS NOT NULL THEN
             CASE WHEN m.organization_id <> s.organization_id OR s.died_on IS NOT NULL
                    OR (s.membership_state NOT IN ('', m.state)
                        AND NOT (m.state = 'retired' AND s.membership_state = 'retained'))
                    OR (s.joined_on <= m.joined_on AND s.joined_on <> m.first_joined_on)
                  THEN 'membership' END
         WHEN s.is_member AND s.died_on IS NULL AND p.died_on IS NULL AND NOT EXISTS (
             SELECT 1 FROM members_membership e WHERE e.person_id = p.id
             AND (s.joined_on IS NULL OR e.ended_on > s.joined_on))
         THEN 'membership' END
], NULL) || s.changed_groups END AS changed) d
WHERE s.run_id IN (SELECT members_shown_runs())
"""


# Rows that turned out to be the reader's own: asked by policies, past the policies themselves.
MERGED = """
CREATE FUNCTION portal_merged() RETURNS SETOF bigint
LANGUAGE plpgsql STABLE ROWS 1 AS $$
BEGIN
    RETURN QUERY SELECT id FROM members_person WHERE merged_into_id = (SELECT portal_person());
END $$
"""


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0011_register'),
    ]

    operations = [
        migrations.RunSQL(DROP, OLD_VIEW),
        pgtrigger.migrations.RemoveTrigger(
            model_name='bankaccount',
            name='bank_account_frozen',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='consent',
            name='consent_frozen',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='membership',
            name='membership_frozen',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='servicecard',
            name='card_frozen',
        ),
        migrations.RemoveField(
            model_name='stagedperson',
            name='has_extra_changes',
        ),
        migrations.AddField(
            model_name='stagedperson',
            name='changed_groups',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None, verbose_name='further columns changed'),
        ),
        migrations.AddField(
            model_name='stagedperson',
            name='education',
            field=models.CharField(blank=True, max_length=10, verbose_name='education'),
        ),
        migrations.AddField(
            model_name='stagedperson',
            name='employment',
            field=models.CharField(blank=True, max_length=12, verbose_name='employment'),
        ),
        migrations.AddField(
            model_name='stagedperson',
            name='ethnicity',
            field=models.CharField(blank=True, max_length=20, verbose_name='ethnicity'),
        ),
        migrations.AddField(
            model_name='stagedperson',
            name='hukou_type',
            field=models.CharField(blank=True, max_length=12, verbose_name='hukou'),
        ),
        migrations.AddField(
            model_name='stagedperson',
            name='is_farmer_worker',
            field=models.BooleanField(null=True, verbose_name='farmer worker'),
        ),
        migrations.AddField(
            model_name='stagedperson',
            name='is_member',
            field=models.BooleanField(default=False, verbose_name='member'),
        ),
        migrations.AddField(
            model_name='stagedperson',
            name='joined_on',
            field=models.DateField(null=True, verbose_name='member since'),
        ),
        migrations.AddField(
            model_name='stagedperson',
            name='membership_state',
            field=models.CharField(blank=True, max_length=24, verbose_name='state of the membership'),
        ),
        migrations.AddField(
            model_name='stagedperson',
            name='political_status',
            field=models.CharField(blank=True, max_length=14, verbose_name='political status'),
        ),
        migrations.AddField(
            model_name='stagedperson',
            name='technical_grade',
            field=models.CharField(blank=True, max_length=18, verbose_name='technical grade'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bankaccount',
            trigger=pgtrigger.compiler.Trigger(name='bank_account_frozen', sql=union_portal.triggers.GuardSql(condition='WHEN (((NEW.merchant_id, NEW.fingerprint, NEW.holder) IS DISTINCT FROM (OLD.merchant_id, OLD.fingerprint, OLD.holder)))', func="\n                    RAISE EXCEPTION 'bank_account: an account is replaced, never edited'\n                        USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_account_frozen';\n                ", hash='49279b13a4fc10b743e44b43d6c04c2b20937e40', operation='UPDATE', pgid='pgtrigger_bank_account_frozen_f436b', table='members_bankaccount', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bankaccount',
            trigger=pgtrigger.compiler.Trigger(name='bank_account_follows_merge', sql=union_portal.triggers.GuardSql(condition='WHEN (NEW.person_id IS DISTINCT FROM OLD.person_id)', func="IF NOT EXISTS (SELECT 1 FROM members_person p WHERE p.id = OLD.person_id AND p.merged_into_id = NEW.person_id) THEN RAISE EXCEPTION 'bank_account: it stays with its person' USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_account_follows_merge', TABLE = 'bank'; END IF;\nRETURN NEW;", hash='449750bc10714f636ce1e18b610b61555822b64c', operation='UPDATE OF "person_id"', pgid='pgtrigger_bank_account_follows_merge_09ff0', table='members_bankaccount', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consent',
            trigger=pgtrigger.compiler.Trigger(name='consent_frozen', sql=union_portal.triggers.GuardSql(condition='WHEN ((true) AND (NEW.text_id, NEW.channel, NEW.given_at, NEW.given_by_id) IS DISTINCT FROM (OLD.text_id, OLD.channel, OLD.given_at, OLD.given_by_id))', func="RAISE EXCEPTION 'consent: what was agreed to is never edited' USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_frozen', TABLE = 'consent';", hash='1ec6f32ac9d32569219bb50b7518c75c7a20bb36', operation='UPDATE', pgid='pgtrigger_consent_frozen_5d4ee', table='members_consent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consent',
            trigger=pgtrigger.compiler.Trigger(name='consent_follows_merge', sql=union_portal.triggers.GuardSql(condition='WHEN (NEW.person_id IS DISTINCT FROM OLD.person_id)', func="IF NOT EXISTS (SELECT 1 FROM members_person p WHERE p.id = OLD.person_id AND p.merged_into_id = NEW.person_id) THEN RAISE EXCEPTION 'consent: it stays with its person' USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_follows_merge', TABLE = 'consent'; END IF;\nRETURN NEW;", hash='2fca4a0f414beb5a5641a0b9f7e5b434b6af8044', operation='UPDATE OF "person_id"', pgid='pgtrigger_consent_follows_merge_515c6', table='members_consent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='membership',
            trigger=pgtrigger.compiler.Trigger(name='membership_frozen', sql=union_portal.triggers.GuardSql(condition='WHEN ((true) AND (NEW.organization_id, NEW.joined_on, NEW.previous_id) IS DISTINCT FROM (OLD.organization_id, OLD.joined_on, OLD.previous_id))', func="RAISE EXCEPTION 'membership: a membership is ended, never moved' USING ERRCODE = 'check_violation', CONSTRAINT = 'membership_frozen', TABLE = 'membership';", hash='621b7657cb472321841aacb8d25f5dc0dec9feae', operation='UPDATE', pgid='pgtrigger_membership_frozen_5dea2', table='members_membership', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='membership',
            trigger=pgtrigger.compiler.Trigger(name='membership_follows_merge', sql=union_portal.triggers.GuardSql(condition='WHEN (NEW.person_id IS DISTINCT FROM OLD.person_id)', func="IF NOT EXISTS (SELECT 1 FROM members_person p WHERE p.id = OLD.person_id AND p.merged_into_id = NEW.person_id) THEN RAISE EXCEPTION 'membership: it stays with its person' USING ERRCODE = 'check_violation', CONSTRAINT = 'membership_follows_merge', TABLE = 'membership'; END IF;\nRETURN NEW;", hash='5112c553d05ec4a5b43fe118cfe4aa7b64e95353', operation='UPDATE OF "person_id"', pgid='pgtrigger_membership_follows_merge_41f4e', table='members_membership', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='person',
            trigger=pgtrigger.compiler.Trigger(name='person_merged_by_two', sql=union_portal.triggers.GuardSql(condition='WHEN (NEW.merged_into_id IS DISTINCT FROM OLD.merged_into_id)', func="IF NOT EXISTS (SELECT 1 FROM members_personmerge g WHERE g.merged_id = NEW.id AND g.kept_id = NEW.merged_into_id AND g.state = 'confirmed') AND NOT EXISTS (SELECT 1 FROM members_person p WHERE p.id = OLD.merged_into_id AND p.merged_into_id = NEW.merged_into_id) THEN RAISE EXCEPTION 'person: two people merge a row, and nobody takes that back' USING ERRCODE = 'check_violation', CONSTRAINT = 'person_merged_by_two', TABLE = 'person'; END IF;\nRETURN NEW;", hash='2275ddb0b777152f2acc35a91a555cf887f4430d', operation='UPDATE OF "merged_into_id"', pgid='pgtrigger_person_merged_by_two_67e95', table='members_person', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='servicecard',
            trigger=pgtrigger.compiler.Trigger(name='card_frozen', sql=union_portal.triggers.GuardSql(condition='WHEN ((true) AND (NEW.handle, NEW.replaces_id) IS DISTINCT FROM (OLD.handle, OLD.replaces_id))', func="RAISE EXCEPTION 'card: another holder is another card' USING ERRCODE = 'check_violation', CONSTRAINT = 'card_frozen', TABLE = 'card';", hash='87e05f6c635ec40843d294698e7b7a73327d9078', operation='UPDATE', pgid='pgtrigger_card_frozen_1d00e', table='members_servicecard', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='servicecard',
            trigger=pgtrigger.compiler.Trigger(name='card_follows_merge', sql=union_portal.triggers.GuardSql(condition='WHEN (NEW.person_id IS DISTINCT FROM OLD.person_id)', func="IF NOT EXISTS (SELECT 1 FROM members_person p WHERE p.id = OLD.person_id AND p.merged_into_id = NEW.person_id) THEN RAISE EXCEPTION 'card: it stays with its person' USING ERRCODE = 'check_violation', CONSTRAINT = 'card_follows_merge', TABLE = 'card'; END IF;\nRETURN NEW;", hash='41b8756f04583a5746ead9b5b6d4f037ea0159a2', operation='UPDATE OF "person_id"', pgid='pgtrigger_card_follows_merge_147ba', table='members_servicecard', when='BEFORE')),
        ),
        migrations.RunSQL(VIEW, DROP),
        migrations.RunSQL(MERGED, "DROP FUNCTION portal_merged()"),
    ]
