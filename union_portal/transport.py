"""A check before a deployment: what leaves the host is encrypted."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register


@register(Tags.security, deploy=True)
def what_leaves_the_host_is_encrypted(**kwargs: Any) -> list[CheckMessage]:
    """Database and broker elsewhere are reached over TLS whose certificate is looked at."""
    database = settings.DATABASES["default"]
    how = {**database.get("OPTIONS", {})}.get("sslmode", "")
    broker = urlsplit(settings.REDIS_URL)
    faults: list[CheckMessage] = []
    if _is_elsewhere(str(database.get("HOST", ""))) and how not in {"verify-full", "verify-ca"}:
        faults.append(
            Warning(
                "The connection to PostgreSQL leaves this host without a verified certificate.",
                hint="End DATABASE_URL with ?sslmode=verify-full&sslrootcert=… (docs/runbook.md).",
                id="union_portal.W_DATABASE_TLS",
            )
        )
    if _is_elsewhere(broker.hostname or "") and broker.scheme != "rediss":
        faults.append(
            Warning(
                "The connection to Redis leaves this host without TLS.",
                hint="Begin REDIS_URL with rediss:// (docs/runbook.md).",
                id="union_portal.W_REDIS_TLS",
            )
        )
    return faults


def _is_elsewhere(host: str) -> bool:
    """A socket, this machine, and a name without a dot (a container beside us) are here."""
    return "." in host and not host.startswith(("/", "127."))
