"""What waits for whom on the front page of the staff site."""

from collections.abc import Callable

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from awards import queries
from awards.admin.appeals import waiting as appeals_waiting
from awards.admin.model_workers import unverified
from awards.admin.rule_sets import drafts
from awards.models import CountyCheck, ModelWorker, SubsidyCase, SubsidyRound
from awards.states import CaseState
from union_portal import ways_back
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.models import Account, Appeal, RuleSet
from welfare.disbursement.models import PayoutBatch

ways_back.begun_at("awards.tell_payments", model=PayoutBatch, number="batch_id")


def _cases(state: CaseState) -> Callable[[Account], QuerySet[SubsidyCase]]:
    return lambda account: queries.waiting_for(account).filter(state=state)


desk.add_queue(
    desk.Queue(
        "visits",
        _("Home visits to make"),
        Permission.SUBSIDY_VISIT,
        SubsidyCase,
        _cases(CaseState.SUBMITTED),
        "home",
    ),
    desk.Queue(
        "case-reviews",
        _("Applications for the county to review"),
        Permission.SUBSIDY_REVIEW,
        SubsidyCase,
        _cases(CaseState.VISITED),
        "rate_review",
    ),
    desk.Queue(
        "county-checks",
        _("Rounds for the county to check"),
        Permission.SUBSIDY_REVIEW,
        CountyCheck,
        queries.checks_waiting_for,
        "fact_check",
    ),
    desk.Queue(
        "case-decisions",
        _("Applications to decide"),
        Permission.SUBSIDY_DECIDE,
        SubsidyCase,
        _cases(CaseState.REVIEWED),
        "gavel",
    ),
    desk.Queue(
        "rounds",
        _("Rounds to decide"),
        Permission.SUBSIDY_DECIDE,
        SubsidyRound,
        queries.rounds_waiting_for,
        "gavel",
    ),
    desk.Queue(
        "appeals",
        _("Appeals to review"),
        Permission.APPEAL_REVIEW,
        Appeal,
        appeals_waiting,
        "balance",
    ),
    desk.Queue(
        "rule-sets", _("Rule sets to adopt"), Permission.RULES_ADOPT, RuleSet, drafts, "rule"
    ),
    desk.Queue(
        "verifications",
        _("Model workers to verify this year"),
        Permission.HONOUR_VERIFY,
        ModelWorker,
        unverified,
        "event_available",
    ),
)
