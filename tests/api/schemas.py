"""The API called in every way that its description allows, and in many that it forbids.

Schemathesis reads the description and makes calls of it, in process, against the real database.
"""

from __future__ import annotations

from schemathesis.config import ProjectConfig  # noqa: F401
