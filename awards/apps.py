"""The app's configuration."""

from functools import partial

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AwardsConfig(AppConfig):
    name = "awards"
    label = "awards"
    verbose_name = _("Awards")

    def ready(self) -> None:
        from awards import merging, resources, sections
        from awards.actions import telling, withdrawals
        from awards.actions.applications import uploads
        from awards.models import Scheme
        from awards.queries import no_longer_payable
        from awards.rules import SCHEMES, check
        from awards.states import CASE, COUNTY_CHECK, HONOUR, ROUND
        from union_portal import decisions, lifecycle
        from welfare.disbursement import entitlements

        lifecycle.register("awards.honour", HONOUR)
        lifecycle.register("awards.subsidyround", ROUND)
        lifecycle.register("awards.countycheck", COUNTY_CHECK)
        lifecycle.register("awards.subsidycase", CASE)
        for scheme in Scheme.values:
            entitlements.recheck(scheme)(no_longer_payable)
        for scheme in SCHEMES:
            decisions.check_parameters(scheme, partial(check, scheme))
        telling.register()
        merging.register()
        resources.register_columns()
        uploads.register()
        withdrawals.register()
        sections.register()
