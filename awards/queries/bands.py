"""The band of a special hardship subsidy by the rules of a day (X7)."""

from datetime import date

from awards.models import Scheme
from awards.rules.bands import Band, band_of
from union_portal.models import RuleSet


def band_on(day: date) -> Band | None:
    """None while no rules are in force: then nobody can apply."""
    rules = RuleSet.objects.in_force(Scheme.SPECIAL_HARDSHIP, day).first()
    return None if rules is None else band_of(rules.parameters)
