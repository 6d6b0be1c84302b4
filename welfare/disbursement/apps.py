"""The app's configuration."""

from django.apps import AppConfig
from django.apps import apps as installed
from django.apps.registry import Apps
from django.utils.translation import gettext_lazy as _

from welfare.disbursement import states


class DisbursementConfig(AppConfig):
    name = "welfare.disbursement"
    label = "disbursement"
    verbose_name = _("Disbursement")

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from union_portal import lifecycle, withdrawals

        # Registers the reports, and what monitoring is told.
        from welfare.disbursement import (  # noqa: F401
            entitlements,
            merging,
            probes,
            reports,
            sections,
        )

        withdrawals.when_owing(
            hold=entitlements.hold_of_decisions, end=entitlements.end_with_decisions
        )

        merging.register()
        sections.register()
        lifecycle.register("disbursement.entitlement", states.ENTITLEMENT)
        lifecycle.register("disbursement.payoutbatch", states.BATCH)
        lifecycle.register("disbursement.payoutline", states.LINE)
        lifecycle.register("disbursement.motion", states.MOTION)
        lifecycle.register("disbursement.gate", states.GATE)
        lifecycle.register("disbursement.discrepancy", states.DISCREPANCY)
        post_migrate.connect(_ensure_formats, sender=self)


def _ensure_formats(*, apps: Apps = installed, **_given: object) -> None:
    """The shipped bank formats are there for staff to choose from the start.

    Not while the tables are taken back: `apps` holds the models as they are migrated now
    (a flush, which keeps the tables, names none).
    """
    from welfare.disbursement import formats

    if "bankformat" in apps.all_models["disbursement"]:
        formats.ensure_shipped()
