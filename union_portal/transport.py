"""A check before a deployment: what leaves the host is encrypted."""

from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register

VERIFIED: Final = frozenset({"verify-full", "verify-ca"})
DATABASE: Final = Warning(
    "The connection to PostgreSQL leaves this host without a verified certificate.",
    hint="End DATABASE_URL with ?sslmode=verify-full&sslrootcert=… (docs/runbook.md).",
    id="union_portal.W_DATABASE_TLS",
)
BACKUP: Final = Warning(
    "The connection of the backup leaves this host without a verified certificate.",
    hint="End PORTAL_BACKUP_DATABASE_URL with ?sslmode=verify-full&sslrootcert=….",
    id="union_portal.W_BACKUP_TLS",
)
BROKER: Final = Warning(
    "The connection to Redis leaves this host without TLS.",
    hint="Begin REDIS_URL with rediss:// (docs/runbook.md).",
    id="union_portal.W_REDIS_TLS",
)
MAIL: Final = Warning(
    "The connection to the mail server leaves this host without TLS.",
    hint="Begin PORTAL_EMAIL_URL with smtp+tls:// or smtp+ssl://.",
    id="union_portal.W_EMAIL_TLS",
)


@register(Tags.security, deploy=True)
def what_leaves_the_host_is_encrypted(**kwargs: Any) -> list[CheckMessage]:
    """Database, broker and mail server elsewhere are reached over TLS, by everybody."""
    database = settings.DATABASES["default"]
    how = {**database.get("OPTIONS", {})}.get("sslmode")
    backup, broker = urlsplit(settings.BACKUP_DATABASE_URL), urlsplit(settings.REDIS_URL)
    mail = urlsplit(settings.EMAIL_URL)
    ways = (
        (database.get("HOST"), how in VERIFIED, DATABASE),
        (backup.hostname, dict(parse_qsl(backup.query)).get("sslmode") in VERIFIED, BACKUP),
        (broker.hostname, broker.scheme == "rediss", BROKER),
        (mail.hostname, mail.scheme != "smtp", MAIL),
    )
    return [
        fault for host, is_safe, fault in ways if _is_elsewhere(str(host or "")) and not is_safe
    ]


def _is_elsewhere(host: str) -> bool:
    """A socket, this machine, and a name without a dot (a container beside us) are here."""
    return "." in host and not host.startswith(("/", "127."))
