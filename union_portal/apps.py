"""The kernel as a Django app."""

import sys
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    name = "union_portal"
    label = "union_portal"
    verbose_name = _("Portal")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Importing registers the system checks, the listeners, the work of jobs and the purposes
        # of files.
        from union_portal import (  # noqa: F401
            checks,
            figure_reports,
            health,
            listeners,
            metrics,
            readers,
            reports,
            review_sheet,
            transport,
            witness_mail,
        )

        pre_migrate.connect(close_before_going_back, sender=self)
        post_migrate.connect(grant_after_migration, sender=self)


def close_before_going_back(**said: Any) -> None:
    """Take the policies down that would hold what is to be dropped: until they are made anew,
    web processes are shown no row."""
    if any(is_backwards for _migration, is_backwards in said.get("plan", ())):
        from union_portal import row_security

        row_security.withdraw()


def grant_after_migration(**said: Any) -> None:
    """Let the roles of the application do what the models tell; `flush` changes no table.

    Policies are made of the tables that the code knows: only once they are all there.
    """
    if "plan" not in said:
        return
    from union_portal import health, privileges, row_security

    if absent := privileges.missing_roles():
        sys.stderr.write(privileges.HOW_TO_MAKE_ROLES.format(" and ".join(absent)) + "\n")
    else:
        privileges.apply()
        if not health.unapplied_migrations():
            row_security.apply()
