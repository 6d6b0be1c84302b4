"""Consents, corrections, family, and what was kept long enough."""

import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import union_portal.fields
import union_portal.triggers
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0008_redemptions'),
    ]

    operations = [
        migrations.CreateModel(
            name='ConsentText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(choices=[('membership', 'keeping the register of members'), ('card', 'giving card data to the bank'), ('sensitive', 'sensitive data for relief and aid'), ('notices', 'messages by text message'), ('family', 'data of family members')], max_length=12, verbose_name='purpose')),
                ('version', models.PositiveIntegerField(verbose_name='version')),
                ('text', models.TextField(verbose_name='text')),
                ('text_en', models.TextField(verbose_name='English text')),
                ('valid_from', models.DateField(verbose_name='valid from')),
                ('adopted_at', models.DateTimeField(editable=False, null=True, verbose_name='adopted at')),
                ('adopted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='adopted by')),
                ('written_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='written by')),
            ],
            options={
                'verbose_name': 'consent text',
                'verbose_name_plural': 'consent texts',
                'ordering': ['purpose', '-version'],
                'constraints': [models.UniqueConstraint(fields=('purpose', 'version'), name='consent_text_version_once'), models.CheckConstraint(condition=models.Q(('written_by__isnull', True), ('adopted_by__isnull', True), models.Q(('written_by', models.F('adopted_by')), _negated=True), _connector='OR'), name='consent_text_written_by_not_adopted_by')],
                'triggers': [pgtrigger.compiler.Trigger(name='consent_text_frozen', sql=union_portal.triggers.GuardSql(condition='WHEN ((OLD.adopted_at IS NOT NULL) AND (NEW.purpose, NEW.version, NEW.text, NEW.text_en, NEW.valid_from) IS DISTINCT FROM (OLD.purpose, OLD.version, OLD.text, OLD.text_en, OLD.valid_from))', func="RAISE EXCEPTION 'consent_text: an adopted text is replaced, never edited' USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_text_frozen', TABLE = 'consent';", hash='f77d9c99afa8d0a5ee7384aa62afcb6a30d562c6', operation='UPDATE', pgid='pgtrigger_consent_text_frozen_29d23', table='members_consenttext', when='BEFORE')), pgtrigger.compiler.Trigger(name='consent_text_no_delete', sql=union_portal.triggers.GuardSql(func="RAISE EXCEPTION 'consent_text: history is never removed' USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_text_no_delete', TABLE = 'consent';", hash='e225fe4eae3122bf94b4c571069e4fda8a305142', operation='DELETE', pgid='pgtrigger_consent_text_no_delete_1aea3', table='members_consenttext', when='BEFORE')), pgtrigger.compiler.Trigger(name='consent_text_no_truncate', sql=union_portal.triggers.GuardSql(func="\n            RAISE EXCEPTION 'consent_text: history is never removed'\n                USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'consent_text_no_truncate';\n        ", hash='f8f0a2a62d03cf4e8ac25bfaf10cb440de817ff5', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_consent_text_no_truncate_5d0e5', table='members_consenttext', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(choices=[('portal', 'by the member in the portal'), ('desk', 'by the union'), ('import', 'from a file')], max_length=8, verbose_name='came in')),
                ('given_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='given at')),
                ('withdrawn_at', models.DateTimeField(editable=False, null=True, verbose_name='withdrawn at')),
                ('evidence', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='union_portal.storedfile', verbose_name='evidence')),
                ('given_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='entered by')),
                ('person', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='consents', to='members.person', verbose_name='person')),
                ('text', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='consents', to='members.consenttext', verbose_name='text')),
            ],
            options={
                'verbose_name': 'consent',
                'verbose_name_plural': 'consents',
                'ordering': ['-id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('withdrawn_at__isnull', True)), fields=('person', 'text'), name='consent_once'), models.CheckConstraint(condition=models.Q(('withdrawn_at__isnull', True), ('withdrawn_at__gte', models.F('given_at')), _connector='OR'), name='consent_withdrawn_after_given')],
                'triggers': [pgtrigger.compiler.Trigger(name='consent_frozen', sql=union_portal.triggers.GuardSql(condition='WHEN ((true) AND (NEW.text_id, NEW.channel, NEW.given_at, NEW.given_by_id) IS DISTINCT FROM (OLD.text_id, OLD.channel, OLD.given_at, OLD.given_by_id))', func="RAISE EXCEPTION 'consent: what was agreed to is never edited' USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_frozen', TABLE = 'consent';", hash='1ec6f32ac9d32569219bb50b7518c75c7a20bb36', operation='UPDATE', pgid='pgtrigger_consent_frozen_5d4ee', table='members_consent', when='BEFORE')), pgtrigger.compiler.Trigger(name='consent_follows_merge', sql=union_portal.triggers.GuardSql(condition='WHEN (NEW.person_id IS DISTINCT FROM OLD.person_id)', func="IF NOT EXISTS (SELECT 1 FROM members_person p WHERE p.id = OLD.person_id AND p.merged_into_id = NEW.person_id) THEN RAISE EXCEPTION 'consent: it stays with its person' USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_follows_merge', TABLE = 'consent'; END IF;\nRETURN NEW;", hash='2fca4a0f414beb5a5641a0b9f7e5b434b6af8044', operation='UPDATE OF "person_id"', pgid='pgtrigger_consent_follows_merge_515c6', table='members_consent', when='BEFORE')), pgtrigger.compiler.Trigger(name='consent_withdrawn_once', sql=union_portal.triggers.GuardSql(condition='WHEN ((OLD.withdrawn_at IS NOT NULL) AND (NEW.withdrawn_at) IS DISTINCT FROM (OLD.withdrawn_at))', func="RAISE EXCEPTION 'consent: what was withdrawn is given anew' USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_withdrawn_once', TABLE = 'consent';", hash='c92c5afe60fc2325fccf29a10e0ae011beeb6f03', operation='UPDATE', pgid='pgtrigger_consent_withdrawn_once_21702', table='members_consent', when='BEFORE')), pgtrigger.compiler.Trigger(name='consent_no_delete', sql=union_portal.triggers.GuardSql(func="RAISE EXCEPTION 'consent: history is never removed' USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_no_delete', TABLE = 'consent';", hash='016d1238ef595896b973e86c08c1b2d48fd484f8', operation='DELETE', pgid='pgtrigger_consent_no_delete_6bf99', table='members_consent', when='BEFORE')), pgtrigger.compiler.Trigger(name='consent_no_truncate', sql=union_portal.triggers.GuardSql(func="\n            RAISE EXCEPTION 'consent: history is never removed'\n                USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'consent_no_truncate';\n        ", hash='cd2c02090f7bd15b24556608f228b6b09c0ca7e4', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_consent_no_truncate_70afc', table='members_consent', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='Correction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('field', models.CharField(max_length=30, verbose_name='field')),
                ('wanted', union_portal.fields.SealedTextField(blank=True, editable=True, kind='profile', null=False, verbose_name='what it should be')),
                ('words', models.CharField(blank=True, max_length=300, verbose_name='explanation')),
                ('asked_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='asked at')),
                ('answer', models.CharField(blank=True, max_length=300, verbose_name='answer')),
                ('answered_at', models.DateTimeField(editable=False, null=True, verbose_name='answered at')),
                ('state', union_portal.fields.StateField(choices=[('asked', 'asked for'), ('done', 'corrected'), ('declined', 'declined')], default='asked', editable=False, max_length=24, verbose_name='state')),
                ('answered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='answered by')),
                ('evidence', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='union_portal.storedfile', verbose_name='evidence')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='corrections', to='members.person', verbose_name='person')),
            ],
            options={
                'verbose_name': 'correction asked for',
                'verbose_name_plural': 'corrections asked for',
                'ordering': ['-id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'asked')), fields=('person', 'field'), name='correction_one_open_per_field')],
                'triggers': [pgtrigger.compiler.Trigger(name='correction_steps', sql=union_portal.triggers.GuardSql(func="\n                IF TG_OP = 'INSERT' THEN\n                    IF NEW.state NOT IN ('asked') THEN\n                        RAISE EXCEPTION 'correction: no row is born %', NEW.state\n                            USING ERRCODE = 'check_violation',\n                                  CONSTRAINT = 'correction_steps';\n                    END IF;\n                ELSIF NEW.state <> OLD.state\n                      AND OLD.state || '>' || NEW.state NOT IN ('asked>declined', 'asked>done') THEN\n                    RAISE EXCEPTION 'correction: % to % is not a step', OLD.state, NEW.state\n                        USING ERRCODE = 'check_violation',\n                              CONSTRAINT = 'correction_steps';\n                END IF;\n                RETURN NEW;\n            ", hash='4e0c9fd21764f93224885315dc01ce7e4e018e7d', operation='INSERT OR UPDATE OF "state"', pgid='pgtrigger_correction_steps_72488', table='members_correction', when='BEFORE')), pgtrigger.compiler.Trigger(name='correction_no_delete', sql=union_portal.triggers.GuardSql(func="RAISE EXCEPTION 'correction: history is never removed' USING ERRCODE = 'check_violation', CONSTRAINT = 'correction_no_delete', TABLE = 'correction';", hash='9f7b9934b3b0c16c73a9054c9066874f943e517a', operation='DELETE', pgid='pgtrigger_correction_no_delete_e4f1a', table='members_correction', when='BEFORE')), pgtrigger.compiler.Trigger(name='correction_no_truncate', sql=union_portal.triggers.GuardSql(func="\n            RAISE EXCEPTION 'correction: history is never removed'\n                USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'correction_no_truncate';\n        ", hash='2ffa9e411590fae0b478998b5a832bdd0ab22bfa', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_correction_no_truncate_173fa', table='members_correction', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='FamilyMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, verbose_name='name')),
                ('relation', models.CharField(choices=[('spouse', 'spouse'), ('child', 'child'), ('parent', 'parent'), ('other', 'other relative')], max_length=8, verbose_name='relation')),
                ('born_on', models.DateField(verbose_name='born on')),
                ('national_id', union_portal.fields.SealedTextField(blank=True, editable=True, kind='national_id', null=True, verbose_name='identity number')),
                ('national_id_index', union_portal.fields.BlindIndexField(editable=False, kind='national_id', max_length=64, null=True, source='national_id', verbose_name='look-up print of the ID number')),
                ('national_id_shown', models.CharField(blank=True, max_length=18, verbose_name='identity number')),
                ('guardian', models.CharField(blank=True, max_length=60, verbose_name='guardian')),
                ('entered_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='entered at')),
                ('entered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='entered by')),
                ('guardian_consent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.consent', verbose_name='consent of the guardian')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='family', to='members.person', verbose_name='member')),
            ],
            options={
                'verbose_name': 'family member',
                'verbose_name_plural': 'family members',
                'ordering': ['born_on'],
                'constraints': [models.UniqueConstraint(fields=('person', 'national_id_index'), name='family_member_once'), models.CheckConstraint(condition=models.Q(('guardian_consent__isnull', True), models.Q(('guardian', ''), _negated=True), _connector='OR'), name='family_guardian_named')],
                'triggers': [pgtrigger.compiler.Trigger(name='family_child_with_guardian', sql=union_portal.triggers.GuardSql(func="IF extract(year FROM age((NEW.entered_at AT TIME ZONE 'Asia/Shanghai')::date, NEW.born_on)) < 14 AND NEW.guardian_consent_id IS NULL THEN RAISE EXCEPTION 'family: for a child under 14 a guardian consents' USING ERRCODE = 'check_violation', CONSTRAINT = 'family_child_with_guardian', TABLE = 'family'; END IF;\nIF NEW.guardian_consent_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM members_consent c JOIN members_consenttext t ON t.id = c.text_id WHERE c.id = NEW.guardian_consent_id AND c.person_id = NEW.person_id AND t.purpose = 'family') THEN RAISE EXCEPTION 'family: the consent is another''s, or to something else' USING ERRCODE = 'check_violation', CONSTRAINT = 'family_consent_of_member', TABLE = 'family'; END IF;\nRETURN NEW;", hash='cfa2a9a4984226da944b552f46fd7d4bdebc25cd', operation='INSERT OR UPDATE', pgid='pgtrigger_family_child_with_guardian_bce81', table='members_familymember', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='RetentionRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_dry', models.BooleanField(verbose_name='dry run')),
                ('counts', models.JSONField(default=dict, verbose_name='counts')),
                ('run_on', models.DateField(verbose_name='as at')),
                ('finished_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='finished at')),
                ('job', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='union_portal.job', verbose_name='job')),
                ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='requested by')),
                ('shown_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.retentionrun', verbose_name='dry run before')),
            ],
            options={
                'verbose_name': 'run of retention',
                'verbose_name_plural': 'runs of retention',
                'ordering': ['-id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('is_dry', True), ('shown_by__isnull', False), _connector='OR'), name='retention_shown_before'), models.UniqueConstraint(fields=('shown_by',), name='retention_carried_out_once')],
                'triggers': [pgtrigger.compiler.Trigger(name='retention_run_append_only', sql=union_portal.triggers.GuardSql(func="\n                RAISE EXCEPTION 'retention_run: history is never changed'\n                    USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'retention_run_append_only';\n            ", hash='579bd861dc5c407fd41d28c56bb755b43cfb6a42', operation='UPDATE OR DELETE', pgid='pgtrigger_retention_run_append_only_70224', table='members_retentionrun', when='BEFORE')), pgtrigger.compiler.Trigger(name='retention_run_no_truncate', sql=union_portal.triggers.GuardSql(func="\n            RAISE EXCEPTION 'retention_run: history is never removed'\n                USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'retention_run_no_truncate';\n        ", hash='443595c684603e408334d12042b69063645edc96', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_retention_run_no_truncate_ea39c', table='members_retentionrun', when='BEFORE')), pgtrigger.compiler.Trigger(name='retention_shown_to_another', sql=union_portal.triggers.GuardSql(condition='WHEN (NOT NEW.is_dry)', func="IF NOT EXISTS (SELECT 1 FROM members_retentionrun r WHERE r.id = NEW.shown_by_id AND r.is_dry AND r.run_on = NEW.run_on) THEN RAISE EXCEPTION 'retention: only what a dry run of that day has shown is removed' USING ERRCODE = 'check_violation', CONSTRAINT = 'retention_as_shown', TABLE = 'retention'; END IF;\nIF EXISTS (SELECT 1 FROM members_retentionrun r WHERE r.id = NEW.shown_by_id AND r.requested_by_id = NEW.requested_by_id) THEN RAISE EXCEPTION 'retention: whoever asked for the dry run does not carry it out' USING ERRCODE = 'check_violation', CONSTRAINT = 'retention_by_another', TABLE = 'retention'; END IF;\nRETURN NEW;", hash='1739a1d8b3577e2f2ac4bac92dcb89bc4390f444', operation='INSERT', pgid='pgtrigger_retention_shown_to_another_6bb47', table='members_retentionrun', when='BEFORE'))],
            },
        ),
    ]
