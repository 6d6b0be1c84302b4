"""Codes of cards, uses of offers, what members think of them."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
import pgtrigger.compiler
import union_portal.fields
import union_portal.triggers
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0007_merchants_and_offers'),
    ]

    operations = [
        migrations.CreateModel(
            name='CardCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('live', 'shown on the phone'), ('printed', 'printed in advance')], max_length=8, verbose_name='kind')),
                ('digest', models.CharField(max_length=64, unique=True, verbose_name='keyed hash of the code')),
                ('offer_revision', models.PositiveIntegerField(null=True, verbose_name='revision of the offer')),
                ('position', models.PositiveSmallIntegerField(default=0, verbose_name='position on the sheet')),
                ('issued_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='made at')),
                ('expires_at', models.DateTimeField(verbose_name='expires at')),
                ('used_at', models.DateTimeField(editable=False, null=True, verbose_name='used at')),
                ('former_digest', models.CharField(blank=True, db_default='', default='', max_length=64, verbose_name='keyed hash of the code before')),
                ('former_expires_at', models.DateTimeField(null=True, verbose_name='the code before expires at')),
                ('offer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='members.benefitoffer', verbose_name='offer')),
                ('card', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='codes', to='members.servicecard', verbose_name='card')),
            ],
            options={
                'verbose_name': 'code of a card',
                'verbose_name_plural': 'codes of cards',
                'indexes': [models.Index(fields=['expires_at'], name='card_code_expires'), models.Index(condition=models.Q(('former_digest', ''), _negated=True), fields=['former_digest'], name='card_code_former')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('kind', 'live')), fields=('card',), name='card_code_one_live'), models.CheckConstraint(condition=models.Q(models.Q(('offer__isnull', True), ('offer_revision__isnull', True)), models.Q(('offer__isnull', False), ('offer_revision__isnull', False)), _connector='OR'), name='card_code_offer_as_seen'), models.CheckConstraint(condition=models.Q(('former_digest', ''), ('former_expires_at__isnull', False), _connector='OR'), name='card_code_former_expires')],
            },
        ),
        migrations.CreateModel(
            name='Redemption',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('revision', models.PositiveIntegerField(verbose_name='revision of the offer')),
                ('ordinal', models.PositiveSmallIntegerField(verbose_name='which use by this member')),
                ('code_digest', models.CharField(max_length=64, verbose_name='keyed hash of the code')),
                ('code_kind', models.CharField(choices=[('live', 'shown on the phone'), ('printed', 'printed in advance')], max_length=8, verbose_name='kind of code')),
                ('subsidy_fen', union_portal.fields.FenField(default=0, verbose_name='subsidy')),
                ('redeemed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='used at')),
                ('undone_at', models.DateTimeField(editable=False, null=True, verbose_name='taken back at')),
                ('undone_reason', models.CharField(blank=True, max_length=200, verbose_name='why taken back')),
                ('state', union_portal.fields.StateField(choices=[('done', 'used'), ('undone', 'taken back')], default='done', editable=False, max_length=24, verbose_name='state')),
                ('merchant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.merchant', verbose_name='merchant')),
                ('offer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='redemptions', to='members.benefitoffer', verbose_name='offer')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='union_portal.organization', verbose_name='union')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='redemptions', to='members.person', verbose_name='person')),
                ('place', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.merchantplace', verbose_name='place')),
                ('programme', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='redemptions', to='members.benefitprogramme', verbose_name='programme')),
                ('redeemed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='confirmed by')),
                ('undone_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='taken back by')),
                ('card', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='redemptions', to='members.servicecard', verbose_name='card')),
            ],
            options={
                'verbose_name': 'use of an offer',
                'verbose_name_plural': 'uses of offers',
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['merchant', 'redeemed_at'], name='redemption_merchant_day'), models.Index(fields=['redeemed_at'], name='redemption_day')],
                'constraints': [models.UniqueConstraint(fields=('code_digest',), name='redemption_code_once'), models.UniqueConstraint(condition=models.Q(('state', 'done')), fields=('offer', 'person', 'ordinal'), name='redemption_ordinal_once'), models.CheckConstraint(condition=models.Q(('ordinal__gte', 1)), name='redemption_counts_from_one'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'done'), ('undone_at__isnull', True)), models.Q(('state', 'undone'), ('undone_at__isnull', False), ('undone_by__isnull', False)), _connector='OR'), name='redemption_undone_by_someone')],
                'triggers': [pgtrigger.compiler.Trigger(name='redemption_steps', sql=union_portal.triggers.GuardSql(func="\n                IF TG_OP = 'INSERT' THEN\n                    IF NEW.state NOT IN ('done') THEN\n                        RAISE EXCEPTION 'redemption: no row is born %', NEW.state\n                            USING ERRCODE = 'check_violation',\n                                  CONSTRAINT = 'redemption_steps';\n                    END IF;\n                ELSIF NEW.state <> OLD.state\n                      AND OLD.state || '>' || NEW.state NOT IN ('done>undone') THEN\n                    RAISE EXCEPTION 'redemption: % to % is not a step', OLD.state, NEW.state\n                        USING ERRCODE = 'check_violation',\n                              CONSTRAINT = 'redemption_steps';\n                END IF;\n                RETURN NEW;\n            ", hash='f788b7de4a6941308ee1a5809a7676f7039ae6f5', operation='INSERT OR UPDATE OF "state"', pgid='pgtrigger_redemption_steps_09469', table='members_redemption', when='BEFORE')), pgtrigger.compiler.Trigger(name='redemption_frozen', sql=union_portal.triggers.GuardSql(condition='WHEN ((true) AND (NEW.offer_id, NEW.revision, NEW.merchant_id, NEW.place_id, NEW.card_id, NEW.person_id, NEW.organization_id, NEW.programme_id, NEW.ordinal, NEW.code_digest, NEW.code_kind, NEW.subsidy_fen, NEW.redeemed_at, NEW.redeemed_by_id) IS DISTINCT FROM (OLD.offer_id, OLD.revision, OLD.merchant_id, OLD.place_id, OLD.card_id, OLD.person_id, OLD.organization_id, OLD.programme_id, OLD.ordinal, OLD.code_digest, OLD.code_kind, OLD.subsidy_fen, OLD.redeemed_at, OLD.redeemed_by_id))', func="RAISE EXCEPTION 'redemption: what was used is never edited' USING ERRCODE = 'check_violation', CONSTRAINT = 'redemption_frozen', TABLE = 'redemption';", hash='672dd2b88659ca54227f3c343756dea9bc758d10', operation='UPDATE', pgid='pgtrigger_redemption_frozen_01cd8', table='members_redemption', when='BEFORE')), pgtrigger.compiler.Trigger(name='redemption_counted', sql=union_portal.triggers.GuardSql(declare='DECLARE held record;', func="\n    IF TG_OP = 'INSERT' THEN\n        SELECT o.quota_per_member, o.state, o.revision, o.merchant_id, o.subsidy_fen,\n               o.programme_id\n        INTO held FROM members_benefitoffer o WHERE o.id = NEW.offer_id FOR UPDATE;\nIF held.state <> 'published' OR held.revision <> NEW.revision THEN RAISE EXCEPTION 'redemption: the offer is not open as it was shown' USING ERRCODE = 'check_violation', CONSTRAINT = 'redemption_of_published_offer', TABLE = 'redemption'; END IF;\nIF held.merchant_id <> NEW.merchant_id OR held.subsidy_fen <> NEW.subsidy_fen OR held.programme_id IS DISTINCT FROM NEW.programme_id THEN RAISE EXCEPTION 'redemption: merchant, subsidy or programme are not those of the offer' USING ERRCODE = 'check_violation', CONSTRAINT = 'redemption_as_offered', TABLE = 'redemption'; END IF;\n\n        PERFORM 1 FROM members_servicecard c\n        WHERE c.id = NEW.card_id AND c.person_id = NEW.person_id AND c.state = 'active'\n        FOR SHARE;\nIF NOT FOUND THEN RAISE EXCEPTION 'redemption: the card is not active, or somebody else''s' USING ERRCODE = 'check_violation', CONSTRAINT = 'redemption_by_active_card', TABLE = 'redemption'; END IF;\nIF NEW.ordinal > COALESCE(held.quota_per_member, NEW.ordinal) THEN RAISE EXCEPTION 'redemption: the member has used it as often as allowed' USING ERRCODE = 'check_violation', CONSTRAINT = 'redemption_within_member_quota', TABLE = 'redemption'; END IF;\n\n        UPDATE members_benefitoffer SET used_count = used_count + 1 WHERE id = NEW.offer_id;\n        UPDATE members_benefitprogramme SET committed_fen = committed_fen + NEW.subsidy_fen\n        WHERE id = NEW.programme_id;\n    ELSIF NEW.state = 'undone' AND OLD.state = 'done' THEN\n        UPDATE members_benefitoffer SET used_count = used_count - 1 WHERE id = NEW.offer_id;\n        UPDATE members_benefitprogramme SET committed_fen = committed_fen - NEW.subsidy_fen\n        WHERE id = NEW.programme_id;\n    END IF;\n    RETURN NULL;\n", hash='ab48ffa7d0805d674f059b4a9afa89b319f559ed', operation='INSERT OR UPDATE OF "state"', pgid='pgtrigger_redemption_counted_30997', table='members_redemption', when='AFTER')), pgtrigger.compiler.Trigger(name='redemption_no_delete', sql=union_portal.triggers.GuardSql(func="RAISE EXCEPTION 'redemption: history is never removed' USING ERRCODE = 'check_violation', CONSTRAINT = 'redemption_no_delete', TABLE = 'redemption';", hash='214ef51ce2b44e35e6141abc11ae845dcffe6cdd', operation='DELETE', pgid='pgtrigger_redemption_no_delete_73066', table='members_redemption', when='BEFORE')), pgtrigger.compiler.Trigger(name='redemption_no_truncate', sql=union_portal.triggers.GuardSql(func="\n            RAISE EXCEPTION 'redemption: history is never removed'\n                USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'redemption_no_truncate';\n        ", hash='ef925a4992ac4d25cea7364927b9125509f4c401', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_redemption_no_truncate_478f5', table='members_redemption', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='MerchantComplaint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField(max_length=1000, verbose_name='complaint')),
                ('filed_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='filed at')),
                ('answer', models.TextField(blank=True, max_length=1000, verbose_name='answer')),
                ('answered_at', models.DateTimeField(editable=False, null=True, verbose_name='answered at')),
                ('state', union_portal.fields.StateField(choices=[('open', 'waiting for an answer'), ('answered', 'answered')], default='open', editable=False, max_length=24, verbose_name='state')),
                ('answered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='answered by')),
                ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='complaints', to='members.merchant', verbose_name='merchant')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='union_portal.organization', verbose_name='union')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='merchant_complaints', to='members.person', verbose_name='person')),
                ('redemption', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='complaints', to='members.redemption', verbose_name='use')),
            ],
            options={
                'verbose_name': 'complaint about a merchant',
                'verbose_name_plural': 'complaints about merchants',
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['merchant', 'state'], name='complaint_merchant_state')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state', 'open'), models.Q(('answered_by__isnull', False), models.Q(('answer', ''), _negated=True)), _connector='OR'), name='complaint_answered_with_words')],
                'triggers': [pgtrigger.compiler.Trigger(name='complaint_steps', sql=union_portal.triggers.GuardSql(func="\n                IF TG_OP = 'INSERT' THEN\n                    IF NEW.state NOT IN ('open') THEN\n                        RAISE EXCEPTION 'complaint: no row is born %', NEW.state\n                            USING ERRCODE = 'check_violation',\n                                  CONSTRAINT = 'complaint_steps';\n                    END IF;\n                ELSIF NEW.state <> OLD.state\n                      AND OLD.state || '>' || NEW.state NOT IN ('open>answered') THEN\n                    RAISE EXCEPTION 'complaint: % to % is not a step', OLD.state, NEW.state\n                        USING ERRCODE = 'check_violation',\n                              CONSTRAINT = 'complaint_steps';\n                END IF;\n                RETURN NEW;\n            ", hash='05c70fa5563be9615b9f8bc71240e6c78b0793f1', operation='INSERT OR UPDATE OF "state"', pgid='pgtrigger_complaint_steps_5d0fa', table='members_merchantcomplaint', when='BEFORE')), pgtrigger.compiler.Trigger(name='merchant_complaint_no_delete', sql=union_portal.triggers.GuardSql(func="RAISE EXCEPTION 'merchant_complaint: history is never removed' USING ERRCODE = 'check_violation', CONSTRAINT = 'merchant_complaint_no_delete', TABLE = 'merchant';", hash='289be2783fc497a131a77ac8d9e1e2287e7b89f9', operation='DELETE', pgid='pgtrigger_merchant_complaint_no_delete_373f3', table='members_merchantcomplaint', when='BEFORE')), pgtrigger.compiler.Trigger(name='merchant_complaint_no_truncate', sql=union_portal.triggers.GuardSql(func="\n            RAISE EXCEPTION 'merchant_complaint: history is never removed'\n                USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'merchant_complaint_no_truncate';\n        ", hash='2ba7f32a6ba7742ce84cd84b44c3bde1c3ab5463', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_merchant_complaint_no_truncate_07b8b', table='members_merchantcomplaint', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='Rating',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stars', models.PositiveSmallIntegerField(verbose_name='stars')),
                ('words', models.CharField(blank=True, max_length=300, verbose_name='words')),
                ('rated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='rated at')),
                ('redemption', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='rating', to='members.redemption', verbose_name='use')),
            ],
            options={
                'verbose_name': 'rating',
                'verbose_name_plural': 'ratings',
                'constraints': [models.CheckConstraint(condition=models.Q(('stars__gte', 1), ('stars__lte', 5)), name='rating_of_five_stars')],
            },
        ),
        migrations.CreateModel(
            name='WrongCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('asked_from', models.CharField(max_length=64, verbose_name='print of the address')),
                ('typed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='typed at')),
                ('login', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='members.merchantlogin', verbose_name='till')),
            ],
            options={
                'verbose_name': 'wrong code at a till',
                'verbose_name_plural': 'wrong codes at tills',
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['login', 'typed_at'], name='wrong_code_login'), models.Index(fields=['asked_from', 'typed_at'], name='wrong_code_asked_from')],
            },
        ),
    ]
