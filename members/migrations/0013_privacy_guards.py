"""Guards of family members and of runs of retention."""

import pgtrigger.compiler
import pgtrigger.migrations
import union_portal.triggers
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0012_roster'),
        ('union_portal', '0012_forgotten_files'),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name='familymember',
            trigger=pgtrigger.compiler.Trigger(name='family_child_with_guardian', sql=union_portal.triggers.GuardSql(func="IF extract(year FROM age((NEW.entered_at AT TIME ZONE 'Asia/Shanghai')::date, NEW.born_on)) < 14 AND NEW.guardian_consent_id IS NULL THEN RAISE EXCEPTION 'family: for a child under 14 a guardian consents' USING ERRCODE = 'check_violation', CONSTRAINT = 'family_child_with_guardian', TABLE = 'family'; END IF;\nIF NEW.guardian_consent_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM members_consent c JOIN members_consenttext t ON t.id = c.text_id WHERE c.id = NEW.guardian_consent_id AND c.person_id = NEW.person_id AND t.purpose = 'family') THEN RAISE EXCEPTION 'family: the consent is another''s, or to something else' USING ERRCODE = 'check_violation', CONSTRAINT = 'family_consent_of_member', TABLE = 'family'; END IF;\nRETURN NEW;", hash='cfa2a9a4984226da944b552f46fd7d4bdebc25cd', operation='INSERT OR UPDATE', pgid='pgtrigger_family_child_with_guardian_bce81', table='members_familymember', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='retentionrun',
            trigger=pgtrigger.compiler.Trigger(name='retention_shown_to_another', sql=union_portal.triggers.GuardSql(condition='WHEN (NOT NEW.is_dry)', func="IF NOT EXISTS (SELECT 1 FROM members_retentionrun r WHERE r.id = NEW.shown_by_id AND r.is_dry AND r.run_on = NEW.run_on) THEN RAISE EXCEPTION 'retention: only what a dry run of that day has shown is removed' USING ERRCODE = 'check_violation', CONSTRAINT = 'retention_as_shown', TABLE = 'retention'; END IF;\nIF EXISTS (SELECT 1 FROM members_retentionrun r WHERE r.id = NEW.shown_by_id AND r.requested_by_id = NEW.requested_by_id) THEN RAISE EXCEPTION 'retention: whoever asked for the dry run does not carry it out' USING ERRCODE = 'check_violation', CONSTRAINT = 'retention_by_another', TABLE = 'retention'; END IF;\nRETURN NEW;", hash='1739a1d8b3577e2f2ac4bac92dcb89bc4390f444', operation='INSERT', pgid='pgtrigger_retention_shown_to_another_6bb47', table='members_retentionrun', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='retentionrun',
            constraint=models.UniqueConstraint(fields=('shown_by',), name='retention_carried_out_once'),
        ),
    ]
