"""Changes of cards; what was kept of earlier ones: in the log, and of banks' answers as rows.

Of applications that ended as a set the log holds only how many there were: their changes can't be
told any more.
"""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import union_portal.triggers
from django.conf import settings
from django.db import migrations, models


# Steps whose account stands in the card's own columns are left out, and checks that still count.
EARLIER = """
INSERT INTO members_cardchange (card_id, old_state, new_state, at, reason, noted_by_id)
SELECT k.card, k.old, k.new, k.at, left(k.reason, 200), a.id
FROM (
    SELECT e.subject_id::bigint AS card, e.detail ->> 'old' AS old, e.detail ->> 'new' AS new,
           e.at, e.reason, e.actor_id AS account
    FROM union_portal_auditentry e
    WHERE e.subject_type = 'members.servicecard' AND e.detail ? 'old' AND (
        e.detail ->> 'new' IN ('draft', 'union_review', 'suspended', 'lost', 'cancelled')
        OR e.detail ->> 'new' = 'active' AND e.detail ->> 'old' <> 'collected'
        OR e.detail ->> 'new' IN ('city_review', 'ready') AND EXISTS (
            SELECT 1 FROM union_portal_auditentry h
            WHERE h.subject_type = e.subject_type AND h.subject_id = e.subject_id
              AND h.id > e.id AND h.detail ->> 'new' = 'draft'))
    UNION ALL
    SELECT r.card_id, 'sent_to_bank', 'city_review', f.taken_at, '', f.taken_by_id
    FROM members_cardresultrow r JOIN members_cardresultfile f ON f.id = r.file_id
    WHERE r.verdict = 'refused'
    UNION ALL
    SELECT c.id, 'lost', 'replaced', f.taken_at, '', f.taken_by_id
    FROM members_servicecard c
    JOIN members_servicecard n ON n.replaces_id = c.id
    JOIN members_cardresultrow r ON r.card_id = n.id AND r.verdict = 'issued'
    JOIN members_cardresultfile f ON f.id = r.file_id
    WHERE c.state = 'replaced'
) k
JOIN members_servicecard c ON c.id = k.card
LEFT JOIN union_portal_account a ON a.id = k.account
ORDER BY k.at
"""


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0012_searches_that_stop'),
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
        migrations.RunSQL(EARLIER, migrations.RunSQL.noop),
    ]
