"""Service cards, the banks that issue them, and what the banks answer."""

import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import union_portal.fields
import union_portal.triggers
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0005_memberships'),
    ]

    operations = [
        migrations.CreateModel(
            name='CardBank',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, unique=True, verbose_name='name')),
                ('code', models.CharField(max_length=20, unique=True, verbose_name='short code in file names')),
                ('hotline', models.CharField(max_length=30, verbose_name='phone of the bank')),
                ('prefixes', models.CharField(blank=True, max_length=120, verbose_name='card numbers begin with')),
                ('layout', models.JSONField(default=dict, verbose_name='layout of its files')),
                ('cut_off_day', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='cut-off day')),
                ('conditions', models.JSONField(blank=True, default=dict, verbose_name='conditions of its cards')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
            ],
            options={
                'verbose_name': 'card bank',
                'verbose_name_plural': 'card banks',
                'ordering': ['name'],
                'constraints': [models.CheckConstraint(condition=models.Q(('cut_off_day__isnull', True), models.Q(('cut_off_day__gte', 1), ('cut_off_day__lte', 28)), _connector='OR'), name='card_bank_cut_off_day_of_every_month')],
            },
        ),
        migrations.CreateModel(
            name='CardBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=30, unique=True, verbose_name='batch number')),
                ('cards_count', models.PositiveIntegerField(default=0, verbose_name='cards')),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='made at')),
                ('sent_at', models.DateTimeField(editable=False, null=True, verbose_name='sent at')),
                ('answered_at', models.DateTimeField(editable=False, null=True, verbose_name='answered at')),
                ('state', union_portal.fields.StateField(choices=[('made', 'made, not sent'), ('sent', 'sent to the bank'), ('answered', 'answered by the bank'), ('cancelled', 'cancelled')], default='made', editable=False, max_length=24, verbose_name='state')),
                ('bank', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.cardbank', verbose_name='bank')),
                ('file', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='union_portal.storedfile', verbose_name='file')),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='made by')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='union_portal.organization', verbose_name='union')),
                ('sent_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='sent by')),
            ],
            options={
                'verbose_name': 'card batch',
                'verbose_name_plural': 'card batches',
                'ordering': ['-id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['made', 'cancelled']), ('file__isnull', False), _connector='OR'), name='card_batch_sent_with_file')],
                'triggers': [pgtrigger.compiler.Trigger(name='card_batch_steps', sql=union_portal.triggers.GuardSql(func="\n                IF TG_OP = 'INSERT' THEN\n                    IF NEW.state NOT IN ('made') THEN\n                        RAISE EXCEPTION 'card_batch: no row is born %', NEW.state\n                            USING ERRCODE = 'check_violation',\n                                  CONSTRAINT = 'card_batch_steps';\n                    END IF;\n                ELSIF NEW.state <> OLD.state\n                      AND OLD.state || '>' || NEW.state NOT IN ('made>cancelled', 'made>sent', 'sent>answered') THEN\n                    RAISE EXCEPTION 'card_batch: % to % is not a step', OLD.state, NEW.state\n                        USING ERRCODE = 'check_violation',\n                              CONSTRAINT = 'card_batch_steps';\n                END IF;\n                RETURN NEW;\n            ", hash='62a8e22a2b0a71a2bd145faa3590df73c30a5959', operation='INSERT OR UPDATE OF "state"', pgid='pgtrigger_card_batch_steps_0536e', table='members_cardbatch', when='BEFORE')), pgtrigger.compiler.Trigger(name='card_batch_frozen', sql=union_portal.triggers.GuardSql(condition="WHEN ((OLD.state <> 'made') AND (NEW.number, NEW.bank_id, NEW.file_id, NEW.cards_count) IS DISTINCT FROM (OLD.number, OLD.bank_id, OLD.file_id, OLD.cards_count))", func="RAISE EXCEPTION 'card_batch: a batch that went to the bank stays as it is' USING ERRCODE = 'check_violation', CONSTRAINT = 'card_batch_frozen', TABLE = 'card';", hash='ab85216fc5a567a2a1f6f7c98552e5822efc1a09', operation='UPDATE', pgid='pgtrigger_card_batch_frozen_be4d2', table='members_cardbatch', when='BEFORE')), pgtrigger.compiler.Trigger(name='card_batch_no_delete', sql=union_portal.triggers.GuardSql(func="RAISE EXCEPTION 'card_batch: history is never removed' USING ERRCODE = 'check_violation', CONSTRAINT = 'card_batch_no_delete', TABLE = 'card';", hash='ce5704bbb0b2acab3535fa6112ecbfbafaec3e60', operation='DELETE', pgid='pgtrigger_card_batch_no_delete_6de62', table='members_cardbatch', when='BEFORE')), pgtrigger.compiler.Trigger(name='card_batch_no_truncate', sql=union_portal.triggers.GuardSql(func="\n            RAISE EXCEPTION 'card_batch: history is never removed'\n                USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'card_batch_no_truncate';\n        ", hash='2a64cfae628b8b7cae31a581c91a59f6db4262ac', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_card_batch_no_truncate_0550c', table='members_cardbatch', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='CardResultFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sha256', models.CharField(max_length=64, unique=True, verbose_name='SHA-256 digest')),
                ('rows_count', models.PositiveIntegerField(verbose_name='rows')),
                ('taken_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='taken in at')),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='results', to='members.cardbatch', verbose_name='batch')),
                ('file', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='union_portal.storedfile', verbose_name='file')),
                ('taken_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='taken in by')),
            ],
            options={
                'verbose_name': 'result file of a bank',
                'verbose_name_plural': 'result files of banks',
                'ordering': ['-id'],
                'triggers': [pgtrigger.compiler.Trigger(name='card_result_file_append_only', sql=union_portal.triggers.GuardSql(func="\n                RAISE EXCEPTION 'card_result_file: history is never changed'\n                    USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'card_result_file_append_only';\n            ", hash='045ba7ebc2230eed835145cadbcc7e650c88b88a', operation='UPDATE OR DELETE', pgid='pgtrigger_card_result_file_append_only_62653', table='members_cardresultfile', when='BEFORE')), pgtrigger.compiler.Trigger(name='card_result_file_no_truncate', sql=union_portal.triggers.GuardSql(func="\n            RAISE EXCEPTION 'card_result_file: history is never removed'\n                USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'card_result_file_no_truncate';\n        ", hash='f90ca5f15d060feae33b928992134d32689ae9ff', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_card_result_file_no_truncate_df409', table='members_cardresultfile', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='ServiceCard',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', union_portal.fields.SealedTextField(blank=True, editable=True, kind='card_number', null=True, verbose_name='card number')),
                ('fingerprint', union_portal.fields.BlindIndexField(editable=False, kind='card_number', max_length=64, null=True, source='number', verbose_name='fingerprint of the card')),
                ('last_four', models.CharField(blank=True, max_length=4, verbose_name='last four digits')),
                ('handle', models.CharField(editable=False, max_length=32, unique=True, verbose_name='handle')),
                ('channel', models.CharField(choices=[('portal', 'by the member in the portal'), ('desk', 'by the union'), ('import', 'from a file')], max_length=8, verbose_name='came in')),
                ('batch_row', models.PositiveIntegerField(null=True, verbose_name='row in the batch')),
                ('applied_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='applied at')),
                ('checked_at', models.DateTimeField(editable=False, null=True, verbose_name='checked at')),
                ('approved_at', models.DateTimeField(editable=False, null=True, verbose_name='approved at')),
                ('issued_on', models.DateField(blank=True, null=True, verbose_name='issued on')),
                ('collected_at', models.DateTimeField(editable=False, null=True, verbose_name='collected at')),
                ('activated_on', models.DateField(blank=True, null=True, verbose_name='activated on')),
                ('bound_at', models.DateTimeField(editable=False, null=True, verbose_name='bound to the portal at')),
                ('suspended_at', models.DateTimeField(editable=False, null=True, verbose_name='suspended at')),
                ('reason', models.CharField(blank=True, max_length=200, verbose_name='reason')),
                ('state', union_portal.fields.StateField(choices=[('draft', 'being prepared'), ('union_review', 'with the union'), ('city_review', 'with the city union'), ('ready', "waiting for the bank's batch"), ('sent_to_bank', 'with the bank'), ('issued', 'issued, to be collected'), ('collected', 'collected, to be activated'), ('active', 'active'), ('suspended', 'suspended'), ('lost', 'reported lost'), ('replaced', 'replaced'), ('cancelled', 'cancelled')], default='draft', editable=False, max_length=24, verbose_name='state')),
                ('applied_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='applied by')),
                ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='approved by')),
                ('bank', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.cardbank', verbose_name='bank')),
                ('batch', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='cards', to='members.cardbatch', verbose_name='batch')),
                ('checked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='checked by')),
                ('handed_out_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='handed out by')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='union_portal.organization', verbose_name='union')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='cards', to='members.person', verbose_name='person')),
                ('receipt', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='union_portal.storedfile', verbose_name='signed receipt')),
                ('replaces', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replacements', to='members.servicecard', verbose_name='replaces')),
            ],
            options={
                'verbose_name': 'service card',
                'verbose_name_plural': 'service cards',
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['organization', 'state', 'id'], name='card_organization_state'), models.Index(fields=['state', 'bank', 'id'], name='card_state_bank'), models.Index(condition=models.Q(('issued_on__isnull', False)), fields=['issued_on'], name='card_issued_on')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ('draft', 'union_review', 'city_review', 'ready', 'sent_to_bank', 'issued', 'collected', 'active', 'suspended'))), fields=('person',), name='card_one_live'), models.UniqueConstraint(fields=('fingerprint',), name='card_number_once'), models.UniqueConstraint(condition=models.Q(('state', 'cancelled'), _negated=True), fields=('replaces',), name='card_replaced_once'), models.UniqueConstraint(fields=('batch', 'batch_row'), name='card_row_once_per_batch'), models.CheckConstraint(condition=models.Q(models.Q(('state__in', ('issued', 'collected', 'active', 'suspended', 'lost', 'replaced')), _negated=True), models.Q(('fingerprint__isnull', False), ('issued_on__isnull', False)), _connector='OR'), name='card_issued_with_number'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'collected'), _negated=True), ('collected_at__isnull', False), _connector='OR'), name='card_collected_with_instant'), models.CheckConstraint(condition=models.Q(('checked_by__isnull', True), ('approved_by__isnull', True), models.Q(('checked_by', models.F('approved_by')), _negated=True), _connector='OR'), name='card_checked_by_not_approved_by')],
                'triggers': [pgtrigger.compiler.Trigger(name='service_card_steps', sql=union_portal.triggers.GuardSql(func="\n                IF TG_OP = 'INSERT' THEN\n                    IF NEW.state NOT IN ('active', 'draft', 'union_review') THEN\n                        RAISE EXCEPTION 'service_card: no row is born %', NEW.state\n                            USING ERRCODE = 'check_violation',\n                                  CONSTRAINT = 'service_card_steps';\n                    END IF;\n                ELSIF NEW.state <> OLD.state\n                      AND OLD.state || '>' || NEW.state NOT IN ('active>cancelled', 'active>lost', 'active>suspended', 'city_review>cancelled', 'city_review>draft', 'city_review>ready', 'collected>active', 'collected>cancelled', 'collected>lost', 'draft>cancelled', 'draft>union_review', 'issued>cancelled', 'issued>collected', 'issued>lost', 'lost>active', 'lost>cancelled', 'lost>replaced', 'lost>suspended', 'ready>cancelled', 'ready>city_review', 'ready>sent_to_bank', 'sent_to_bank>cancelled', 'sent_to_bank>city_review', 'sent_to_bank>issued', 'suspended>active', 'suspended>cancelled', 'suspended>lost', 'union_review>cancelled', 'union_review>city_review', 'union_review>draft') THEN\n                    RAISE EXCEPTION 'service_card: % to % is not a step', OLD.state, NEW.state\n                        USING ERRCODE = 'check_violation',\n                              CONSTRAINT = 'service_card_steps';\n                END IF;\n                RETURN NEW;\n            ", hash='c50ff8687bc47cf693f35f824565ca1ad9ef24af', operation='INSERT OR UPDATE OF "state"', pgid='pgtrigger_service_card_steps_d8900', table='members_servicecard', when='BEFORE')), pgtrigger.compiler.Trigger(name='card_frozen', sql=union_portal.triggers.GuardSql(condition='WHEN ((true) AND (NEW.handle, NEW.replaces_id) IS DISTINCT FROM (OLD.handle, OLD.replaces_id))', func="RAISE EXCEPTION 'card: another holder is another card' USING ERRCODE = 'check_violation', CONSTRAINT = 'card_frozen', TABLE = 'card';", hash='87e05f6c635ec40843d294698e7b7a73327d9078', operation='UPDATE', pgid='pgtrigger_card_frozen_1d00e', table='members_servicecard', when='BEFORE')), pgtrigger.compiler.Trigger(name='card_follows_merge', sql=union_portal.triggers.GuardSql(condition='WHEN (NEW.person_id IS DISTINCT FROM OLD.person_id)', func="IF NOT EXISTS (SELECT 1 FROM members_person p WHERE p.id = OLD.person_id AND p.merged_into_id = NEW.person_id) THEN RAISE EXCEPTION 'card: it stays with its person' USING ERRCODE = 'check_violation', CONSTRAINT = 'card_follows_merge', TABLE = 'card'; END IF;\nRETURN NEW;", hash='41b8756f04583a5746ead9b5b6d4f037ea0159a2', operation='UPDATE OF "person_id"', pgid='pgtrigger_card_follows_merge_147ba', table='members_servicecard', when='BEFORE')), pgtrigger.compiler.Trigger(name='card_number_kept', sql=union_portal.triggers.GuardSql(condition='WHEN ((OLD.fingerprint IS NOT NULL) AND (NEW.fingerprint, NEW.last_four) IS DISTINCT FROM (OLD.fingerprint, OLD.last_four))', func="RAISE EXCEPTION 'card: the bank''s number is never edited' USING ERRCODE = 'check_violation', CONSTRAINT = 'card_number_kept', TABLE = 'card';", hash='a5fe0e8a0fb4536697f5ddeacb184b20770dab2b', operation='UPDATE', pgid='pgtrigger_card_number_kept_848bc', table='members_servicecard', when='BEFORE')), pgtrigger.compiler.Trigger(name='service_card_no_delete', sql=union_portal.triggers.GuardSql(func="RAISE EXCEPTION 'service_card: history is never removed' USING ERRCODE = 'check_violation', CONSTRAINT = 'service_card_no_delete', TABLE = 'service';", hash='02cf2ae5013d95012b9f3128b67079e2da8eaa1c', operation='DELETE', pgid='pgtrigger_service_card_no_delete_aa9f4', table='members_servicecard', when='BEFORE')), pgtrigger.compiler.Trigger(name='service_card_no_truncate', sql=union_portal.triggers.GuardSql(func="\n            RAISE EXCEPTION 'service_card: history is never removed'\n                USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'service_card_no_truncate';\n        ", hash='c127a9b3c10b8b5f7f180d1075c0b53ec605331c', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_service_card_no_truncate_8728a', table='members_servicecard', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='CardResultRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('row', models.PositiveIntegerField(verbose_name='row')),
                ('shown', models.CharField(blank=True, max_length=120, verbose_name='row as shown')),
                ('cause', models.CharField(blank=True, max_length=120, verbose_name='cause told by the bank')),
                ('verdict', models.CharField(choices=[('issued', 'card issued'), ('refused', 'refused by the bank'), ('repeat', 'told before'), ('unknown', 'no such application in the batch'), ('other_person', 'name or identity number of somebody else'), ('bad_number', 'no card number of this bank'), ('number_taken', 'another card has this number'), ('late', 'the application is no longer with the bank')], max_length=14, verbose_name='verdict')),
                ('file', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='rows', to='members.cardresultfile', verbose_name='file')),
                ('card', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='results', to='members.servicecard', verbose_name='card')),
            ],
            options={
                'verbose_name': 'row of a result file',
                'verbose_name_plural': 'rows of a result file',
                'ordering': ['file_id', 'row'],
                'constraints': [models.UniqueConstraint(fields=('file', 'row'), name='card_result_row_once')],
                'triggers': [pgtrigger.compiler.Trigger(name='card_result_row_append_only', sql=union_portal.triggers.GuardSql(func="\n                RAISE EXCEPTION 'card_result_row: history is never changed'\n                    USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'card_result_row_append_only';\n            ", hash='79f19857a49ebbc6eee98dafadf4090ab2567a57', operation='UPDATE OR DELETE', pgid='pgtrigger_card_result_row_append_only_78937', table='members_cardresultrow', when='BEFORE')), pgtrigger.compiler.Trigger(name='card_result_row_no_truncate', sql=union_portal.triggers.GuardSql(func="\n            RAISE EXCEPTION 'card_result_row: history is never removed'\n                USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'card_result_row_no_truncate';\n        ", hash='e9eb141883fcbd3830a1cf3a87b6e9d48c60f37d', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_card_result_row_no_truncate_f2532', table='members_cardresultrow', when='BEFORE'))],
            },
        ),
    ]
