"""The app's configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AwardsConfig(AppConfig):
    name = "awards"
    label = "awards"
    verbose_name = _("Awards")

    def ready(self) -> None:
        from awards.states import CASE, COUNTY_CHECK, HONOUR, ROUND
        from union_portal import lifecycle

        lifecycle.register("awards.honour", HONOUR)
        lifecycle.register("awards.subsidyround", ROUND)
        lifecycle.register("awards.countycheck", COUNTY_CHECK)
        lifecycle.register("awards.subsidycase", CASE)
