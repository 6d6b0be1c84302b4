"""What leaves the host is told before a deployment unless it is encrypted."""

from types import SimpleNamespace

import pytest
from django.core.checks.registry import registry

from union_portal import transport

DATABASE, REDIS = "union_portal.W_DATABASE_TLS", "union_portal.W_REDIS_TLS"


def told(*, host: str, options: dict[str, str], redis: str) -> set[str]:
    """The faults of a server that is set so."""
    database = {"HOST": host, "OPTIONS": options}
    given = SimpleNamespace(DATABASES={"default": database}, REDIS_URL=redis)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transport, "settings", given)
        return {str(fault.id) for fault in transport.what_leaves_the_host_is_encrypted()}


def test_the_check_is_asked_before_a_deployment():
    assert transport.what_leaves_the_host_is_encrypted in registry.deployment_checks


@pytest.mark.parametrize(
    ("host", "options", "redis", "expected"),
    [
        ("db.example", {}, "redis://redis.example:6379/0", {DATABASE, REDIS}),
        ("10.0.0.5", {"sslmode": "require"}, "rediss://10.0.0.6/0", {DATABASE}),
        ("db.example", {"sslmode": "verify-full"}, "rediss://redis.example/0", set()),
        ("postgres", {}, "redis://:secret@redis:6379/0", set()),
        ("/var/run/postgresql", {}, "redis://127.0.0.1:6379/0", set()),
        ("127.0.0.1", {}, "redis://localhost/0", set()),
    ],
)
def test_a_connection_that_leaves_the_host_in_the_open_is_told(
    host: str, options: dict[str, str], redis: str, expected: set[str]
):
    assert told(host=host, options=options, redis=redis) == expected
