"""What leaves the host is told before a deployment unless it is encrypted."""

from typing import Any

import pytest
from django.core.checks import run_checks

DATABASE, REDIS = "union_portal.W_DATABASE_TLS", "union_portal.W_REDIS_TLS"


def told(settings: Any, *, host: str, options: dict[str, str], redis: str) -> set[str]:
    settings.DATABASES = {"default": {"HOST": host, "OPTIONS": options}}
    settings.REDIS_URL = redis
    found = run_checks(tags=["security"], include_deployment_checks=True)
    return {str(one.id) for one in found} & {DATABASE, REDIS}


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
    settings: Any, host: str, options: dict[str, str], redis: str, expected: set[str]
):
    assert told(settings, host=host, options=options, redis=redis) == expected
