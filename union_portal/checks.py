"""System checks: secrets in production, the role that a process has in the database."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from union_portal import settings as defaults

OWNS = """
SELECT current_user::text WHERE (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
    OR EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace
               AND relowner = current_user::regrole)
"""


@register(Tags.security, deploy=True)
def secrets_are_set(**kwargs: Any) -> list[CheckMessage]:
    """The fixed values serve checks and tests only."""
    faults: list[CheckMessage] = []
    for name, insecure in (
        ("PORTAL_SECRET_KEY", settings.SECRET_KEY == defaults.INSECURE_SECRET),
        ("PORTAL_KEYRING", settings.PORTAL_KEYRING == defaults.INSECURE_KEYRING),
        ("PORTAL_INDEX_KEY", settings.PORTAL_INDEX_KEY == defaults.INSECURE_INDEX_KEY),
    ):
        if insecure:
            faults.append(
                Error(
                    f"{name} is not set.",
                    hint=f"Set {name} in the environment; .env.example tells how to make one.",
                    id=f"union_portal.E_{name}",
                )
            )
    return faults


@register(Tags.database)
def the_role_owns_nothing(databases: Sequence[str] | None = None, **kw: Any) -> list[CheckMessage]:
    """Only migrations own tables: whoever serves or works is held by every guard."""
    powerful = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute(OWNS)
            powerful += cursor.fetchall()
    return [
        Warning(
            f"This process connects as {name}, who owns tables or is a superuser.",
            hint="Give it the DATABASE_URL of union_web or union_worker (docs/runbook.md).",
            id="union_portal.W_OWNER",
        )
        for (name,) in powerful
    ]
