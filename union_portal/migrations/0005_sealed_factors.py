"""Secrets of authenticator apps and seeds of recovery codes, written plainly until now, are sealed."""

from collections.abc import Callable
from typing import Any

from django.db import migrations

from union_portal import factors


def _rewrite(apps: Any, write: Callable[[str], str]) -> None:
    for one in apps.get_model("mfa", "Authenticator").objects.exclude(type="webauthn"):
        for name in set(factors.SEALED) & set(one.data):
            one.data[name] = write(one.data[name])
        one.save(update_fields=["data"])


def seal(apps: Any, schema_editor: Any) -> None:
    _rewrite(apps, factors.seal)


def unseal(apps: Any, schema_editor: Any) -> None:
    _rewrite(apps, factors.unseal)


class Migration(migrations.Migration):
    dependencies = [
        ("union_portal", "0004_sessions_and_reviews"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [migrations.RunPython(seal, unseal)]
