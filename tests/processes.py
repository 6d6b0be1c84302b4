"""Processes beside the tests: where they find the test's own database, and what they start."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection


def surroundings(**more: str) -> dict[str, str]:
    """The environment of a worker of its own on the database of this test."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "union_portal.settings",
        "DATABASE_URL": url_of("WORKER"),
        **more,
    }


def url_of(role: str) -> str:
    """The database of this test as WEB or WORKER."""
    given = urlsplit(os.environ[f"PORTAL_{role}_DATABASE_URL"])
    return given._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


def children(parent: int) -> list[int]:
    """What a process started itself; nothing, if it is gone."""
    try:
        text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(child) for child in text.split()]


def family(parent: int) -> list[int]:
    """Everything that runs below a process."""
    found = children(parent)
    return found + [below for child in found for below in family(child)]
