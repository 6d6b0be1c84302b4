"""What becomes of honours and subsidies when a person turns out to be another one's second row."""

from django.utils.translation import gettext_noop

from awards.models import SubsidyCase
from awards.states import LIVE_CASES, CaseState
from members import merging
from members.models import Person
from union_portal.kit.refusals import Refused

# Decided ones that can't move stay: they are two payments to one human, and are seen as such.
_SAME_CASE = merging.kept_has(
    "awards_subsidycase",
    "(k.round_id = t.round_id OR (k.scheme = t.scheme AND k.period = t.period"
    " AND k.state = ANY('{%s}') AND t.state = ANY('{%s}')))"
    % ((",".join(state.value for state in LIVE_CASES),) * 2),
)


def register() -> None:
    """Say what moves, and what has to be settled before."""
    merging.moves(
        "awards.honour.person",
        why="the honour is the human's; one held twice is shown once",
        unless=merging.kept_has("awards_honour", "k.title_id = t.title_id"),
    )
    merging.moves(
        "awards.modelworker.person",
        why="the roll follows the human, with its yearly findings",
        unless=merging.kept_has("awards_modelworker"),
    )
    merging.moves(
        "awards.subsidycase.person",
        why="who has a case of the year gets no second one",
        unless=_SAME_CASE,
    )
    merging.obstacle(_two_open_cases)


def _two_open_cases(kept: Person, merged: Person) -> Refused | None:
    """Two live cases of one scheme and year: one is settled before they become one human's."""
    live = SubsidyCase.objects.filter(state__in=LIVE_CASES)
    open_ones = live.filter(person=merged).exclude(state=CaseState.GRANTED)
    for scheme, period in open_ones.values_list("scheme", "period"):
        if live.filter(person=kept, scheme=scheme, period=period).exists():
            return Refused(
                gettext_noop("Both have a subsidy case of %(period)s under way."),
                gettext_noop("Have one of the two refused or taken back first."),
                {"period": period},
            )
    return None
