"""System checks: secrets in production, Pango for reports."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from union_portal import settings as defaults


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
