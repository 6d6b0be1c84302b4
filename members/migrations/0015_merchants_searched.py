"""Merchants found by the sound of their name; offers that can't be changed while paused."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import union_portal.triggers


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0014_card_programme'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='benefitoffer',
            name='offer_frozen',
        ),
        migrations.AddField(
            model_name='merchant',
            name='applied_from',
            field=models.CharField(blank=True, db_default='', editable=False, max_length=64, verbose_name='keyed hash of the address'),
        ),
        migrations.AddField(
            model_name='merchant',
            name='initials',
            field=models.CharField(blank=True, db_default='', editable=False, max_length=120, verbose_name='initials'),
        ),
        migrations.AddField(
            model_name='merchant',
            name='pinyin',
            field=models.CharField(blank=True, db_default='', editable=False, max_length=600, verbose_name='pinyin'),
        ),
        migrations.AddField(
            model_name='merchantcomplaint',
            name='organization',
            field=models.ForeignKey(db_index=False, default=None, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='union_portal.organization', verbose_name='union'),
            preserve_default=False,
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='benefitoffer',
            trigger=pgtrigger.compiler.Trigger(name='offer_frozen', sql=union_portal.triggers.GuardSql(condition="WHEN ((OLD.state IN ('submitted', 'published', 'paused', 'ended')) AND (NEW.merchant_id, NEW.category_id, NEW.programme_id, NEW.title, NEW.text, NEW.terms, NEW.kind, NEW.price_fen, NEW.discount, NEW.subsidy_fen, NEW.valid_from, NEW.valid_to, NEW.quota_total, NEW.quota_per_member) IS DISTINCT FROM (OLD.merchant_id, OLD.category_id, OLD.programme_id, OLD.title, OLD.text, OLD.terms, OLD.kind, OLD.price_fen, OLD.discount, OLD.subsidy_fen, OLD.valid_from, OLD.valid_to, OLD.quota_total, OLD.quota_per_member))", func="RAISE EXCEPTION 'offer: what is published is changed by a new revision' USING ERRCODE = 'check_violation', CONSTRAINT = 'offer_frozen', TABLE = 'offer';", hash='dc417b37c3f791a6a1f683910e35575399dba02c', operation='UPDATE', pgid='pgtrigger_offer_frozen_09cc3', table='members_benefitoffer', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='benefitoffer',
            trigger=pgtrigger.compiler.Trigger(name='offer_revised', sql=union_portal.triggers.GuardSql(condition="WHEN (NEW.revision <> OLD.revision + (CASE WHEN OLD.state = 'paused' AND NEW.state = 'draft' THEN 1 ELSE 0 END))", func="RAISE EXCEPTION 'offer: what was published is changed as the next revision' USING ERRCODE = 'check_violation', CONSTRAINT = 'offer_revised', TABLE = 'offer';", hash='afc611d80db0ab7cf21207ebc60d7b131c8e8ae9', operation='UPDATE', pgid='pgtrigger_offer_revised_034cd', table='members_benefitoffer', when='BEFORE')),
        ),
    ]
