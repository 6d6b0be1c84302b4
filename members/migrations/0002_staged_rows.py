"""The staging table without a write-ahead log, and what its rows would change as a view."""

from django.db import migrations

UNLOGGED = "ALTER TABLE members_stagedperson SET UNLOGGED"
LOGGED = "ALTER TABLE members_stagedperson SET LOGGED"

# Searched without the spaces between the syllables: "zhangsan" finds "zhang san".
PINYIN = """
CREATE INDEX person_pinyin_joined ON members_person (replace(pinyin, ' ', '') text_pattern_ops)
"""

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


class Migration(migrations.Migration):
    dependencies = [("members", "0001_initial")]

    operations = [
        migrations.RunSQL(UNLOGGED, LOGGED),
        migrations.RunSQL(PINYIN, "DROP INDEX person_pinyin_joined"),
        migrations.RunSQL(VIEW, "DROP VIEW members_stagedrow"),
    ]
