"""Moving every sealed value to the newest key, while everybody goes on working.

A row that somebody holds is left for the next pass: nobody waits for the rotation, so nobody can
die with it in a deadlock. A row is read, sealed anew and written under one lock, so that no value
is overwritten by an older one. Each chunk is committed with its audit entry; whoever is killed
goes on where the rest is. Source: docs/adr/0011.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import connection, models, transaction

from union_portal import audit
from union_portal.fields import SealedTextField, keyring, sealed_columns
from union_portal.kit.crypto import SealBroken

CHUNK: Final = 1000
# Rows that are held by others are tried again, so many times in vain.
PASSES_IN_VAIN: Final = 5
PAUSE_SECONDS: Final = 1
ROTATION: Final = audit.Machine("rotate_keys")
# Of second factors: what an app or a list of codes is made from.
FACTOR: Final = "second_factor"
_SECRETS_OF_FACTORS: Final = ("secret", "seed", "migrated_codes")


@dataclass(frozen=True)
class Column:
    """One sealed column of a table."""

    model: type[models.Model]
    field: SealedTextField

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.field.name}"

    def outdated(self) -> int:
        """How many values are sealed with another key than the newest."""
        with connection.cursor() as cursor:
            cursor.execute(
                f'SELECT count(*) FROM "{self.model._meta.db_table}"'  # noqa: S608
                f' WHERE get_byte("{self.field.column}", 1) <> %s',
                [keyring().current],
            )
            return int(cursor.fetchone()[0])

    def may_be_resealed(self) -> bool:
        """Kept history is resealed by the owner of the tables alone; all else by any role."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT has_any_column_privilege(current_user, %s, 'UPDATE')",
                [self.model._meta.db_table],
            )
            return bool(cursor.fetchone()[0])

    def reseal(self, *, chunk: int = CHUNK) -> int:
        """Move all that can be had to the newest key; how many were moved."""
        done = in_vain = 0
        while in_vain < PASSES_IN_VAIN:
            moved = sum(self._one_pass(chunk))
            done += moved
            if not self.outdated():
                break
            in_vain = 0 if moved else in_vain + 1
            time.sleep(PAUSE_SECONDS if in_vain else 0)
        return done

    def _one_pass(self, chunk: int) -> Iterator[int]:
        """Every outdated row that nobody holds, in the order of their keys."""
        after: Any = None
        while True:
            with transaction.atomic():
                rows = self._take(after, chunk)
                if not rows:
                    return
                self._put(rows)
                _note(self.model._meta.label_lower, self.field.name, len(rows))
            after = rows[-1][0]
            yield len(rows)

    def _take(self, after: Any, chunk: int) -> list[tuple[Any, bytes]]:
        table, name, key = self._names()
        beyond = f'"{key}" > %s AND' if after is not None else ""
        with connection.cursor() as cursor:
            cursor.execute(
                f'SELECT "{key}", "{name}" FROM "{table}" WHERE {beyond}'  # noqa: S608
                f' get_byte("{name}", 1) <> %s ORDER BY "{key}" LIMIT %s FOR UPDATE SKIP LOCKED',
                [*([after] if after is not None else []), keyring().current, chunk],
            )
            return list(cursor.fetchall())

    def _put(self, rows: list[tuple[Any, bytes]]) -> None:
        table, name, key = self._names()
        fresh = [(pk, keyring().reseal(self.field.kind, bytes(sealed))) for pk, sealed in rows]
        marks = ", ".join(["(%s, %s::bytea)"] * len(fresh))
        with connection.cursor() as cursor:
            cursor.execute(
                f'UPDATE "{table}" t SET "{name}" = v.sealed'  # noqa: S608
                f' FROM (VALUES {marks}) AS v (id, sealed) WHERE t."{key}" = v.id',
                [part for row in fresh for part in row],
            )

    def _names(self) -> tuple[str, str, str]:
        pk = self.model._meta.pk
        assert pk is not None
        return self.model._meta.db_table, str(self.field.column), str(pk.column)


def columns() -> list[Column]:
    """Every sealed column there is: a new one is rotated without being named anywhere."""
    return [Column(model, field) for model in apps.get_models() for field in sealed_columns(model)]


def seal_factor(text: str) -> str:
    """The secret of a second factor as it is stored."""
    return base64.b64encode(keyring().seal(FACTOR, text)).decode("ascii")


def open_factor(sealed: str) -> str:
    """Its secret. Errors: SealBroken, also for one that was never sealed."""
    return keyring().open(FACTOR, _bytes(sealed) or b"")


def outdated_factors() -> int:
    """Second factors whose secrets are sealed with another key than the newest."""
    everything = Authenticator.objects.values_list("data", flat=True)
    return sum(1 for data in everything.iterator() if moved(data) != data)


@transaction.atomic
def reseal_factors() -> int:
    """Move the secrets of second factors to the newest key; how many factors were moved."""
    done = 0
    for factor in Authenticator.objects.select_for_update(skip_locked=True).order_by("pk"):
        fresh = moved(factor.data)
        if fresh != factor.data:
            done += Authenticator.objects.filter(pk=factor.pk).update(data=fresh)
    if done:
        _note(Authenticator._meta.label_lower, "data", done)
    return done


def moved(data: dict[str, Any]) -> dict[str, Any]:
    """A factor's secrets under the newest key; what is newest stays as it is."""
    return _each_secret(data, _reseal)


def in_plain_letters(data: dict[str, Any]) -> dict[str, Any]:
    """A factor's secrets as they were before they were sealed: for the way back alone."""
    return _each_secret(data, lambda held: held if _bytes(held) is None else open_factor(held))


def _each_secret(data: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    fresh = dict(data)
    for name in _SECRETS_OF_FACTORS:
        held = data.get(name)
        if isinstance(held, list):
            fresh[name] = [change(one) for one in held]
        elif held:
            fresh[name] = change(held)
    return fresh


def _reseal(held: str) -> str:
    """Under the newest key; what dates from before secrets were sealed is sealed now."""
    sealed = _bytes(held)
    if sealed is None:
        return seal_factor(held)
    return base64.b64encode(keyring().reseal(FACTOR, sealed)).decode("ascii")


def _bytes(held: str) -> bytes | None:
    """The sealed value behind its text; None for a secret in plain letters."""
    try:
        raw = base64.b64decode(held, validate=True)
        keyring().key_version(raw)
    except (ValueError, SealBroken):
        return None
    return raw


def _note(label: str, column: str, count: int) -> None:
    audit.record_ref(
        "keys.rotated",
        label,
        "set",
        by=ROTATION,
        column=column,
        count=count,
        version=keyring().current,
    )
