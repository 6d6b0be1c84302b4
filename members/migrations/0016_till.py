import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
import union_portal.triggers
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0015_merchants_searched'),
    ]

    operations = [
        migrations.CreateModel(
            name='WrongCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('asked_from', models.CharField(max_length=64, verbose_name='print of the address')),
                ('typed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='typed at')),
            ],
            options={
                'verbose_name': 'wrong code at a till',
                'verbose_name_plural': 'wrong codes at tills',
                'ordering': ['-id'],
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='redemption',
            name='redemption_counted',
        ),
        migrations.AddField(
            model_name='cardcode',
            name='former_digest',
            field=models.CharField(blank=True, db_default='', default='', max_length=64, verbose_name='keyed hash of the code before'),
        ),
        migrations.AddField(
            model_name='cardcode',
            name='former_expires_at',
            field=models.DateTimeField(null=True, verbose_name='the code before expires at'),
        ),
        migrations.AddIndex(
            model_name='cardcode',
            index=models.Index(condition=models.Q(('former_digest', ''), _negated=True), fields=['former_digest'], name='card_code_former'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='redemption',
            trigger=pgtrigger.compiler.Trigger(name='redemption_counted', sql=union_portal.triggers.GuardSql(declare='DECLARE held record;', func="\n    IF TG_OP = 'INSERT' THEN\n        SELECT o.quota_per_member, o.state, o.revision, o.merchant_id, o.subsidy_fen,\n               o.programme_id\n        INTO held FROM members_benefitoffer o WHERE o.id = NEW.offer_id FOR UPDATE;\nIF held.state <> 'published' OR held.revision <> NEW.revision THEN RAISE EXCEPTION 'redemption: the offer is not open as it was shown' USING ERRCODE = 'check_violation', CONSTRAINT = 'redemption_of_published_offer', TABLE = 'redemption'; END IF;\nIF held.merchant_id <> NEW.merchant_id OR held.subsidy_fen <> NEW.subsidy_fen OR held.programme_id IS DISTINCT FROM NEW.programme_id THEN RAISE EXCEPTION 'redemption: merchant, subsidy or programme are not those of the offer' USING ERRCODE = 'check_violation', CONSTRAINT = 'redemption_as_offered', TABLE = 'redemption'; END IF;\n\n        PERFORM 1 FROM members_servicecard c\n        WHERE c.id = NEW.card_id AND c.person_id = NEW.person_id AND c.state = 'active'\n        FOR SHARE;\nIF NOT FOUND THEN RAISE EXCEPTION 'redemption: the card is not active, or somebody else''s' USING ERRCODE = 'check_violation', CONSTRAINT = 'redemption_by_active_card', TABLE = 'redemption'; END IF;\nIF NEW.ordinal > COALESCE(held.quota_per_member, NEW.ordinal) THEN RAISE EXCEPTION 'redemption: the member has used it as often as allowed' USING ERRCODE = 'check_violation', CONSTRAINT = 'redemption_within_member_quota', TABLE = 'redemption'; END IF;\n\n        UPDATE members_benefitoffer SET used_count = used_count + 1 WHERE id = NEW.offer_id;\n        UPDATE members_benefitprogramme SET committed_fen = committed_fen + NEW.subsidy_fen\n        WHERE id = NEW.programme_id;\n    ELSIF NEW.state = 'undone' AND OLD.state = 'done' THEN\n        UPDATE members_benefitoffer SET used_count = used_count - 1 WHERE id = NEW.offer_id;\n        UPDATE members_benefitprogramme SET committed_fen = committed_fen - NEW.subsidy_fen\n        WHERE id = NEW.programme_id;\n    END IF;\n    RETURN NULL;\n", hash='ab48ffa7d0805d674f059b4a9afa89b319f559ed', operation='INSERT OR UPDATE OF "state"', pgid='pgtrigger_redemption_counted_30997', table='members_redemption', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='cardcode',
            constraint=models.CheckConstraint(condition=models.Q(('former_digest', ''), ('former_expires_at__isnull', False), _connector='OR'), name='card_code_former_expires'),
        ),
        migrations.AddField(
            model_name='wrongcode',
            name='login',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='members.merchantlogin', verbose_name='till'),
        ),
        migrations.AddIndex(
            model_name='wrongcode',
            index=models.Index(fields=['login', 'typed_at'], name='wrong_code_login'),
        ),
        migrations.AddIndex(
            model_name='wrongcode',
            index=models.Index(fields=['asked_from', 'typed_at'], name='wrong_code_asked_from'),
        ),
    ]
