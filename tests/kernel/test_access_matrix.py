"""docs/access-matrix.csv, read line by line by people, is what access.py grants."""

import csv

import pytest
from django.conf import settings

from tests.cast import TODAY, make_account
from union_portal import access, roles
from union_portal.access import GRANTS, SECOND_FACTOR, WHOLE, Permission, Role

MATRIX = settings.BASE_DIR / "docs" / "access-matrix.csv"
ALLOWED = {"", "x", "yes", "reach", "whole", "federation", "any union"}
HEAD = ["permission", "scope", "second_factor"]


def as_read() -> dict[str, dict[str, str]]:
    with MATRIX.open(encoding="utf-8", newline="") as file:
        return {row["permission"]: row for row in csv.DictReader(file)}


def as_granted() -> dict[str, dict[str, str]]:
    held = {role.value: "federation" if access.is_of_federation(role) else "any union"
            for role in Role}  # fmt: skip
    rows = {"(held for)": {"scope": "", "second_factor": "", **held}}
    for one in Permission:
        rows[one.value] = {
            "scope": "whole" if one in WHOLE else "reach",
            "second_factor": "yes" if one in SECOND_FACTOR else "",
            **{role.value: "x" if one in GRANTS[role] else "" for role in Role},
        }
    return {name: {"permission": name, **row} for name, row in rows.items()}


def test_the_matrix_that_was_reviewed_is_what_the_code_grants():
    assert as_read() == as_granted(), "read the difference, then write it into the matrix"


def test_the_matrix_has_a_column_for_every_role_and_no_other_words():
    read = as_read()
    assert all(set(row.values()) <= {*ALLOWED, name} for name, row in read.items())
    assert {column for row in read.values() for column in row} == {*HEAD, *Role.values}


@pytest.mark.django_db
@pytest.mark.parametrize("role", [role for role in Role if access.is_of_federation(role)])
def test_a_role_whose_rights_know_no_union_is_held_for_the_federation_alone(cast, role):
    given = {"role": role, "by": cast.security_admin, "valid_from": TODAY}
    one = make_account("yu")
    for place in (cast.tree.county, cast.tree.union):
        with pytest.raises(roles.RoleMisplaced):
            roles.grant(account=one, organization=place, **given)
    assert roles.grant(account=one, organization=cast.tree.city, **given).pk
