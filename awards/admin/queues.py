"""What waits for whom on the front page of the staff site."""

from collections.abc import Callable

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from awards import queries
from awards.admin.appeals import waiting as appeals_waiting
from awards.admin.model_workers import unverified
from awards.admin.rule_sets import drafts
from awards.states import CaseState
from union_portal import ways_back
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.models import Account
from welfare.disbursement.models import PayoutBatch

ways_back.begun_at("awards.tell_payments", model=PayoutBatch, number="batch_id")


def _cases(state: CaseState) -> Callable[[Account], int]:
    return lambda account: queries.waiting_for(account).filter(state=state).count()


def _case_list(state: CaseState) -> Callable[[], str]:
    return lambda: reverse("admin:awards_subsidycase_changelist") + f"?state__exact={state}"


def _list(model: str, query: str = "") -> Callable[[], str]:
    return lambda: reverse(f"admin:{model}_changelist") + query


desk.add_queue(
    desk.Queue(
        _("Home visits to make"),
        Permission.SUBSIDY_VISIT,
        _cases(CaseState.SUBMITTED),
        _case_list(CaseState.SUBMITTED),
        "home",
    ),
    desk.Queue(
        _("Applications for the county to review"),
        Permission.SUBSIDY_REVIEW,
        _cases(CaseState.VISITED),
        _case_list(CaseState.VISITED),
        "rate_review",
    ),
    desk.Queue(
        _("Rounds for the county to check"),
        Permission.SUBSIDY_REVIEW,
        lambda account: queries.checks_waiting_for(account).count(),
        _list("awards_countycheck", "?state__exact=open"),
        "fact_check",
    ),
    desk.Queue(
        _("Applications to decide"),
        Permission.SUBSIDY_DECIDE,
        _cases(CaseState.REVIEWED),
        _case_list(CaseState.REVIEWED),
        "gavel",
    ),
    desk.Queue(
        _("Rounds to decide"),
        Permission.SUBSIDY_DECIDE,
        lambda account: queries.rounds_waiting_for(account).count(),
        _list("awards_subsidyround", "?state__exact=checked"),
        "gavel",
    ),
    desk.Queue(
        _("Appeals to review"),
        Permission.APPEAL_REVIEW,
        appeals_waiting,
        _list("union_portal_appeal"),
        "balance",
    ),
    desk.Queue(
        _("Rule sets to adopt"),
        Permission.RULES_ADOPT,
        drafts,
        _list("union_portal_ruleset", "?adopted_at__isempty=1"),
        "rule",
    ),
    desk.Queue(
        _("Model workers to verify this year"),
        Permission.HONOUR_VERIFY,
        unverified,
        _list("awards_modelworker", "?verified=no"),
        "event_available",
    ),
)
