"""The app's configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MembersConfig(AppConfig):
    name = "members"
    label = "members"
    verbose_name = _("Members")

    def ready(self) -> None:
        from members import reports  # noqa: F401  (registers the letters)
        from members.actions import (  # noqa: F401  (register)  # noqa: F401
            agreements,
            bank_accounts,
            complaints,
            first_login,
            imports,
            merchant_accounts,
        )
        from members.states import LIFECYCLES
        from union_portal import lifecycle

        for label, table in LIFECYCLES.items():
            lifecycle.register(label, table)
