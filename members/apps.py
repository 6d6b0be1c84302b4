"""The app's configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MembersConfig(AppConfig):
    name = "members"
    label = "members"
    verbose_name = _("Members")

    def ready(self) -> None:
        from members import (  # noqa: F401  (registers)
            queries,
            reports,
            sections,
        )
        from members.actions import (  # noqa: F401  (register)
            bank_accounts,
            card_batches,
            card_life,
            card_results,
            card_telling,
            consents,
            copies,
            corrections,
            first_login,
            imports,
            log_in,
            merges,
            telling,
        )
        from members.states import LIFECYCLES
        from union_portal import lifecycle, notifications

        notifications.name_recipients(queries.names_of)
        telling.register()
        for label, table in LIFECYCLES.items():
            lifecycle.register(label, table)
        sections.register()
