"""System checks: secrets, password rules, the role that a process has in the database."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
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


@register(Tags.security)
def the_password_rules_exist(**kwargs: Any) -> list[CheckMessage]:
    """A set of rules that is misspelt, or a list that is not there, must not pass for none."""
    faults: list[CheckMessage] = []
    if settings.PASSWORD_RULES not in {"asvs", "dengbao"}:
        faults.append(
            Error(
                f"PORTAL_PASSWORD_RULES is {settings.PASSWORD_RULES!r}.",
                hint="Write asvs or dengbao (docs/adr/0010-password-rules.md).",
                id="union_portal.E_PASSWORD_RULES",
            )
        )
    place = settings.BREACHED_PASSWORDS
    if place and not Path(place).is_file():
        faults.append(
            Error(
                "PORTAL_BREACHED_PASSWORDS names no file.",
                hint="Mount the list, or leave the variable empty.",
                id="union_portal.E_BREACHED_PASSWORDS",
            )
        )
    return faults


def refuse_insecure_secrets() -> None:
    """For web and workers: nothing is served or sealed with keys that everybody knows.

    Errors: ImproperlyConfigured names the variable that is not set.
    """
    if settings.EMBEDDED or settings.DEBUG:
        return
    if faults := secrets_are_set():
        raise ImproperlyConfigured(" ".join(f"{one.msg} {one.hint}" for one in faults))


@register(Tags.database, deploy=True)
def the_role_owns_nothing(databases: Sequence[str] | None = None, **kw: Any) -> list[CheckMessage]:
    """Only migrations own tables: whoever serves or works is held by every guard.

    A check of deployments: `migrate` asks the others by itself, rightly as the owner.
    """
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
