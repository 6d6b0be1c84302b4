"""Public notice of what was decided: names masked, no ground, no number (X11)."""

from django.db import transaction
from django.db.models import Case, CharField, F, Func, Value, When
from django.utils.translation import gettext_noop

from awards.actions.refusals import AwardsRefused
from awards.models import SubsidyCase
from awards.states import CaseState
from union_portal import notices
from union_portal.models import Account, Notice, Organization, OrganizationLevel, RuleSet
from union_portal.states import DecisionState


class MaskedName(Func):
    """`kit.masks.mask_name` for a set: first and last character stay, marks stay."""

    output_field = CharField()
    template = """(
        SELECT CASE WHEN char_length(n) < 2 THEN repeat('*', char_length(n))
            WHEN char_length(n) = 2 THEN left(n, 1) || '*'
            ELSE left(n, 1)
                || regexp_replace(substr(n, 2, char_length(n) - 2), '[^·• ''-]', '*', 'g')
                || right(n, 1) END
        FROM (SELECT regexp_replace(btrim(%(expressions)s),
            '[\\uFE00-\\uFE0F\\U000E0100-\\U000E01EF]', '', 'g') AS n) plain)"""


@transaction.atomic
def draft_notice(
    *,
    rule_set: RuleSet,
    period: str,
    title: str,
    place: str,
    contact: str,
    by: Account,
    text: str = "",
) -> Notice:
    """Draw up the list of everybody granted under a rule set and year and on no list yet.

    Days and whether the posting day counts are the rule set's. The ground is not shown: it
    tells of illness. Errors: PermissionDenied, NothingToPublish, AwardsRefused where the
    rule set asks for no public notice.
    """
    if rule_set.notice_days == 0:
        raise AwardsRefused(
            gettext_noop("The rule set asks for no public notice."),
            gettext_noop("Its decisions are clear as soon as they are made."),
        )
    rows = SubsidyCase.objects.filter(
        scheme=rule_set.scheme,
        period=period,
        state=CaseState.GRANTED,
        decision__rule_set=rule_set,
        decision__state=DecisionState.MADE,
    ).order_by("county__path", "organization__path", "person__pinyin", "pk")
    return notices.draft(
        title=title,
        scheme=rule_set.scheme,
        period=period,
        organization=Organization.objects.get(level=OrganizationLevel.FEDERATION),
        rows=rows.values(
            "decision_id",
            shown_name=MaskedName(F("person__name")),
            shown_employer=Case(
                When(person__employer="", then=F("organization__name")),
                default=F("person__employer"),
            ),
            shown_ground=Value(""),
        ),
        place=place,
        contact=contact,
        days=rule_set.notice_days,
        counts_first_day=rule_set.notice_counts_first_day,
        by=by,
        text=text,
    )
