"""Processes beside the tests: where they find the test's own database, and what they start."""

import os
from pathlib import Path

from django.db import connection


def surroundings(**more: str) -> dict[str, str]:
    """The environment of a worker of its own on the database of this test."""
    database = connection.settings_dict
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "union_portal.settings",
        "DATABASE_URL": (
            f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:"
            f"{database['PORT']}/{database['NAME']}"
        ),
        **more,
    }


def children(parent: int) -> list[int]:
    """What a process started itself."""
    text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(child) for child in text.split()]


def family(parent: int) -> list[int]:
    """Everything that runs below a process."""
    found = children(parent)
    return found + [below for child in found for below in family(child)]
