"""One step at a time: the case's row is locked before anything is written about it."""

from django.utils.translation import gettext_noop

from awards.actions.refusals import AwardsRefused
from awards.models import SubsidyCase


def lock(case: SubsidyCase) -> None:
    """Hold the case until the step is done. Errors: AwardsRefused if it has moved meanwhile."""
    states = SubsidyCase.objects.select_for_update().values_list("state", flat=True)
    if states.get(pk=case.pk) != case.state:
        raise AwardsRefused(
            gettext_noop("%(case)s was changed by somebody else a moment ago."),
            gettext_noop("Reload the page."),
            {"case": case.number},
        )
