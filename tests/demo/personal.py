"""Read by `manage.py shell` of the demo: everything personal its database holds, and all its text.

Writes one JSON object to the file that `PERSONAL_OUT` names: `data` by column (names, numbers,
phones, accounts, addresses, medical text, each opened), `secrets` as they are, and
`secrets_found`, the names of the tables in a row of which one of them stands.
"""

import base64
import json
import os
import re

from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from union_portal.fields import sealed_columns
from union_portal.models import Account
from union_portal.secret_files import in_values

NAMES = {
    "members.Person": ("name", "pinyin"),
    "members.BankAccount": ("holder",),
    "disbursement.PayoutLine": ("payee_name",),
    "awards.HomeVisit": ("visitors",),
    "union_portal.Account": ("name",),
}
# Files of the bank hold accounts and names that are asked for by themselves.
TOO_LONG = 400


def personal():
    held = {}
    for model in apps.get_models():
        label = model._meta.label
        for field in sealed_columns(model):
            rows = model._default_manager.exclude(**{field.name: None})
            texts = [text for text in rows.values_list(field.name, flat=True) if text]
            if any(len(text) < TOO_LONG for text in texts):
                held[f"{label}.{field.name}"] = sorted({t for t in texts if len(t) < TOO_LONG})
        for name in NAMES.get(label, ()):
            texts = set(model._default_manager.values_list(name, flat=True))
            parts = {part for text in texts for part in re.split("[、，,]", text or "")}
            held[f"{label}.{name}"] = sorted(part for part in parts if tells_somebody(name, part))
    return held


def tells_somebody(column, text):
    """One syllable of a name whose other characters are rare ones is any word's."""
    return " " in text if column == "pinyin" else len(text) > 1


def secrets():
    given = [
        settings.SECRET_KEY, settings.PORTAL_KEYRING, settings.PORTAL_INDEX_KEY,
        settings.DATABASES["default"]["PASSWORD"], settings.REDIS_URL,
    ]  # fmt: skip
    for one in in_values(*given):
        if one:
            yield one
            try:
                yield base64.b64decode(one, validate=True).hex()
            except ValueError:
                continue


def tables():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace ="
            " 'public'::regnamespace AND has_table_privilege(oid, 'SELECT')"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            for (row,) in cursor.fetchall():
                yield table, row


def provoke():
    """A refusal whose details hold a whole row: PostgreSQL must keep them to itself.

    Of an account, name and all: rows behind row security it tells nobody.
    """
    try:
        with transaction.atomic():
            Account.objects.filter(pk=Account.objects.earliest("pk").pk).update(username=None)
    except IntegrityError as error:
        assert "Failing row contains" in str(error)


def told():
    provoke()
    known = [one for one in secrets() if len(one) > 8]
    found = {table for table, row in tables() if any(one in row for one in known)}
    return {"data": personal(), "secrets": known, "secrets_found": sorted(found)}


with open(os.environ["PERSONAL_OUT"], "w", encoding="utf-8") as out:
    json.dump(told(), out, ensure_ascii=False)
