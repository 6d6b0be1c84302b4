"""What leaves the host is told before a deployment unless it is encrypted."""

from types import SimpleNamespace

import pytest
from django.core.checks import CheckMessage
from django.core.checks.registry import registry

from union_portal import transport
from union_portal.transport import BACKUP, BROKER, DATABASE, MAIL


def told(
    *, host: str = "", options: dict[str, str] | None = None, **urls: str
) -> list[CheckMessage]:
    """The faults of a server that is set so."""
    database = {"HOST": host, "OPTIONS": options or {}}
    addresses = {"REDIS_URL": "", "BACKUP_DATABASE_URL": "", "EMAIL_URL": "", **urls}
    given = SimpleNamespace(DATABASES={"default": database}, **addresses)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transport, "settings", given)
        return transport.what_leaves_the_host_is_encrypted()


def test_the_check_is_asked_before_a_deployment():
    assert transport.what_leaves_the_host_is_encrypted in registry.deployment_checks


@pytest.mark.parametrize(
    ("host", "options", "redis", "expected"),
    [
        ("db.example", {}, "redis://redis.example:6379/0", [DATABASE, BROKER]),
        ("10.0.0.5", {"sslmode": "require"}, "rediss://10.0.0.6/0", [DATABASE]),
        ("db.example", {"sslmode": "verify-full"}, "rediss://redis.example/0", []),
        ("postgres", {}, "redis://:secret@redis:6379/0", []),
        ("/var/run/postgresql", {}, "redis://127.0.0.1:6379/0", []),
        ("127.0.0.1", {}, "redis://localhost/0", []),
    ],
)
def test_a_connection_that_leaves_the_host_in_the_open_is_told(
    host: str, options: dict[str, str], redis: str, expected: list[CheckMessage]
):
    assert told(host=host, options=options, REDIS_URL=redis) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://union_backup:secret@db.example/portal", [BACKUP]),
        ("postgres://union_backup:secret@db.example/portal?sslmode=require", [BACKUP]),
        ("postgres://union_backup:secret@db.example/portal?sslmode=verify-full", []),
        ("postgres://union_backup:secret@postgres/portal", []),
        ("", []),
    ],
)
def test_a_backup_that_is_fetched_in_the_open_is_told(url: str, expected: list[CheckMessage]):
    assert told(BACKUP_DATABASE_URL=url) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://user:secret@mail.example:25", [MAIL]),
        ("smtp+tls://user:secret@mail.example:587", []),
        ("smtp+ssl://user:secret@mail.example:465", []),
        ("smtp://mail:25", []),
        ("filemail:////srv/portal/mail", []),
    ],
)
def test_a_mail_server_that_is_reached_in_the_open_is_told(url: str, expected: list[CheckMessage]):
    assert told(EMAIL_URL=url) == expected
