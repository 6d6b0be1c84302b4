"""Every attack of the list, as the owner and as both roles of the application, is refused."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from tests.disbursement.sql_attacks import ATTACKS, POWER, Attack
from tests.roles import playing, read_as_the_mightiest
from union_portal import guards
from union_portal.privileges import APPLICATION, WEB
from welfare.disbursement import batches, claims, gate
from welfare.disbursement.models import BankFile
from welfare.disbursement.refusals import constraint_of

LEAST = 60


class StillThere(Exception):
    """Undoes what the owner may do."""


@pytest.fixture
def scene(office):
    """A batch that the bank has settled, a sealed one that the checker approved, a motion."""
    office.settled("paid", "failed")
    batch = office.sealed(2)
    batches.check(batch=batch, by=office.cast.feng_checker, digest=batch.digest)
    batches.void(batch=batch, by=office.cast.feng_checker, reason="wrong list")
    return office


def refusal(role: str, sql: str) -> tuple[str, str, str]:
    """What refused: constraint, SQLSTATE, message; empty words if nothing did."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            if role == WEB:
                read_as_the_mightiest()
            cursor.execute(f"SET LOCAL ROLE {role}")
            cursor.execute(sql)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            raise StillThere
    except DatabaseError as error:
        return constraint_of(error), error.__cause__.pgcode, str(error)
    except StillThere:
        return "", "", ""


def test_there_are_at_least_sixty_different_statements():
    assert len({attack.sql for attack in ATTACKS}) == len(ATTACKS) >= LEAST


def test_every_attack_is_refused_to_everybody_by_its_name(scene):
    gate.shut("a test")
    faults = []
    for attack in ATTACKS:
        for role in ("none", *APPLICATION):
            fault = missed(attack, role, refusal(role, attack.sql))
            if fault:
                faults.append(f"{attack.tries}, as {role}: {fault}")
    assert faults == [], "\n".join(faults)


def missed(attack: Attack, role: str, told: tuple[str, str, str]) -> str:
    """What is wrong with the answer to an attack; '' if it was refused as it should be."""
    name, code, message = told
    asked = attack.owner if role == "none" or not attack.application else attack.application
    if asked and " " in asked:
        return "" if code == "42501" and asked in message else f"{message or 'done'}, not {asked}"
    if not asked:
        return "" if message == "" else f"{message}: the list says that the owner may"
    return "" if name == asked else f"{name or message or 'done'}, not {asked}"


@pytest.mark.parametrize("role", APPLICATION)
def test_nobody_puts_triggers_to_sleep_by_a_setting(scene, role):
    _name, code, message = refusal(role, "SET session_replication_role = replica")
    assert (code, "session_replication_role" in message) == ("42501", True)


@pytest.mark.parametrize("role", APPLICATION)
def test_no_guard_is_bound_to_a_table_of_ones_own(scene, role):
    """A guard acts as the owner: bound to postings of somebody's own making it would book them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.oid::regprocedure::text, has_function_privilege(%s, p.oid, 'EXECUTE')"
            " FROM pg_proc p WHERE p.prorettype = 'trigger'::regtype"
            " AND p.pronamespace = 'public'::regnamespace",
            [role],
        )
        functions = dict(cursor.fetchall())
    assert any("posting" in name for name in functions)
    assert [name for name, is_open in functions.items() if is_open] == []


# -- what the owner may do is found out ---------------------------------------------------


HARM = [one for one in POWER if one.sql.startswith(("ALTER", "DROP")) and not one.owner]


@pytest.mark.parametrize("attack", HARM, ids=lambda attack: attack.tries)
def test_what_the_owner_did_to_a_guard_is_found_out(office, attack):
    assert guards.fallen() == []
    with pytest.raises(StillThere), transaction.atomic(), playing("none"):
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(attack.sql)
        assert guards.fallen() != []
        raise StillThere


def test_an_emptied_guard_is_found_out(office):
    with playing("none"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.proname FROM pg_proc p WHERE p.proname LIKE 'pgtrigger_payout_line_frozen%%'"
        )
        (name,) = cursor.fetchone()
        cursor.execute(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RETURN NEW; END $$"
        )
    assert "the trigger payout_line_frozen does something else" in guards.fallen()


# -- what the database can't judge --------------------------------------------------------


@pytest.mark.parametrize("table", ["disbursement_payoutline", "members_bankaccount"])
def test_a_number_swapped_beside_its_approved_fingerprint_is_not_paid(office, table):
    """Sealed numbers may be sealed anew, so no trigger freezes them: the worker compares."""
    column = "account_number" if table.endswith("line") else "number"
    office.owe(2)
    swap = (
        f"UPDATE {table} t SET {column} = o.{column}"
        f" FROM {table} o WHERE o.id <> t.id AND o.state = t.state"
    )
    with connection.cursor() as cursor:
        if table == "members_bankaccount":
            cursor.execute(swap)
        batch = office.release(batches.seal(batch=office.assemble(), by=office.cast.feng))
        if table == "disbursement_payoutline":
            cursor.execute(swap)
        assert cursor.rowcount == 2
    claims.wake()
    batch.refresh_from_db()
    assert (batch.state, BankFile.objects.count()) == ("approved", 0)
    assert "is not the one that was approved" in batch.held_reason
