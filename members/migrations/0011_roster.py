"""Membership columns of staged rows, and what they would change."""

from importlib import import_module

import django.contrib.postgres.fields
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


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0010_card_row_security'),
    ]

    operations = [
        migrations.RunSQL(DROP, OLD_VIEW),
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
        migrations.RunSQL(VIEW, DROP),
    ]
