"""The app's configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WelfareConfig(AppConfig):
    name = "welfare"
    label = "welfare"
    verbose_name = _("Welfare")

    def ready(self) -> None:
        from union_portal import lifecycle
        from welfare import reports  # noqa: F401  (registers the statements)
        from welfare.actions import settlements  # noqa: F401  (registers who is stopped)
        from welfare.states import LIFECYCLES

        for label, table in LIFECYCLES.items():
            lifecycle.register(label, table)
