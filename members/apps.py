"""The app's configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MembersConfig(AppConfig):
    name = "members"
    label = "members"
    verbose_name = _("Members")

    def ready(self) -> None:
        from members import queries, reports, sections  # noqa: F401  (registers)
        from members.actions import (  # noqa: F401  (register)
            agreements,
            bank_accounts,
            card_batches,
            card_life,
            card_results,
            card_telling,
            cards,
            complaints,
            consents,
            copies,
            corrections,
            first_login,
            imports,
            joining,
            log_in,
            memberships,
            merchant_accounts,
            merges,
            telling,
        )
        from members.queries import figures  # noqa: F401  (registers)
        from members.states import LIFECYCLES
        from union_portal import lifecycle, notifications

        notifications.name_recipients(queries.names_of)
        joining.when_joined(consents.note_joined)
        consents.when_withdrawn(cards.consent_withdrawn)
        memberships.when_ended(cards.membership_ended)
        telling.register()
        for label, table in LIFECYCLES.items():
            lifecycle.register(label, table)
        sections.register()
