"""Merchants, agreements, places and offers; an account belongs to a person or a merchant."""

import django.db.models.deletion
import django.db.models.functions.comparison
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
import union_portal.fields
import union_portal.triggers
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0006_service_cards'),
    ]

    operations = [
        migrations.CreateModel(
            name='BenefitCategory',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(max_length=30, unique=True, verbose_name='code')),
                ('name', models.CharField(max_length=40, unique=True, verbose_name='name')),
                ('name_en', models.CharField(max_length=60, verbose_name='English name')),
                ('need', models.CharField(choices=[('clothing', 'clothing'), ('food', 'food'), ('housing', 'housing and home'), ('travel', 'travel'), ('health', 'health'), ('learning', 'learning and culture'), ('life', 'everyday life')], max_length=10, verbose_name='need')),
                ('position', models.PositiveSmallIntegerField(default=0, verbose_name='position')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
            ],
            options={
                'verbose_name': 'benefit category',
                'verbose_name_plural': 'benefit categories',
                'ordering': ['position', 'id'],
            },
        ),
        migrations.CreateModel(
            name='BenefitProgramme',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, verbose_name='name')),
                ('year', models.PositiveSmallIntegerField(unique=True, verbose_name='year')),
                ('fund_code', models.CharField(max_length=40, verbose_name='fund')),
                ('budget_fen', union_portal.fields.FenField(verbose_name='budget')),
                ('committed_fen', union_portal.fields.FenField(default=0, editable=False, verbose_name='used')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='union_portal.organization', verbose_name='union')),
            ],
            options={
                'verbose_name': 'benefit programme',
                'verbose_name_plural': 'benefit programmes',
                'ordering': ['-year'],
                'constraints': [models.CheckConstraint(condition=models.Q(('committed_fen__gte', 0), ('committed_fen__lte', models.F('budget_fen'))), name='programme_within_budget')],
                'triggers': [pgtrigger.compiler.Trigger(name='benefit_programme_no_delete', sql=union_portal.triggers.GuardSql(func="RAISE EXCEPTION 'benefit_programme: history is never removed' USING ERRCODE = 'check_violation', CONSTRAINT = 'benefit_programme_no_delete', TABLE = 'benefit';", hash='b645c9d10221434c06f7a21b45bb1ee8f85d2bca', operation='DELETE', pgid='pgtrigger_benefit_programme_no_delete_4eb61', table='members_benefitprogramme', when='BEFORE')), pgtrigger.compiler.Trigger(name='benefit_programme_no_truncate', sql=union_portal.triggers.GuardSql(func="\n            RAISE EXCEPTION 'benefit_programme: history is never removed'\n                USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'benefit_programme_no_truncate';\n        ", hash='8c3ddbffabd344ee0b7cac43cb8167def9415815', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_benefit_programme_no_truncate_51bca', table='members_benefitprogramme', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='Merchant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('pinyin', models.CharField(blank=True, db_default='', editable=False, max_length=600, verbose_name='pinyin')),
                ('initials', models.CharField(blank=True, db_default='', editable=False, max_length=120, verbose_name='initials')),
                ('uscc', models.CharField(max_length=18, verbose_name='unified social credit code')),
                ('introduction', models.TextField(blank=True, max_length=1000, verbose_name='introduction')),
                ('contact', models.CharField(max_length=60, verbose_name='contact person')),
                ('contact_phone', union_portal.fields.SealedTextField(blank=True, editable=True, kind='phone', null=False, verbose_name='phone of the contact')),
                ('contact_phone_shown', models.CharField(editable=False, max_length=20, verbose_name='phone of the contact')),
                ('receipt', models.CharField(editable=False, max_length=16, unique=True, verbose_name='receipt number')),
                ('applied_from', models.CharField(blank=True, db_default='', editable=False, max_length=64, verbose_name='keyed hash of the address')),
                ('entered_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='entered at')),
                ('reviewed_at', models.DateTimeField(editable=False, null=True, verbose_name='reviewed at')),
                ('approved_at', models.DateTimeField(editable=False, null=True, verbose_name='approved at')),
                ('reason', models.CharField(blank=True, max_length=200, verbose_name='reason')),
                ('state', union_portal.fields.StateField(choices=[('applied', 'applied'), ('invited', 'invited, to be completed'), ('reviewed', 'reviewed, waiting for approval'), ('approved', 'approved'), ('suspended', 'suspended'), ('refused', 'refused'), ('ended', 'ended')], default='applied', editable=False, max_length=24, verbose_name='state')),
                ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='approved by')),
                ('category', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='merchants', to='members.benefitcategory', verbose_name='category')),
                ('entered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='entered by')),
                ('licence', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='union_portal.storedfile', verbose_name='business licence')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='union_portal.organization', verbose_name='union in charge')),
                ('reviewed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='reviewed by')),
            ],
            options={
                'verbose_name': 'merchant',
                'verbose_name_plural': 'merchants',
                'ordering': ['name'],
                'indexes': [models.Index(fields=['organization', 'state'], name='merchant_organization')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ['refused', 'ended']), _negated=True), fields=('uscc',), name='merchant_one_live_per_code'), models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['approved', 'suspended']), _negated=True), models.Q(('approved_by__isnull', False), ('reviewed_by__isnull', False)), _connector='OR'), name='merchant_approved_by_someone'), models.CheckConstraint(condition=models.Q(('reviewed_by__isnull', True), ('approved_by__isnull', True), models.Q(('reviewed_by', models.F('approved_by')), _negated=True), _connector='OR'), name='merchant_reviewed_by_not_approved_by')],
                'triggers': [pgtrigger.compiler.Trigger(name='merchant_steps', sql=union_portal.triggers.GuardSql(func="\n                IF TG_OP = 'INSERT' THEN\n                    IF NEW.state NOT IN ('applied', 'invited') THEN\n                        RAISE EXCEPTION 'merchant: no row is born %', NEW.state\n                            USING ERRCODE = 'check_violation',\n                                  CONSTRAINT = 'merchant_steps';\n                    END IF;\n                ELSIF NEW.state <> OLD.state\n                      AND OLD.state || '>' || NEW.state NOT IN ('applied>refused', 'applied>reviewed', 'approved>ended', 'approved>suspended', 'invited>refused', 'invited>reviewed', 'reviewed>applied', 'reviewed>approved', 'reviewed>invited', 'reviewed>refused', 'suspended>approved', 'suspended>ended') THEN\n                    RAISE EXCEPTION 'merchant: % to % is not a step', OLD.state, NEW.state\n                        USING ERRCODE = 'check_violation',\n                              CONSTRAINT = 'merchant_steps';\n                END IF;\n                RETURN NEW;\n            ", hash='f040d2e656c30b1d83f17f0c42bffde88a75811a', operation='INSERT OR UPDATE OF "state"', pgid='pgtrigger_merchant_steps_aa3a2', table='members_merchant', when='BEFORE')), pgtrigger.compiler.Trigger(name='merchant_no_delete', sql=union_portal.triggers.GuardSql(func="RAISE EXCEPTION 'merchant: history is never removed' USING ERRCODE = 'check_violation', CONSTRAINT = 'merchant_no_delete', TABLE = 'merchant';", hash='dd3d1b3716819c0cfaa73b041edbdaef4dbd8705', operation='DELETE', pgid='pgtrigger_merchant_no_delete_8a94c', table='members_merchant', when='BEFORE')), pgtrigger.compiler.Trigger(name='merchant_no_truncate', sql=union_portal.triggers.GuardSql(func="\n            RAISE EXCEPTION 'merchant: history is never removed'\n                USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'merchant_no_truncate';\n        ", hash='29d777a0965eda8daafe164f67803e31c8ce9e02', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_merchant_no_truncate_faaec', table='members_merchant', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='MerchantAgreement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=40, unique=True, verbose_name='number of the agreement')),
                ('signed_on', models.DateField(verbose_name='signed on')),
                ('valid_from', models.DateField(verbose_name='valid from')),
                ('valid_to', models.DateField(verbose_name='valid to')),
                ('tender', models.CharField(blank=True, max_length=120, verbose_name='tender or approval')),
                ('entered_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='entered at')),
                ('confirmed_at', models.DateTimeField(editable=False, null=True, verbose_name='confirmed at')),
                ('terminated_on', models.DateField(blank=True, null=True, verbose_name='terminated on')),
                ('reason', models.CharField(blank=True, max_length=200, verbose_name='reason')),
                ('state', union_portal.fields.StateField(choices=[('entered', 'entered, not confirmed'), ('confirmed', 'confirmed'), ('rejected', 'rejected'), ('terminated', 'terminated')], default='entered', editable=False, max_length=24, verbose_name='state')),
                ('confirmed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='confirmed by')),
                ('document', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='union_portal.storedfile', verbose_name='document')),
                ('entered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='entered by')),
                ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='agreements', to='members.merchant', verbose_name='merchant')),
            ],
            options={
                'verbose_name': 'merchant agreement',
                'verbose_name_plural': 'merchant agreements',
                'ordering': ['-valid_from'],
                'constraints': [models.CheckConstraint(condition=models.Q(('valid_to__gte', models.F('valid_from'))), name='agreement_ends_after_start'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'confirmed'), _negated=True), ('confirmed_by__isnull', False), _connector='OR'), name='agreement_confirmed_by_someone'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'terminated'), _negated=True), ('terminated_on__isnull', False), _connector='OR'), name='agreement_terminated_with_day'), models.CheckConstraint(condition=models.Q(('entered_by__isnull', True), ('confirmed_by__isnull', True), models.Q(('entered_by', models.F('confirmed_by')), _negated=True), _connector='OR'), name='agreement_entered_by_not_confirmed_by')],
                'triggers': [pgtrigger.compiler.Trigger(name='merchant_agreement_steps', sql=union_portal.triggers.GuardSql(func="\n                IF TG_OP = 'INSERT' THEN\n                    IF NEW.state NOT IN ('entered') THEN\n                        RAISE EXCEPTION 'merchant_agreement: no row is born %', NEW.state\n                            USING ERRCODE = 'check_violation',\n                                  CONSTRAINT = 'merchant_agreement_steps';\n                    END IF;\n                ELSIF NEW.state <> OLD.state\n                      AND OLD.state || '>' || NEW.state NOT IN ('confirmed>terminated', 'entered>confirmed', 'entered>rejected') THEN\n                    RAISE EXCEPTION 'merchant_agreement: % to % is not a step', OLD.state, NEW.state\n                        USING ERRCODE = 'check_violation',\n                              CONSTRAINT = 'merchant_agreement_steps';\n                END IF;\n                RETURN NEW;\n            ", hash='86f6a00517b3c5341931da07be58d7ddd01e51c5', operation='INSERT OR UPDATE OF "state"', pgid='pgtrigger_merchant_agreement_steps_d5440', table='members_merchantagreement', when='BEFORE')), pgtrigger.compiler.Trigger(name='agreement_frozen', sql=union_portal.triggers.GuardSql(condition="WHEN ((OLD.state <> 'entered') AND (NEW.merchant_id, NEW.number, NEW.signed_on, NEW.valid_from, NEW.valid_to, NEW.document_id) IS DISTINCT FROM (OLD.merchant_id, OLD.number, OLD.signed_on, OLD.valid_from, OLD.valid_to, OLD.document_id))", func="RAISE EXCEPTION 'agreement: a signed agreement is replaced, never edited' USING ERRCODE = 'check_violation', CONSTRAINT = 'agreement_frozen', TABLE = 'agreement';", hash='dd83cdc219700bfd74b1ecb3daaa05b4ff6c5511', operation='UPDATE', pgid='pgtrigger_agreement_frozen_bdf88', table='members_merchantagreement', when='BEFORE')), pgtrigger.compiler.Trigger(name='agreement_without_overlap', sql=union_portal.triggers.GuardSql(condition="WHEN (NEW.state = 'confirmed')", func="\n                    PERFORM 1 FROM members_merchant WHERE id = NEW.merchant_id FOR UPDATE;\n                    IF EXISTS (\n                        SELECT 1 FROM members_merchantagreement a\n                        WHERE a.merchant_id = NEW.merchant_id AND a.id <> NEW.id\n                          AND a.state = 'confirmed'\n                          AND daterange(a.valid_from, a.valid_to, '[]')\n                              && daterange(NEW.valid_from, NEW.valid_to, '[]')\n                    ) THEN\n                        RAISE EXCEPTION 'agreement: another one holds on some of these days'\n                            USING ERRCODE = 'check_violation',\n                                  CONSTRAINT = 'agreement_without_overlap';\n                    END IF;\n                    RETURN NEW;\n                ", hash='cb20c843c046afe0b0b740dd16f6297aabbb3d9e', operation='INSERT OR UPDATE OF "state"', pgid='pgtrigger_agreement_without_overlap_52af5', table='members_merchantagreement', when='BEFORE')), pgtrigger.compiler.Trigger(name='merchant_agreement_no_delete', sql=union_portal.triggers.GuardSql(func="RAISE EXCEPTION 'merchant_agreement: history is never removed' USING ERRCODE = 'check_violation', CONSTRAINT = 'merchant_agreement_no_delete', TABLE = 'merchant';", hash='db479b811b7889b6b05b47f616782a9b4f3bd9dd', operation='DELETE', pgid='pgtrigger_merchant_agreement_no_delete_db141', table='members_merchantagreement', when='BEFORE')), pgtrigger.compiler.Trigger(name='merchant_agreement_no_truncate', sql=union_portal.triggers.GuardSql(func="\n            RAISE EXCEPTION 'merchant_agreement: history is never removed'\n                USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'merchant_agreement_no_truncate';\n        ", hash='2c4055c54b3961a425e5b9340e5f5c65dd7f2dff', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_merchant_agreement_no_truncate_a33da', table='members_merchantagreement', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='MerchantPlace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, verbose_name='name')),
                ('address', models.CharField(max_length=200, verbose_name='address')),
                ('division_code', models.CharField(help_text='GB/T 2260, six digits', max_length=6, verbose_name='division code')),
                ('latitude', models.DecimalField(decimal_places=6, max_digits=9, verbose_name='latitude')),
                ('longitude', models.DecimalField(decimal_places=6, max_digits=9, verbose_name='longitude')),
                ('phone', models.CharField(blank=True, max_length=30, verbose_name='phone')),
                ('hours', models.CharField(blank=True, max_length=80, verbose_name='opening hours')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='places', to='members.merchant', verbose_name='merchant')),
            ],
            options={
                'verbose_name': 'place of a merchant',
                'verbose_name_plural': 'places of merchants',
                'ordering': ['name'],
                'constraints': [models.UniqueConstraint(fields=('merchant', 'name'), name='merchant_place_name_once'), models.CheckConstraint(condition=models.Q(('latitude__gte', 3), ('latitude__lte', 54), ('longitude__gte', 73), ('longitude__lte', 136)), name='merchant_place_in_china')],
            },
        ),
        migrations.CreateModel(
            name='BenefitOffer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=80, verbose_name='title')),
                ('title_en', models.CharField(blank=True, max_length=120, verbose_name='English title')),
                ('text', models.TextField(max_length=1000, verbose_name='what members get')),
                ('terms', models.TextField(blank=True, max_length=1000, verbose_name='terms')),
                ('kind', models.CharField(choices=[('price', "members' price"), ('discount', 'discount'), ('subsidy', 'subsidised by the union'), ('gift', 'extra service or gift')], max_length=8, verbose_name='kind')),
                ('price_fen', union_portal.fields.FenField(blank=True, null=True, verbose_name='price for members')),
                ('discount', models.DecimalField(blank=True, decimal_places=1, help_text='what is still paid, in tenths: 8.5 means 85%', max_digits=3, null=True, verbose_name='discount')),
                ('subsidy_fen', union_portal.fields.FenField(default=0, verbose_name='subsidy for each use')),
                ('valid_from', models.DateField(verbose_name='valid from')),
                ('valid_to', models.DateField(verbose_name='valid to')),
                ('quota_total', models.PositiveIntegerField(blank=True, null=True, verbose_name='uses in total')),
                ('quota_per_member', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='uses by each member')),
                ('used_count', models.PositiveIntegerField(default=0, editable=False, verbose_name='used')),
                ('revision', models.PositiveIntegerField(default=1, editable=False, verbose_name='revision')),
                ('entered_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='entered at')),
                ('approved_at', models.DateTimeField(editable=False, null=True, verbose_name='approved at')),
                ('reason', models.CharField(blank=True, max_length=200, verbose_name='reason')),
                ('state', union_portal.fields.StateField(choices=[('draft', 'being written'), ('submitted', 'waiting for approval'), ('published', 'published'), ('paused', 'paused'), ('ended', 'ended')], default='draft', editable=False, max_length=24, verbose_name='state')),
                ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='approved by')),
                ('category', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='offers', to='members.benefitcategory', verbose_name='category')),
                ('entered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='entered by')),
                ('programme', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='offers', to='members.benefitprogramme', verbose_name='programme')),
                ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='offers', to='members.merchant', verbose_name='merchant')),
                ('places', models.ManyToManyField(related_name='offers', to='members.merchantplace', verbose_name='places')),
            ],
            options={
                'verbose_name': 'benefit offer',
                'verbose_name_plural': 'benefit offers',
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['state', 'category'], name='offer_state_category')],
                'constraints': [models.CheckConstraint(condition=models.Q(('valid_to__gte', models.F('valid_from'))), name='offer_ends_after_start'), models.CheckConstraint(condition=models.Q(('quota_total__isnull', True), ('used_count__lte', models.F('quota_total')), _connector='OR'), name='offer_within_quota'), models.CheckConstraint(condition=models.Q(('subsidy_fen', 0), models.Q(('kind', 'subsidy'), ('programme__isnull', False), ('quota_per_member__isnull', False), ('quota_total__isnull', False), ('subsidy_fen__gt', 0)), _connector='OR'), name='offer_subsidy_bounded'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'price'), _negated=True), ('price_fen__gte', 0), _connector='OR'), name='offer_price_told'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'discount'), _negated=True), models.Q(('discount__gt', 0), ('discount__lt', 10)), _connector='OR'), name='offer_discount_told'), models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'submitted', 'ended']), ('approved_by__isnull', False), _connector='OR'), name='offer_published_by_someone'), models.CheckConstraint(condition=models.Q(('entered_by__isnull', True), ('approved_by__isnull', True), models.Q(('entered_by', models.F('approved_by')), _negated=True), _connector='OR'), name='offer_entered_by_not_approved_by')],
                'triggers': [pgtrigger.compiler.Trigger(name='benefit_offer_steps', sql=union_portal.triggers.GuardSql(func="\n                IF TG_OP = 'INSERT' THEN\n                    IF NEW.state NOT IN ('draft') THEN\n                        RAISE EXCEPTION 'benefit_offer: no row is born %', NEW.state\n                            USING ERRCODE = 'check_violation',\n                                  CONSTRAINT = 'benefit_offer_steps';\n                    END IF;\n                ELSIF NEW.state <> OLD.state\n                      AND OLD.state || '>' || NEW.state NOT IN ('draft>ended', 'draft>submitted', 'paused>draft', 'paused>ended', 'paused>published', 'published>ended', 'published>paused', 'submitted>draft', 'submitted>ended', 'submitted>published') THEN\n                    RAISE EXCEPTION 'benefit_offer: % to % is not a step', OLD.state, NEW.state\n                        USING ERRCODE = 'check_violation',\n                              CONSTRAINT = 'benefit_offer_steps';\n                END IF;\n                RETURN NEW;\n            ", hash='06d178fad8348a754aafa0f6f54f7254c04a1af6', operation='INSERT OR UPDATE OF "state"', pgid='pgtrigger_benefit_offer_steps_f089d', table='members_benefitoffer', when='BEFORE')), pgtrigger.compiler.Trigger(name='offer_frozen', sql=union_portal.triggers.GuardSql(condition="WHEN ((OLD.state IN ('submitted', 'published', 'paused', 'ended')) AND (NEW.merchant_id, NEW.category_id, NEW.programme_id, NEW.title, NEW.text, NEW.terms, NEW.kind, NEW.price_fen, NEW.discount, NEW.subsidy_fen, NEW.valid_from, NEW.valid_to, NEW.quota_total, NEW.quota_per_member) IS DISTINCT FROM (OLD.merchant_id, OLD.category_id, OLD.programme_id, OLD.title, OLD.text, OLD.terms, OLD.kind, OLD.price_fen, OLD.discount, OLD.subsidy_fen, OLD.valid_from, OLD.valid_to, OLD.quota_total, OLD.quota_per_member))", func="RAISE EXCEPTION 'offer: what is published is changed by a new revision' USING ERRCODE = 'check_violation', CONSTRAINT = 'offer_frozen', TABLE = 'offer';", hash='dc417b37c3f791a6a1f683910e35575399dba02c', operation='UPDATE', pgid='pgtrigger_offer_frozen_09cc3', table='members_benefitoffer', when='BEFORE')), pgtrigger.compiler.Trigger(name='offer_revised', sql=union_portal.triggers.GuardSql(condition="WHEN (NEW.revision <> OLD.revision + (CASE WHEN OLD.state = 'paused' AND NEW.state = 'draft' THEN 1 ELSE 0 END))", func="RAISE EXCEPTION 'offer: what was published is changed as the next revision' USING ERRCODE = 'check_violation', CONSTRAINT = 'offer_revised', TABLE = 'offer';", hash='afc611d80db0ab7cf21207ebc60d7b131c8e8ae9', operation='UPDATE', pgid='pgtrigger_offer_revised_034cd', table='members_benefitoffer', when='BEFORE')), pgtrigger.compiler.Trigger(name='benefit_offer_no_delete', sql=union_portal.triggers.GuardSql(func="RAISE EXCEPTION 'benefit_offer: history is never removed' USING ERRCODE = 'check_violation', CONSTRAINT = 'benefit_offer_no_delete', TABLE = 'benefit';", hash='19b6e2dc537b5157b5708787af5f9b593598dde6', operation='DELETE', pgid='pgtrigger_benefit_offer_no_delete_3be99', table='members_benefitoffer', when='BEFORE')), pgtrigger.compiler.Trigger(name='benefit_offer_no_truncate', sql=union_portal.triggers.GuardSql(func="\n            RAISE EXCEPTION 'benefit_offer: history is never removed'\n                USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'benefit_offer_no_truncate';\n        ", hash='f1626c2c016aac1fd5cc148789072ce06aaa8563', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_benefit_offer_no_truncate_fce4c', table='members_benefitoffer', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='Favourite',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('added_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='added at')),
                ('offer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='favourites', to='members.benefitoffer', verbose_name='offer')),
                ('person', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='favourites', to='members.person', verbose_name='person')),
            ],
            options={
                'verbose_name': 'favourite',
                'verbose_name_plural': 'favourites',
                'constraints': [models.UniqueConstraint(fields=('person', 'offer'), name='favourite_once')],
            },
        ),
        migrations.CreateModel(
            name='MerchantLogin',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('given_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='given at')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended at')),
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='merchant_login', to=settings.AUTH_USER_MODEL, verbose_name='account')),
                ('given_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='given by')),
                ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='logins', to='members.merchant', verbose_name='merchant')),
                ('place', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.merchantplace', verbose_name='place')),
            ],
            options={
                'verbose_name': 'log-in of a merchant',
                'verbose_name_plural': 'log-ins of merchants',
            },
        ),
        migrations.CreateModel(
            name='MerchantAccount',
            fields=[
            ],
            options={
                'verbose_name': 'account of a merchant',
                'verbose_name_plural': 'accounts of merchants',
                'proxy': True,
            },
            bases=('members.bankaccount',),
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='bankaccount',
            name='bank_account_frozen',
        ),
        migrations.RemoveConstraint(
            model_name='bankaccount',
            name='bank_account_one_confirmed',
        ),
        migrations.AlterField(
            model_name='bankaccount',
            name='person',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='bank_accounts', to='members.person', verbose_name='person'),
        ),
        migrations.AddField(
            model_name='bankaccount',
            name='merchant',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='bank_accounts', to='members.merchant', verbose_name='merchant'),
        ),
        migrations.AddField(
            model_name='bankaccount',
            name='payee',
            field=models.GeneratedField(db_persist=True, expression=django.db.models.functions.comparison.Coalesce(models.F('person_id'), models.Func(models.F('merchant_id'), template='(- %(expressions)s)'), output_field=models.BigIntegerField()), output_field=models.BigIntegerField(), verbose_name='payee'),
        ),
        migrations.AddConstraint(
            model_name='bankaccount',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'confirmed')), fields=('payee',), name='bank_account_one_confirmed'),
        ),
        migrations.AddConstraint(
            model_name='bankaccount',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('merchant__isnull', True), ('person__isnull', False)), models.Q(('merchant__isnull', False), ('person__isnull', True)), _connector='OR'), name='bank_account_of_one_payee'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bankaccount',
            trigger=pgtrigger.compiler.Trigger(name='bank_account_frozen', sql=union_portal.triggers.GuardSql(condition='WHEN (((NEW.merchant_id, NEW.fingerprint, NEW.holder) IS DISTINCT FROM (OLD.merchant_id, OLD.fingerprint, OLD.holder)))', func="\n                    RAISE EXCEPTION 'bank_account: an account is replaced, never edited'\n                        USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_account_frozen';\n                ", hash='49279b13a4fc10b743e44b43d6c04c2b20937e40', operation='UPDATE', pgid='pgtrigger_bank_account_frozen_f436b', table='members_bankaccount', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bankaccount',
            trigger=pgtrigger.compiler.Trigger(name='bank_account_follows_merge', sql=union_portal.triggers.GuardSql(condition='WHEN (NEW.person_id IS DISTINCT FROM OLD.person_id)', func="IF NOT EXISTS (SELECT 1 FROM members_person p WHERE p.id = OLD.person_id AND p.merged_into_id = NEW.person_id) THEN RAISE EXCEPTION 'bank_account: it stays with its person' USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_account_follows_merge', TABLE = 'bank'; END IF;\nRETURN NEW;", hash='449750bc10714f636ce1e18b610b61555822b64c', operation='UPDATE OF "person_id"', pgid='pgtrigger_bank_account_follows_merge_09ff0', table='members_bankaccount', when='BEFORE')),
        ),
    ]
