"""Narrow looks past row security, each told what it may tell; staged rows by their import."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

import union_portal.triggers

# Who logs in with the account that the statement is sent for.
PERSON = """
CREATE FUNCTION portal_person() RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT id FROM members_person WHERE account_id
            = nullif(split_part(current_setting('portal.reader', true), ' ', 1), '')::bigint);
END $$
"""

# Policies keep the indices of names out of reach: what a row holds is not looked at before the
# row is judged. So the index is asked first, as the owner, and whom it finds is judged after.
PAIRS = "array_remove(ARRAY[" + ", ".join(f"substr(name, {n}, 2)" for n in range(1, 25)) + "], '')"

NAMED = f"""
CREATE FUNCTION members_named(pieces text[], piece text) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE ROWS 100 AS $$
BEGIN
    RETURN QUERY EXECUTE $q$
        SELECT id FROM members_person WHERE {PAIRS} @> $1::text[] AND name LIKE $2
    $q$ USING pieces, piece;
END $$
"""

SPELLED = """
CREATE FUNCTION members_spelled(letters text, beginning text) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE ROWS 100 AS $$
BEGIN
    RETURN QUERY EXECUTE $q$
        SELECT id FROM members_person
        WHERE replace(pinyin, ' ', '') LIKE $1 OR initials LIKE $1 OR name LIKE $2
    $q$ USING letters, beginning;
END $$
"""

# How many others have an account too: a checker is warned across unions, and told no more.
SHARERS = """
CREATE FUNCTION members_sharers(print text, owner bigint) RETURNS integer
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT count(DISTINCT person_id) FROM members_bankaccount
            WHERE fingerprint = print AND person_id <> owner
              AND state IN ('proposed', 'confirmed'));
END $$
"""

# Asked as the caller, by a view that reads as the owner.
SHOWN_RUNS = """
CREATE FUNCTION members_shown_runs() RETURNS SETOF bigint
LANGUAGE sql STABLE ROWS 100 SET search_path = public, pg_temp AS $$
    SELECT id FROM members_importrun
$$
"""

WHOLE_VIEW = """
CREATE OR REPLACE VIEW members_stagedrow AS
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
CROSS JOIN LATERAL (SELECT CASE
    WHEN p.id IS NULL THEN ''
    WHEN p.name <> s.name THEN 'name'
    WHEN NOT EXISTS (
        SELECT 1 FROM unnest(r.reach) AS prefix WHERE starts_with(o.path, prefix)) THEN 'union'
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
    CASE WHEN s.has_extra_changes THEN 'extra' END
], NULL) END AS changed) d
"""
VIEW = WHOLE_VIEW + "WHERE s.run_id IN (SELECT members_shown_runs())"

class Migration(migrations.Migration):
    dependencies = [
        ("members", "0003_bank_account_guard"),
        ("union_portal", "0007_row_security"),
    ]
    operations = [
        migrations.RunSQL(PERSON, "DROP FUNCTION portal_person()"),
        migrations.RunSQL(NAMED, "DROP FUNCTION members_named(text[], text)"),
        migrations.RunSQL(SPELLED, "DROP FUNCTION members_spelled(text, text)"),
        migrations.RunSQL(SHARERS, "DROP FUNCTION members_sharers(text, bigint)"),
        migrations.RunSQL(SHOWN_RUNS, "DROP FUNCTION members_shown_runs()"),
        migrations.RunSQL(VIEW, WHOLE_VIEW),
        pgtrigger.migrations.AddTrigger(
            model_name='importrun',
            trigger=pgtrigger.compiler.Trigger(name='import_run_forgets', sql=union_portal.triggers.GuardSql(condition="WHEN (NEW.state IN ('cancelled', 'refused', 'applied') AND NEW.state <> OLD.state)", func='\n                    DELETE FROM members_stagedperson WHERE run_id = NEW.id;\n                    RETURN NULL;\n                ', hash='5ad4b7d4e9d3e95f6ad26961f0295e4cc1e4a05a', operation='UPDATE', pgid='pgtrigger_import_run_forgets_9e42b', table='members_importrun', when='AFTER')),
        ),
    ]
