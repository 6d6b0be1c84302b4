"""Secrets of second factors that were written in plain letters are sealed."""

from django.db import migrations


def seal(apps, schema_editor):
    from union_portal import keys

    _each(apps, keys.moved)


def unseal(apps, schema_editor):
    from union_portal import keys

    _each(apps, keys.in_plain_letters)


def _each(apps, change):
    Authenticator = apps.get_model("mfa", "Authenticator")
    for factor in Authenticator.objects.order_by("pk"):
        fresh = change(factor.data)
        if fresh != factor.data:
            Authenticator.objects.filter(pk=factor.pk).update(data=fresh)


class Migration(migrations.Migration):
    dependencies = [
        ("union_portal", "0003_cache_table"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]
    operations = [migrations.RunPython(seal, unseal)]
