"""`manage.py rotate_keys`: re-seal every encrypted column with the newest key."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, models, transaction

from union_portal import audit, factors
from union_portal.fields import SealedTextField, keyring, sealed_columns

CHUNK = 2000


class Command(BaseCommand):
    help = "Re-seal encrypted columns with the newest key; may be interrupted and run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only count what is left")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        left = 0
        for model in apps.get_models():
            for column in sealed_columns(model):
                if is_history(model):
                    self._keep(model, column)
                    continue
                count = outdated(model, column) if check else rotate(model, column)
                left += count if check else 0
                if count:
                    self.stdout.write(f"{model._meta.label}.{column.name}: {count}")
        count = len(factors.with_old_keys()) if check else factors.reseal()
        left += count if check else 0
        if count:
            self.stdout.write(f"mfa.Authenticator.data: {count}")
        self.stdout.write(f"{left} left" if check else "done: every value has the newest key")

    def _keep(self, model: type[models.Model], column: SealedTextField) -> None:
        if count := outdated(model, column):
            name = f"{model._meta.label}.{column.name}"
            self.stdout.write(f"{name}: {count} stay, history is never changed: keep their key")


def is_history(model: type[models.Model]) -> bool:
    """Whether the table is append-only: its values keep the key they were sealed with."""
    triggers = getattr(model._meta, "triggers", [])
    return any(trigger.name.endswith("_append_only") for trigger in triggers)


def outdated(model: type[models.Model], column: SealedTextField) -> int:
    """How many values are sealed with an older key."""
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT count(*) FROM "{model._meta.db_table}"'  # noqa: S608
            f' WHERE get_byte("{column.column}", 1) <> %s',
            [keyring().current],
        )
        return int(cursor.fetchone()[0])


def rotate(model: type[models.Model], column: SealedTextField) -> int:
    """Re-seal in chunks by key, each in its own transaction; how many it changed."""
    table, name = model._meta.db_table, column.column
    key = model._meta.pk.column
    done, after = 0, None
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            beyond = f'"{key}" > %s AND' if after is not None else ""
            cursor.execute(
                f'SELECT "{key}", "{name}" FROM "{table}" WHERE {beyond}'  # noqa: S608
                f' get_byte("{name}", 1) <> %s ORDER BY "{key}" LIMIT {CHUNK} FOR UPDATE',
                [*([after] if after is not None else []), keyring().current],
            )
            rows = cursor.fetchall()
            if not rows:
                break
            fresh = [(row[0], keyring().reseal(column.kind, bytes(row[1]))) for row in rows]
            marks = ", ".join(["(%s, %s::bytea)"] * len(fresh))
            cursor.execute(
                f'UPDATE "{table}" t SET "{name}" = v.sealed'  # noqa: S608
                f' FROM (VALUES {marks}) AS v (id, sealed) WHERE t."{key}" = v.id',
                [part for row in fresh for part in row],
            )
            done, after = done + len(rows), rows[-1][0]
    if done:
        audit.record_ref(
            "keys.rotated",
            model._meta.label_lower,
            "set",
            by=audit.Machine("rotate_keys"),
            column=column.name,
            count=done,
            version=keyring().current,
        )
    return done
