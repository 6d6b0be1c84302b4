"""Tokens of programs, calls that are answered once, and counted calls."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('union_portal', '0012_forgotten_files'),
    ]

    operations = [
        migrations.CreateModel(
            name='CallCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('caller', models.CharField(max_length=80, verbose_name='caller')),
                ('minute', models.DateTimeField(verbose_name='minute')),
                ('count', models.PositiveIntegerField(default=0, verbose_name='calls')),
            ],
            options={
                'verbose_name': 'counted calls',
                'verbose_name_plural': 'counted calls',
                'indexes': [models.Index(fields=['minute'], name='call_count_minute')],
                'constraints': [models.UniqueConstraint(fields=('caller', 'minute'), name='call_count_once_a_minute')],
            },
        ),
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True, verbose_name='digest of the token')),
                ('session_hash', models.CharField(max_length=64, verbose_name='what sessions must match')),
                ('label', models.CharField(max_length=60, verbose_name='name of the program')),
                ('has_factor', models.BooleanField(default=False, verbose_name='second factor shown')),
                ('address', models.GenericIPAddressField(null=True, verbose_name='address')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='created at')),
                ('used_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='last used at')),
                ('expires_at', models.DateTimeField(db_index=True, verbose_name='expires at')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_tokens', to=settings.AUTH_USER_MODEL, verbose_name='account')),
            ],
            options={
                'verbose_name': 'API token',
                'verbose_name_plural': 'API tokens',
                'ordering': ['-created_at', '-id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('created_at'))), name='api_token_ends_after_start')],
            },
        ),
        migrations.CreateModel(
            name='SentCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('route', models.CharField(max_length=300, verbose_name='method and address')),
                ('key', models.CharField(max_length=64, verbose_name='key')),
                ('body_digest', models.CharField(max_length=64, verbose_name='digest of the content')),
                ('status', models.PositiveSmallIntegerField(default=0, verbose_name='status of the answer')),
                ('answer', models.JSONField(default=dict, verbose_name='answer')),
                ('sent_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True, verbose_name='sent at')),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='account')),
            ],
            options={
                'verbose_name': 'sent call',
                'verbose_name_plural': 'sent calls',
                'constraints': [models.UniqueConstraint(fields=('account', 'route', 'key'), name='sent_call_once')],
            },
        ),
    ]
