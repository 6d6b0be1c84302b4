"""The application's roles own nothing, and hold exactly what the models tell."""

from __future__ import annotations

from datetime import date

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from tests.roles import playing
from union_portal import privileges, sets
from union_portal.models import Holiday
from union_portal.privileges import APPLICATION, WEB, WORKER

pytestmark = pytest.mark.django_db


def rows(sql: str, *parameters: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def code_of(sql: str) -> str:
    """The SQLSTATE that a statement is refused with; empty if it is carried out."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    except DatabaseError as error:
        return str(error.__cause__.pgcode)  # type: ignore[union-attr]
    return ""


@pytest.mark.parametrize("role", APPLICATION)
def test_a_role_of_the_application_has_no_power_over_the_server(role):
    assert rows(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication"
        " FROM pg_roles WHERE rolname = %s",
        role,
    ) == [(False,) * 5]


@pytest.mark.parametrize("role", APPLICATION)
def test_a_role_of_the_application_owns_nothing(role):
    assert rows("SELECT count(*) FROM pg_class WHERE relowner = %s::regrole", role) == [(0,)]
    assert rows("SELECT count(*) FROM pg_proc WHERE proowner = %s::regrole", role) == [(0,)]
    assert rows("SELECT count(*) FROM pg_auth_members WHERE member = %s::regrole", role) == [(0,)]


def test_the_database_grants_what_the_models_tell_and_nothing_else():
    assert privileges.differences() == []


def test_this_test_runs_with_the_rights_of_a_worker():
    assert rows("SELECT current_user::text") == [(WORKER,)]


@pytest.mark.parametrize("role", APPLICATION)
def test_a_table_that_nobody_thought_of_is_closed(role):
    with playing("none"), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE stray (id integer)")
        privileges.apply()
    with playing(role):
        assert code_of("SELECT * FROM stray") == "42501"


def test_a_new_model_is_covered_by_itself():
    """Kept rows by their guards, all others by their being there."""

    class Trigger:
        name = "later_append_only"

    options = {"app_label": "union_portal", "managed": True}
    meta = type("Meta", (), options)
    later = type("Later", (models.Model,), {"__module__": __name__, "Meta": meta})
    try:
        assert privileges.of_model(later, WEB) == privileges.EVERY
        later._meta.triggers = [Trigger]
        assert privileges.of_model(later, WEB) == {"SELECT", "INSERT"}
    finally:
        del apps.all_models["union_portal"]["later"]
        apps.clear_cache()


@pytest.mark.parametrize("role", APPLICATION)
def test_a_role_that_owns_no_table_tells_the_planner_of_new_rows(role):
    """Until then a hundred thousand of them count as a few, and are joined one by one."""
    Holiday.objects.bulk_create(
        Holiday(day=date(1990, 1, day), name="", source="") for day in range(1, 8)
    )
    with playing(role):
        sets.analyse(Holiday._meta.db_table)
        sets.analyse(Holiday._meta.db_table, "day", "name")
    told = rows("SELECT reltuples::int FROM pg_class WHERE relname = 'union_portal_holiday'")
    assert told == [(Holiday.objects.count(),)]


def test_what_was_granted_by_hand_is_told_and_taken_back():
    with playing("none"):
        with connection.cursor() as cursor:
            cursor.execute(f"GRANT UPDATE ON disbursement_posting TO {WEB}")
            cursor.execute(f"GRANT UPDATE (balance_fen) ON disbursement_ledgeraccount TO {WORKER}")
            cursor.execute("ALTER FUNCTION disbursement_batch_content(bigint) SECURITY INVOKER")
        assert privileges.differences() == [
            f"too much: UPDATE on disbursement_posting for {WEB}",
            f"too much: UPDATE (balance_fen) on disbursement_ledgeraccount for {WORKER}",
            "judges as its caller: disbursement_batch_content(bigint)",
        ]
        privileges.apply()
        assert privileges.differences() == []


def test_no_guard_can_be_silenced_by_a_setting():
    """pgtrigger's own template asks a setting whether to look away; no guard of ours does."""
    assert (
        rows("SELECT proname FROM pg_proc WHERE prosrc LIKE '%%pgtrigger_should_ignore(%%'") == []
    )
