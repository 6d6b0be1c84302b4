"""Transition tables of the awards app."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from union_portal.states import transitions


class HonourState(models.TextChoices):
    HELD = "held", _("held")
    REVOKED = "revoked", _("revoked")


HONOUR = transitions("honour", {HonourState.HELD}, {HonourState.HELD: {HonourState.REVOKED}})


class RoundState(models.TextChoices):
    PROPOSED = "proposed", _("with the counties")
    CHECKED = "checked", _("checked by every county")
    DECIDED = "decided", _("decided")
    CANCELLED = "cancelled", _("cancelled")


ROUND = transitions(
    "subsidy_round",
    {RoundState.PROPOSED},
    {
        RoundState.PROPOSED: {RoundState.CHECKED, RoundState.CANCELLED},
        RoundState.CHECKED: {RoundState.DECIDED, RoundState.CANCELLED},
    },
)


class CheckState(models.TextChoices):
    OPEN = "open", _("waiting for the county")
    CONFIRMED = "confirmed", _("confirmed by the county")


COUNTY_CHECK = transitions(
    "county_check", {CheckState.OPEN}, {CheckState.OPEN: {CheckState.CONFIRMED}}
)


class CaseState(models.TextChoices):
    # from a round
    PROPOSED = "proposed", _("proposed")
    INELIGIBLE = "ineligible", _("not entitled under the rules")
    CONFIRMED = "confirmed", _("confirmed by the county")
    EXCLUDED = "excluded", _("excluded")
    CANCELLED = "cancelled", _("cancelled")
    # from an application
    SUBMITTED = "submitted", _("applied")
    VISITED = "visited", _("verified by a home visit")
    REVIEWED = "reviewed", _("reviewed by the county")
    RETURNED = "returned", _("returned for completion")
    TAKEN_BACK = "taken_back", _("taken back")
    # from both
    GRANTED = "granted", _("granted")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", _("decision withdrawn")


# Between proposal and decision a person may die or lose the honour: CONFIRMED → EXCLUDED.
# X11: application, home visit, review, decision, in this order and no other. A returned
# application comes back to the step that returned it. Only an upheld appeal turns a refusal or
# a withdrawal. After a withdrawal the person may apply or be proposed again.
CASE = transitions(
    "subsidy_case",
    {CaseState.PROPOSED, CaseState.INELIGIBLE, CaseState.SUBMITTED},
    {
        CaseState.PROPOSED: {CaseState.CONFIRMED, CaseState.EXCLUDED, CaseState.CANCELLED},
        CaseState.INELIGIBLE: {CaseState.REFUSED, CaseState.CANCELLED},
        CaseState.CONFIRMED: {CaseState.GRANTED, CaseState.EXCLUDED, CaseState.CANCELLED},
        CaseState.EXCLUDED: {CaseState.REFUSED, CaseState.CANCELLED},
        CaseState.SUBMITTED: {CaseState.VISITED, CaseState.RETURNED, CaseState.TAKEN_BACK},
        CaseState.VISITED: {CaseState.REVIEWED, CaseState.RETURNED, CaseState.TAKEN_BACK},
        CaseState.REVIEWED: {
            CaseState.GRANTED,
            CaseState.REFUSED,
            CaseState.RETURNED,
            CaseState.TAKEN_BACK,
        },
        CaseState.RETURNED: {
            CaseState.SUBMITTED,
            CaseState.VISITED,
            CaseState.REVIEWED,
            CaseState.TAKEN_BACK,
        },
        CaseState.GRANTED: {CaseState.WITHDRAWN},
        CaseState.REFUSED: {CaseState.GRANTED},
        CaseState.WITHDRAWN: {CaseState.GRANTED},
    },
)

# A person has at most one of these per scheme and period.
LIVE_CASES = (
    CaseState.PROPOSED,
    CaseState.CONFIRMED,
    CaseState.SUBMITTED,
    CaseState.VISITED,
    CaseState.REVIEWED,
    CaseState.RETURNED,
    CaseState.GRANTED,
)
