"""System checks speak up where a process serves or works, and leave the owner to migrate."""

import io

import pytest
from django.core import checks
from django.core.management import call_command

from tests.roles import playing

pytestmark = pytest.mark.django_db


def warnings(*, of_a_deployment: bool) -> list[str]:
    with playing("none"):
        found = checks.run_checks(
            databases=["default"],
            include_deployment_checks=of_a_deployment,
            tags=[checks.Tags.database],
        )
    return [str(one.id) for one in found]


def test_a_process_that_owns_the_tables_is_warned_of_where_a_deployment_is_checked():
    assert "union_portal.W_OWNER" in warnings(of_a_deployment=True)


def test_migrating_as_the_owner_warns_of_nothing():
    said = io.StringIO()
    with playing("none"):
        call_command("migrate", verbosity=0, stdout=said, stderr=said)
    assert said.getvalue() == ""
    assert "union_portal.W_OWNER" not in warnings(of_a_deployment=False)
