import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
import union_portal.fields
import union_portal.triggers
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0004_row_security'),
        ('union_portal', '0010_counted_figures'),
        ('union_portal', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='JoinApplication',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, verbose_name='name')),
                ('national_id', union_portal.fields.SealedTextField(blank=True, editable=True, kind='national_id', null=False, verbose_name='identity number')),
                ('national_id_index', union_portal.fields.BlindIndexField(editable=False, kind='national_id', max_length=64, null=False, source='national_id', verbose_name='look-up print of the ID number')),
                ('national_id_shown', models.CharField(editable=False, max_length=18, verbose_name='identity number')),
                ('phone', union_portal.fields.SealedTextField(blank=True, editable=True, kind='phone', null=False, verbose_name='phone')),
                ('phone_index', union_portal.fields.BlindIndexField(editable=False, kind='phone', max_length=64, null=False, source='phone', verbose_name='look-up print of the phone')),
                ('phone_shown', models.CharField(editable=False, max_length=20, verbose_name='phone')),
                ('details', union_portal.fields.SealedTextField(blank=True, editable=True, kind='profile', null=True, verbose_name='further fields')),
                ('employer', models.CharField(blank=True, max_length=120, verbose_name='employer')),
                ('receipt', models.CharField(editable=False, max_length=16, unique=True, verbose_name='receipt number')),
                ('is_by_other', models.BooleanField(default=False, verbose_name='filled in by somebody else')),
                ('channel', models.CharField(choices=[('portal', 'by the member in the portal'), ('desk', 'by the union'), ('import', 'from a file')], max_length=8, verbose_name='came in')),
                ('applied_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='applied at')),
                ('checked_at', models.DateTimeField(editable=False, null=True, verbose_name='checked at')),
                ('decided_at', models.DateTimeField(editable=False, null=True, verbose_name='decided at')),
                ('reason', models.CharField(blank=True, max_length=200, verbose_name='reason')),
                ('state', union_portal.fields.StateField(choices=[('applied', 'applied'), ('checked', 'checked by the union'), ('returned', 'returned for completion'), ('approved', 'approved'), ('refused', 'refused'), ('taken_back', 'taken back')], default='applied', editable=False, max_length=24, verbose_name='state')),
            ],
            options={
                'verbose_name': 'application to join',
                'verbose_name_plural': 'applications to join',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='MemberProfile',
            fields=[
                ('person', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='profile', serialize=False, to='members.person', verbose_name='person')),
                ('ethnicity', models.CharField(blank=True, max_length=20, verbose_name='ethnicity')),
                ('education', models.CharField(blank=True, choices=[('primary', 'primary school or less'), ('junior', 'junior secondary school'), ('senior', 'senior secondary or vocational school'), ('college', 'junior college'), ('bachelor', 'bachelor'), ('master', 'master'), ('doctor', 'doctor')], max_length=10, verbose_name='education')),
                ('political_status', models.CharField(blank=True, choices=[('masses', 'no party'), ('league', 'Communist Youth League member'), ('party', 'CPC member'), ('probationary', 'probationary CPC member'), ('democratic', 'member of a democratic party')], max_length=14, verbose_name='political status')),
                ('hukou_type', models.CharField(blank=True, choices=[('local_urban', 'local, non-agricultural'), ('local_rural', 'local, agricultural'), ('other_urban', 'from elsewhere, non-agricultural'), ('other_rural', 'from elsewhere, agricultural')], max_length=12, verbose_name='hukou')),
                ('employment', models.CharField(blank=True, choices=[('employed', 'employed'), ('flexible', 'flexibly employed'), ('laid_off', 'laid off, waiting in the unit'), ('unemployed', 'unemployed'), ('retired', 'retired')], max_length=12, verbose_name='employment')),
                ('technical_grade', models.CharField(blank=True, choices=[('none', 'none'), ('junior', 'junior worker (grade 5)'), ('intermediate', 'intermediate worker (grade 4)'), ('senior', 'senior worker (grade 3)'), ('technician', 'technician (grade 2)'), ('senior_technician', 'senior technician (grade 1)')], max_length=18, verbose_name='technical grade')),
                ('is_farmer_worker', models.BooleanField(default=False, verbose_name='farmer worker')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='changed at')),
            ],
            options={
                'verbose_name': "member's further fields",
                'verbose_name_plural': "members' further fields",
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('joined_on', models.DateField(verbose_name='in this union since')),
                ('first_joined_on', models.DateField(verbose_name='member since')),
                ('ended_on', models.DateField(blank=True, null=True, verbose_name='ended on')),
                ('channel', models.CharField(choices=[('portal', 'by the member in the portal'), ('desk', 'by the union'), ('import', 'from a file')], max_length=8, verbose_name='came in')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created at')),
                ('state', union_portal.fields.StateField(choices=[('active', 'member'), ('retained', 'membership retained'), ('retired', 'retired'), ('transferred', 'transferred to another union'), ('withdrawn', 'withdrawn'), ('deceased', 'deceased')], default='active', editable=False, max_length=24, verbose_name='state')),
            ],
            options={
                'verbose_name': 'membership',
                'verbose_name_plural': 'memberships',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='MembershipChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('old_state', models.CharField(blank=True, choices=[('active', 'member'), ('retained', 'membership retained'), ('retired', 'retired'), ('transferred', 'transferred to another union'), ('withdrawn', 'withdrawn'), ('deceased', 'deceased')], max_length=24, verbose_name='from')),
                ('new_state', models.CharField(choices=[('active', 'member'), ('retained', 'membership retained'), ('retired', 'retired'), ('transferred', 'transferred to another union'), ('withdrawn', 'withdrawn'), ('deceased', 'deceased')], max_length=24, verbose_name='to')),
                ('on', models.DateField(verbose_name='on')),
                ('reason', models.CharField(blank=True, max_length=200, verbose_name='reason')),
                ('noted_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='noted at')),
            ],
            options={
                'verbose_name': 'change of a membership',
                'verbose_name_plural': 'changes of memberships',
                'ordering': ['-on', '-id'],
            },
        ),
        migrations.CreateModel(
            name='MembershipTransfer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(max_length=200, verbose_name='reason')),
                ('employer', models.CharField(blank=True, max_length=120, verbose_name='new employer')),
                ('requested_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='requested at')),
                ('released_at', models.DateTimeField(editable=False, null=True, verbose_name='released at')),
                ('decided_at', models.DateTimeField(editable=False, null=True, verbose_name='accepted or refused at')),
                ('answer', models.CharField(blank=True, max_length=200, verbose_name='answer')),
                ('state', union_portal.fields.StateField(choices=[('requested', 'waiting for the old union'), ('released', 'released, waiting for the new union'), ('accepted', 'accepted'), ('refused', 'refused'), ('taken_back', 'taken back')], default='requested', editable=False, max_length=24, verbose_name='state')),
            ],
            options={
                'verbose_name': 'transfer of a membership',
                'verbose_name_plural': 'transfers of memberships',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='PersonMerge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(max_length=200, verbose_name='reason')),
                ('moved', models.JSONField(default=dict, editable=False, verbose_name='what was moved')),
                ('proposed_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='proposed at')),
                ('decided_at', models.DateTimeField(editable=False, null=True, verbose_name='decided at')),
                ('answer', models.CharField(blank=True, max_length=200, verbose_name='answer')),
                ('state', union_portal.fields.StateField(choices=[('proposed', 'waiting for a second person'), ('confirmed', 'merged'), ('refused', 'refused')], default='proposed', editable=False, max_length=24, verbose_name='state')),
            ],
            options={
                'verbose_name': 'merge of two people',
                'verbose_name_plural': 'merges of people',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='UnionProfile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('office', models.CharField(blank=True, max_length=80, verbose_name='office in charge')),
                ('approved_by', models.CharField(blank=True, max_length=120, verbose_name='approving body')),
                ('approval_number', models.CharField(blank=True, max_length=60, verbose_name='number of the approval')),
                ('employer_name', models.CharField(blank=True, max_length=120, verbose_name='employer')),
                ('employer_code', models.CharField(blank=True, help_text='GB 32100', max_length=18, verbose_name='credit code of the employer')),
                ('employer_nature', models.CharField(blank=True, choices=[('110', 'state-owned'), ('120', 'collective'), ('130', 'joint-stock cooperative'), ('151', 'wholly state-owned company'), ('161', 'state-controlled company'), ('170', 'private'), ('200', 'invested from Hong Kong, Macao or Taiwan'), ('300', 'foreign-invested'), ('400', 'public institution'), ('500', 'state organ'), ('600', 'individual business'), ('700', 'private non-enterprise unit')], max_length=3, verbose_name='nature of the employer')),
                ('industry', models.CharField(blank=True, choices=[('A', 'agriculture, forestry, animal husbandry, fishery'), ('B', 'mining'), ('C', 'manufacturing'), ('D', 'electricity, heat, gas and water supply'), ('E', 'construction'), ('F', 'wholesale and retail'), ('G', 'transport, storage and post'), ('H', 'accommodation and catering'), ('I', 'information transmission, software and IT'), ('J', 'finance'), ('K', 'real estate'), ('L', 'leasing and business services'), ('M', 'scientific research and technical services'), ('N', 'water conservancy, environment, public facilities'), ('O', "residents' services, repair and others"), ('P', 'education'), ('Q', 'health and social work'), ('R', 'culture, sports and entertainment'), ('S', 'public administration and social organizations'), ('T', 'international organizations')], max_length=1, verbose_name='industry')),
                ('first_committee_on', models.DateField(blank=True, null=True, verbose_name='first committee elected on')),
                ('committee_on', models.DateField(blank=True, null=True, verbose_name='present committee elected on')),
                ('committee_until', models.DateField(blank=True, null=True, verbose_name='present committee until')),
                ('certificate_number', models.CharField(blank=True, max_length=60, verbose_name='legal-person certificate of the union')),
                ('legal_representative', models.CharField(blank=True, max_length=60, verbose_name='legal representative')),
                ('handler', models.CharField(blank=True, max_length=60, verbose_name='handler')),
                ('handler_phone', models.CharField(blank=True, max_length=30, verbose_name='phone of the handler')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='changed at')),
            ],
            options={
                'verbose_name': 'official fields of a union',
                'verbose_name_plural': 'official fields of unions',
            },
        ),
        migrations.CreateModel(
            name='UnionYear',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('year', models.PositiveSmallIntegerField(verbose_name='year')),
                ('workers_count', models.PositiveIntegerField(default=0, verbose_name='workers')),
                ('women_count', models.PositiveIntegerField(default=0, verbose_name='women workers')),
                ('farmer_workers_count', models.PositiveIntegerField(default=0, verbose_name='farmer workers')),
                ('cadres_count', models.PositiveIntegerField(default=0, verbose_name='full-time cadres')),
                ('brought_forward_fen', union_portal.fields.FenField(default=0, verbose_name='surplus brought forward')),
                ('dues_fen', union_portal.fields.FenField(default=0, verbose_name="members' dues")),
                ('retained_fen', union_portal.fields.FenField(default=0, verbose_name='retained share of the 2% levy')),
                ('other_income_fen', union_portal.fields.FenField(default=0, verbose_name='other income')),
                ('reported_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='reported at')),
            ],
            options={
                'verbose_name': 'yearly report of a union',
                'verbose_name_plural': 'yearly reports of unions',
                'ordering': ['-year', 'organization_id'],
            },
        ),
        migrations.AddField(
            model_name='person',
            name='merged_into',
            field=models.ForeignKey(db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='merged_from', to='members.person', verbose_name='same person as'),
        ),
        migrations.AddField(
            model_name='joinapplication',
            name='applied_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='applied by'),
        ),
        migrations.AddField(
            model_name='joinapplication',
            name='checked_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='checked by'),
        ),
        migrations.AddField(
            model_name='joinapplication',
            name='decided_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='decided by'),
        ),
        migrations.AddField(
            model_name='joinapplication',
            name='organization',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='union_portal.organization', verbose_name='union'),
        ),
        migrations.AddField(
            model_name='membership',
            name='organization',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='union_portal.organization', verbose_name='union'),
        ),
        migrations.AddField(
            model_name='membership',
            name='person',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to='members.person', verbose_name='person'),
        ),
        migrations.AddField(
            model_name='membership',
            name='previous',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='next', to='members.membership', verbose_name='membership before'),
        ),
        migrations.AddField(
            model_name='joinapplication',
            name='membership',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='application', to='members.membership', verbose_name='membership'),
        ),
        migrations.AddField(
            model_name='membershipchange',
            name='membership',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='members.membership', verbose_name='membership'),
        ),
        migrations.AddField(
            model_name='membershipchange',
            name='noted_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='noted by'),
        ),
        migrations.AddField(
            model_name='membershiptransfer',
            name='decided_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='accepted or refused by'),
        ),
        migrations.AddField(
            model_name='membershiptransfer',
            name='made',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='made_by', to='members.membership', verbose_name='new membership'),
        ),
        migrations.AddField(
            model_name='membershiptransfer',
            name='membership',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='transfers', to='members.membership', verbose_name='membership'),
        ),
        migrations.AddField(
            model_name='membershiptransfer',
            name='released_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='released by'),
        ),
        migrations.AddField(
            model_name='membershiptransfer',
            name='requested_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='requested by'),
        ),
        migrations.AddField(
            model_name='membershiptransfer',
            name='source',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='union_portal.organization', verbose_name='old union'),
        ),
        migrations.AddField(
            model_name='membershiptransfer',
            name='target',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='union_portal.organization', verbose_name='new union'),
        ),
        migrations.AddField(
            model_name='personmerge',
            name='decided_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='decided by'),
        ),
        migrations.AddField(
            model_name='personmerge',
            name='kept',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='merges', to='members.person', verbose_name='person who stays'),
        ),
        migrations.AddField(
            model_name='personmerge',
            name='merged',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='merges_away', to='members.person', verbose_name='row that goes'),
        ),
        migrations.AddField(
            model_name='personmerge',
            name='organization',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='union_portal.organization', verbose_name='union'),
        ),
        migrations.AddField(
            model_name='personmerge',
            name='proposed_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='proposed by'),
        ),
        migrations.AddField(
            model_name='unionprofile',
            name='organization',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='profile', to='union_portal.organization', verbose_name='union'),
        ),
        migrations.AddField(
            model_name='unionyear',
            name='organization',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='years', to='union_portal.organization', verbose_name='union'),
        ),
        migrations.AddField(
            model_name='unionyear',
            name='reported_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='reported by'),
        ),
        migrations.AddIndex(
            model_name='person',
            index=models.Index(condition=models.Q(('merged_into__isnull', False)), fields=['merged_into'], name='person_merged'),
        ),
        migrations.AddIndex(
            model_name='membership',
            index=models.Index(fields=['organization', 'state', 'id'], name='membership_organization'),
        ),
        migrations.AddIndex(
            model_name='joinapplication',
            index=models.Index(fields=['organization', 'state', 'id'], name='join_organization_state'),
        ),
        migrations.AddIndex(
            model_name='membershipchange',
            index=models.Index(fields=['on', 'new_state'], name='membership_change_day'),
        ),
        migrations.AddIndex(
            model_name='membershiptransfer',
            index=models.Index(fields=['source', 'state'], name='transfer_source_state'),
        ),
        migrations.AddIndex(
            model_name='membershiptransfer',
            index=models.Index(fields=['target', 'state'], name='transfer_target_state'),
        ),
        migrations.AddConstraint(
            model_name='person',
            constraint=models.CheckConstraint(condition=models.Q(('merged_into__isnull', True), models.Q(('merged_into', models.F('id')), _negated=True), _connector='OR'), name='person_not_merged_into_itself'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('active', 'retained', 'retired'))), fields=('person',), name='membership_one_live'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_on__isnull', True), ('state__in', ('active', 'retained', 'retired'))), models.Q(models.Q(('state__in', ('active', 'retained', 'retired')), _negated=True), ('ended_on__isnull', False)), _connector='OR'), name='membership_ended_with_day'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.CheckConstraint(condition=models.Q(('ended_on__isnull', True), ('ended_on__gte', models.F('joined_on')), _connector='OR'), name='membership_ends_after_start'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.CheckConstraint(condition=models.Q(('first_joined_on__lte', models.F('joined_on'))), name='membership_first_joined_before'),
        ),
        migrations.AddConstraint(
            model_name='joinapplication',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('applied', 'checked', 'returned'))), fields=('national_id_index',), name='join_one_open'),
        ),
        migrations.AddConstraint(
            model_name='joinapplication',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'approved'), _negated=True), models.Q(('checked_by__isnull', False), ('decided_by__isnull', False), ('membership__isnull', False)), _connector='OR'), name='join_approved_with_membership'),
        ),
        migrations.AddConstraint(
            model_name='joinapplication',
            constraint=models.CheckConstraint(condition=models.Q(('checked_by__isnull', True), ('decided_by__isnull', True), models.Q(('checked_by', models.F('decided_by')), _negated=True), _connector='OR'), name='join_checked_by_not_decided_by'),
        ),
        migrations.AddConstraint(
            model_name='membershiptransfer',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('requested', 'released'))), fields=('membership',), name='transfer_one_open'),
        ),
        migrations.AddConstraint(
            model_name='membershiptransfer',
            constraint=models.CheckConstraint(condition=models.Q(('source', models.F('target')), _negated=True), name='transfer_moves'),
        ),
        migrations.AddConstraint(
            model_name='membershiptransfer',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'accepted'), _negated=True), models.Q(('decided_by__isnull', False), ('made__isnull', False), ('released_by__isnull', False)), _connector='OR'), name='transfer_accepted_by_both'),
        ),
        migrations.AddConstraint(
            model_name='personmerge',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'refused'), _negated=True), fields=('merged',), name='merge_once'),
        ),
        migrations.AddConstraint(
            model_name='personmerge',
            constraint=models.CheckConstraint(condition=models.Q(('kept', models.F('merged')), _negated=True), name='merge_of_two'),
        ),
        migrations.AddConstraint(
            model_name='personmerge',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'proposed'), ('decided_by__isnull', False), _connector='OR'), name='merge_decided_by_someone'),
        ),
        migrations.AddConstraint(
            model_name='personmerge',
            constraint=models.CheckConstraint(condition=models.Q(('proposed_by__isnull', True), ('decided_by__isnull', True), models.Q(('proposed_by', models.F('decided_by')), _negated=True), _connector='OR'), name='merge_proposed_by_not_decided_by'),
        ),
        migrations.AddConstraint(
            model_name='unionprofile',
            constraint=models.CheckConstraint(condition=models.Q(('committee_until__isnull', True), ('committee_until__gte', models.F('committee_on')), _connector='OR'), name='union_profile_committee_ends_after_start'),
        ),
        migrations.AddConstraint(
            model_name='unionyear',
            constraint=models.UniqueConstraint(fields=('organization', 'year'), name='union_year_reported_once'),
        ),
        migrations.AddConstraint(
            model_name='unionyear',
            constraint=models.CheckConstraint(condition=models.Q(('women_count__lte', models.F('workers_count')), ('farmer_workers_count__lte', models.F('workers_count'))), name='union_year_parts_within_workers'),
        ),
        migrations.AddConstraint(
            model_name='unionyear',
            constraint=models.CheckConstraint(condition=models.Q(('brought_forward_fen__gte', 0), ('dues_fen__gte', 0), ('other_income_fen__gte', 0), ('retained_fen__gte', 0)), name='union_year_income_not_negative'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='membership',
            trigger=pgtrigger.compiler.Trigger(name='membership_steps', sql=union_portal.triggers.GuardSql(func="\n                IF TG_OP = 'INSERT' THEN\n                    IF NEW.state NOT IN ('active', 'retained', 'retired') THEN\n                        RAISE EXCEPTION 'membership: no row is born %', NEW.state\n                            USING ERRCODE = 'check_violation',\n                                  CONSTRAINT = 'membership_steps';\n                    END IF;\n                ELSIF NEW.state <> OLD.state\n                      AND OLD.state || '>' || NEW.state NOT IN ('active>deceased', 'active>retained', 'active>retired', 'active>transferred', 'active>withdrawn', 'retained>active', 'retained>deceased', 'retained>retired', 'retained>transferred', 'retained>withdrawn', 'retired>active', 'retired>deceased', 'retired>transferred', 'retired>withdrawn') THEN\n                    RAISE EXCEPTION 'membership: % to % is not a step', OLD.state, NEW.state\n                        USING ERRCODE = 'check_violation',\n                              CONSTRAINT = 'membership_steps';\n                END IF;\n                RETURN NEW;\n            ", hash='e61386f017a257f90f921fd1d601fb71df1adb77', operation='INSERT OR UPDATE OF "state"', pgid='pgtrigger_membership_steps_59bb5', table='members_membership', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='membership',
            trigger=pgtrigger.compiler.Trigger(name='membership_frozen', sql=union_portal.triggers.GuardSql(condition='WHEN ((true) AND (NEW.person_id, NEW.organization_id, NEW.joined_on, NEW.previous_id) IS DISTINCT FROM (OLD.person_id, OLD.organization_id, OLD.joined_on, OLD.previous_id))', func="RAISE EXCEPTION 'membership: a membership is ended, never moved' USING ERRCODE = 'check_violation', CONSTRAINT = 'membership_frozen', TABLE = 'membership';", hash='92a4fbb03a09e56233db36c4dd1dba6cacfec299', operation='UPDATE', pgid='pgtrigger_membership_frozen_5dea2', table='members_membership', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='membership',
            trigger=pgtrigger.compiler.Trigger(name='membership_without_gap', sql=union_portal.triggers.GuardSql(condition='WHEN (NEW.previous_id IS NOT NULL)', func="IF NOT EXISTS (SELECT 1 FROM members_membership m WHERE m.id = NEW.previous_id AND m.person_id = NEW.person_id AND m.state = 'transferred' AND m.ended_on = NEW.joined_on) THEN RAISE EXCEPTION 'membership: it begins on the day on which the one before ended' USING ERRCODE = 'check_violation', CONSTRAINT = 'membership_without_gap', TABLE = 'membership'; END IF;\nRETURN NEW;", hash='7eb984ce309b25fd8ffadc488cd4b6207a7163f1', operation='INSERT', pgid='pgtrigger_membership_without_gap_8c14f', table='members_membership', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='membership',
            trigger=pgtrigger.compiler.Trigger(name='membership_no_delete', sql=union_portal.triggers.GuardSql(func="RAISE EXCEPTION 'membership: history is never removed' USING ERRCODE = 'check_violation', CONSTRAINT = 'membership_no_delete', TABLE = 'membership';", hash='675f5a404cbea1c7d46a4443e3083cfb2c4e269c', operation='DELETE', pgid='pgtrigger_membership_no_delete_b8068', table='members_membership', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='membership',
            trigger=pgtrigger.compiler.Trigger(name='membership_no_truncate', sql=union_portal.triggers.GuardSql(func="\n            RAISE EXCEPTION 'membership: history is never removed'\n                USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'membership_no_truncate';\n        ", hash='7787a92203f19040976a598d6fe181a95398f9ec', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_membership_no_truncate_036be', table='members_membership', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='joinapplication',
            trigger=pgtrigger.compiler.Trigger(name='join_application_steps', sql=union_portal.triggers.GuardSql(func="\n                IF TG_OP = 'INSERT' THEN\n                    IF NEW.state NOT IN ('applied') THEN\n                        RAISE EXCEPTION 'join_application: no row is born %', NEW.state\n                            USING ERRCODE = 'check_violation',\n                                  CONSTRAINT = 'join_application_steps';\n                    END IF;\n                ELSIF NEW.state <> OLD.state\n                      AND OLD.state || '>' || NEW.state NOT IN ('applied>checked', 'applied>refused', 'applied>returned', 'applied>taken_back', 'checked>approved', 'checked>refused', 'checked>returned', 'checked>taken_back', 'returned>applied', 'returned>taken_back') THEN\n                    RAISE EXCEPTION 'join_application: % to % is not a step', OLD.state, NEW.state\n                        USING ERRCODE = 'check_violation',\n                              CONSTRAINT = 'join_application_steps';\n                END IF;\n                RETURN NEW;\n            ", hash='3494d501319488fc15b6ef1be9e0eae2ee36c70b', operation='INSERT OR UPDATE OF "state"', pgid='pgtrigger_join_application_steps_0b9be', table='members_joinapplication', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='joinapplication',
            trigger=pgtrigger.compiler.Trigger(name='join_kept', sql=union_portal.triggers.GuardSql(condition="WHEN (OLD.state NOT IN ('refused', 'taken_back'))", func="RAISE EXCEPTION 'join: only what came to nothing is forgotten' USING ERRCODE = 'check_violation', CONSTRAINT = 'join_kept', TABLE = 'join';", hash='f681dd93bc6b57a620956b9c1db9d02245c16f9c', operation='DELETE', pgid='pgtrigger_join_kept_8cebe', table='members_joinapplication', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='joinapplication',
            trigger=pgtrigger.compiler.Trigger(name='join_application_no_truncate', sql=union_portal.triggers.GuardSql(func="\n            RAISE EXCEPTION 'join_application: history is never removed'\n                USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'join_application_no_truncate';\n        ", hash='5311ca59b869d6cef77816215866b657a7c2fa83', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_join_application_no_truncate_e66a1', table='members_joinapplication', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='membershipchange',
            trigger=pgtrigger.compiler.Trigger(name='membership_change_append_only', sql=union_portal.triggers.GuardSql(func="\n                RAISE EXCEPTION 'membership_change: history is never changed'\n                    USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'membership_change_append_only';\n            ", hash='59a36cb831bb0f7463abff6cb4614ee1ce3035b2', operation='UPDATE OR DELETE', pgid='pgtrigger_membership_change_append_only_b152e', table='members_membershipchange', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='membershipchange',
            trigger=pgtrigger.compiler.Trigger(name='membership_change_no_truncate', sql=union_portal.triggers.GuardSql(func="\n            RAISE EXCEPTION 'membership_change: history is never removed'\n                USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'membership_change_no_truncate';\n        ", hash='5f7f43e1d12ee1b48dd2d138a3a9de538063328c', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_membership_change_no_truncate_fca11', table='members_membershipchange', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='membershiptransfer',
            trigger=pgtrigger.compiler.Trigger(name='membership_transfer_steps', sql=union_portal.triggers.GuardSql(func="\n                IF TG_OP = 'INSERT' THEN\n                    IF NEW.state NOT IN ('requested') THEN\n                        RAISE EXCEPTION 'membership_transfer: no row is born %', NEW.state\n                            USING ERRCODE = 'check_violation',\n                                  CONSTRAINT = 'membership_transfer_steps';\n                    END IF;\n                ELSIF NEW.state <> OLD.state\n                      AND OLD.state || '>' || NEW.state NOT IN ('released>accepted', 'released>refused', 'released>taken_back', 'requested>refused', 'requested>released', 'requested>taken_back') THEN\n                    RAISE EXCEPTION 'membership_transfer: % to % is not a step', OLD.state, NEW.state\n                        USING ERRCODE = 'check_violation',\n                              CONSTRAINT = 'membership_transfer_steps';\n                END IF;\n                RETURN NEW;\n            ", hash='b6c84199e612641e19786d28ffa843b79d446c31', operation='INSERT OR UPDATE OF "state"', pgid='pgtrigger_membership_transfer_steps_e020e', table='members_membershiptransfer', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='membershiptransfer',
            trigger=pgtrigger.compiler.Trigger(name='transfer_frozen', sql=union_portal.triggers.GuardSql(condition='WHEN ((true) AND (NEW.membership_id, NEW.source_id, NEW.target_id) IS DISTINCT FROM (OLD.membership_id, OLD.source_id, OLD.target_id))', func="RAISE EXCEPTION 'transfer: another union is another transfer' USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_frozen', TABLE = 'transfer';", hash='51436aeac4a222a72ccf114dfcaf5cb4d6347922', operation='UPDATE', pgid='pgtrigger_transfer_frozen_87ea8', table='members_membershiptransfer', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='membershiptransfer',
            trigger=pgtrigger.compiler.Trigger(name='membership_transfer_no_delete', sql=union_portal.triggers.GuardSql(func="RAISE EXCEPTION 'membership_transfer: history is never removed' USING ERRCODE = 'check_violation', CONSTRAINT = 'membership_transfer_no_delete', TABLE = 'membership';", hash='dea99785dd97778174d5b529444d2c90f1af2dc4', operation='DELETE', pgid='pgtrigger_membership_transfer_no_delete_ec84c', table='members_membershiptransfer', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='membershiptransfer',
            trigger=pgtrigger.compiler.Trigger(name='membership_transfer_no_truncate', sql=union_portal.triggers.GuardSql(func="\n            RAISE EXCEPTION 'membership_transfer: history is never removed'\n                USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'membership_transfer_no_truncate';\n        ", hash='984f18d58751d97da987a8e298fffd9c1e82030f', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_membership_transfer_no_truncate_82715', table='members_membershiptransfer', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='personmerge',
            trigger=pgtrigger.compiler.Trigger(name='person_merge_steps', sql=union_portal.triggers.GuardSql(func="\n                IF TG_OP = 'INSERT' THEN\n                    IF NEW.state NOT IN ('proposed') THEN\n                        RAISE EXCEPTION 'person_merge: no row is born %', NEW.state\n                            USING ERRCODE = 'check_violation',\n                                  CONSTRAINT = 'person_merge_steps';\n                    END IF;\n                ELSIF NEW.state <> OLD.state\n                      AND OLD.state || '>' || NEW.state NOT IN ('proposed>confirmed', 'proposed>refused') THEN\n                    RAISE EXCEPTION 'person_merge: % to % is not a step', OLD.state, NEW.state\n                        USING ERRCODE = 'check_violation',\n                              CONSTRAINT = 'person_merge_steps';\n                END IF;\n                RETURN NEW;\n            ", hash='4c437ba60e63a6386862713e9fef24b68dcb3171', operation='INSERT OR UPDATE OF "state"', pgid='pgtrigger_person_merge_steps_089b6', table='members_personmerge', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='personmerge',
            trigger=pgtrigger.compiler.Trigger(name='merge_frozen', sql=union_portal.triggers.GuardSql(condition='WHEN ((true) AND (NEW.kept_id, NEW.merged_id) IS DISTINCT FROM (OLD.kept_id, OLD.merged_id))', func="RAISE EXCEPTION 'merge: two others are another merge' USING ERRCODE = 'check_violation', CONSTRAINT = 'merge_frozen', TABLE = 'merge';", hash='363f9e5656049a5f0ba61474959edba5c76de4ac', operation='UPDATE', pgid='pgtrigger_merge_frozen_50907', table='members_personmerge', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='personmerge',
            trigger=pgtrigger.compiler.Trigger(name='person_merge_no_delete', sql=union_portal.triggers.GuardSql(func="RAISE EXCEPTION 'person_merge: history is never removed' USING ERRCODE = 'check_violation', CONSTRAINT = 'person_merge_no_delete', TABLE = 'person';", hash='7b96c5b4ecb9d6ab449f072fefd7d10207def029', operation='DELETE', pgid='pgtrigger_person_merge_no_delete_0a79f', table='members_personmerge', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='personmerge',
            trigger=pgtrigger.compiler.Trigger(name='person_merge_no_truncate', sql=union_portal.triggers.GuardSql(func="\n            RAISE EXCEPTION 'person_merge: history is never removed'\n                USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'person_merge_no_truncate';\n        ", hash='a3b773a599e68c2490a9877228a078a4de9514d2', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_person_merge_no_truncate_23c18', table='members_personmerge', when='BEFORE')),
        ),
    ]
