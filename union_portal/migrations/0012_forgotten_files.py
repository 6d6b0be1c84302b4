"""Files whose bytes are gone by a rule of retention."""

import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
import union_portal.triggers
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('union_portal', '0011_counted_figures'),
    ]

    operations = [
        migrations.CreateModel(
            name='ForgottenFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule', models.CharField(max_length=40, verbose_name='rule of retention')),
                ('forgotten_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='removed at')),
                ('file', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='forgotten', to='union_portal.storedfile', verbose_name='file')),
            ],
            options={
                'verbose_name': 'forgotten file',
                'verbose_name_plural': 'forgotten files',
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='forgottenfile',
            trigger=pgtrigger.compiler.Trigger(name='forgotten_file_append_only', sql=union_portal.triggers.GuardSql(func="\n                RAISE EXCEPTION 'forgotten_file: history is never changed'\n                    USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'forgotten_file_append_only';\n            ", hash='d114fc09ecc4b7a07a2a41df7483e9b8bc2d9e9e', operation='UPDATE OR DELETE', pgid='pgtrigger_forgotten_file_append_only_e3eb2', table='union_portal_forgottenfile', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='forgottenfile',
            trigger=pgtrigger.compiler.Trigger(name='forgotten_file_no_truncate', sql=union_portal.triggers.GuardSql(func="\n            RAISE EXCEPTION 'forgotten_file: history is never removed'\n                USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'forgotten_file_no_truncate';\n        ", hash='d23a7671771c525efc51c099f5aa7784a7065afb', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_forgotten_file_no_truncate_b1538', table='union_portal_forgottenfile', when='BEFORE')),
        ),
    ]
