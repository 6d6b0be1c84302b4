"""The app's configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MembersConfig(AppConfig):
    name = "members"
    label = "members"
    verbose_name = _("Members")

    def ready(self) -> None:
        from members import queries_uses, reports  # noqa: F401  (register figures, letters)
        from members.actions import bank_accounts, first_login, imports  # noqa: F401  (register)
        from members.states import LIFECYCLES
        from union_portal import lifecycle

        for label, table in LIFECYCLES.items():
            lifecycle.register(label, table)
