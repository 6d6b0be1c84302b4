"""Changes of cards."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import union_portal.triggers
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0013_searches_beside_filters'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CardChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('old_state', models.CharField(choices=[('draft', 'being prepared'), ('union_review', 'with the union'), ('city_review', 'with the city union'), ('ready', "waiting for the bank's batch"), ('sent_to_bank', 'with the bank'), ('issued', 'issued, to be collected'), ('collected', 'collected, to be activated'), ('active', 'active'), ('suspended', 'suspended'), ('lost', 'reported lost'), ('replaced', 'replaced'), ('cancelled', 'cancelled')], max_length=24, verbose_name='from')),
                ('new_state', models.CharField(choices=[('draft', 'being prepared'), ('union_review', 'with the union'), ('city_review', 'with the city union'), ('ready', "waiting for the bank's batch"), ('sent_to_bank', 'with the bank'), ('issued', 'issued, to be collected'), ('collected', 'collected, to be activated'), ('active', 'active'), ('suspended', 'suspended'), ('lost', 'reported lost'), ('replaced', 'replaced'), ('cancelled', 'cancelled')], max_length=24, verbose_name='to')),
                ('at', models.DateTimeField(verbose_name='when')),
                ('reason', models.CharField(blank=True, max_length=200, verbose_name='reason')),
                ('card', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='members.servicecard', verbose_name='card')),
                ('noted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='noted by')),
            ],
            options={
                'verbose_name': 'change of a card',
                'verbose_name_plural': 'changes of cards',
                'ordering': ['id'],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='cardchange',
            trigger=pgtrigger.compiler.Trigger(name='card_change_append_only', sql=union_portal.triggers.GuardSql(func="\n                RAISE EXCEPTION 'card_change: history is never changed'\n                    USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'card_change_append_only';\n            ", hash='f259f135701b70167cbceef30d2b96a11140165a', operation='UPDATE OR DELETE', pgid='pgtrigger_card_change_append_only_465b9', table='members_cardchange', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='cardchange',
            trigger=pgtrigger.compiler.Trigger(name='card_change_no_truncate', sql=union_portal.triggers.GuardSql(func="\n            RAISE EXCEPTION 'card_change: history is never removed'\n                USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'card_change_no_truncate';\n        ", hash='c2978c56063b150ab8f8cb6fe8e6e03a44baf435', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_card_change_no_truncate_647f5', table='members_cardchange', when='BEFORE')),
        ),
    ]
