"""Every permission, every role and every incompatible pair of duties, on one page.

A role is held for one organization and reaches everything below it. Nothing else gives
rights: superusers are not exempt. Which three people act on one payout batch is counted
in the database (welfare.disbursement); here stands what one account may hold at all.
"""

from __future__ import annotations

import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from union_portal.models import Account, Organization

# Role, path of its organization, first and last day.
_Assignment = tuple[str, str, datetime.date, datetime.date | None]
_Grants = dict["Permission", list[str]]


class Permission(StrEnum):
    """One verb each. A page, an action and a button ask for the same one."""

    STAFF_SITE = "staff_site"
    # people
    PERSON_VIEW = "person_view"
    PERSON_EDIT = "person_edit"
    PERSON_IMPORT = "person_import"
    PERSON_UNMASK = "person_unmask"
    ACCOUNT_NUMBER_EDIT = "account_number_edit"
    ACCOUNT_NUMBER_CONFIRM = "account_number_confirm"
    EXPORT = "export"
    # unions, memberships and service cards
    UNION_EDIT = "union_edit"
    MEMBERSHIP_EDIT = "membership_edit"
    MEMBERSHIP_APPROVE = "membership_approve"
    PERSON_MERGE = "person_merge"
    CARD_APPLY = "card_apply"
    CARD_CHECK = "card_check"
    CARD_APPROVE = "card_approve"
    CARD_BATCH = "card_batch"
    # merchants, offers and what they cost
    BENEFIT_VIEW = "benefit_view"
    MERCHANT_EDIT = "merchant_edit"
    MERCHANT_APPROVE = "merchant_approve"
    OFFER_PUBLISH = "offer_publish"
    COMPLAINT_ANSWER = "complaint_answer"
    PROGRAMME_EDIT = "programme_edit"
    SETTLEMENT_PREPARE = "settlement_prepare"
    SETTLEMENT_APPROVE = "settlement_approve"
    # honours and subsidies
    HONOUR_EDIT = "honour_edit"
    HONOUR_VERIFY = "honour_verify"
    RULES_EDIT = "rules_edit"
    RULES_ADOPT = "rules_adopt"
    SUBSIDY_PROPOSE = "subsidy_propose"
    SUBSIDY_VISIT = "subsidy_visit"
    SUBSIDY_REVIEW = "subsidy_review"
    SUBSIDY_DECIDE = "subsidy_decide"
    # publicity and contest
    NOTICE_PREPARE = "notice_prepare"
    NOTICE_PUBLISH = "notice_publish"
    OBJECTION_ANSWER = "objection_answer"
    APPEAL_REVIEW = "appeal_review"
    # money
    FUND_VIEW = "fund_view"
    FUND_APPROPRIATE = "fund_appropriate"
    BATCH_VIEW = "batch_view"
    BATCH_MAKE = "batch_make"
    BATCH_CHECK = "batch_check"
    BATCH_RELEASE = "batch_release"
    BATCH_SETTLE = "batch_settle"
    REPORT_DISBURSEMENT = "report_disbursement"
    # watching and running: cases and money for auditors; the log itself for both who watch
    TRAIL_VIEW = "trail_view"
    AUDIT_VIEW = "audit_view"
    AUDIT_EXPORT = "audit_export"
    ACCOUNT_MANAGE = "account_manage"
    ROLE_GRANT = "role_grant"
    HOLIDAY_EDIT = "holiday_edit"
    JOB_VIEW = "job_view"
    GATE_LIFT = "gate_lift"
    RETENTION_RUN = "retention_run"


class Role(models.TextChoices):
    """What someone is for one organization."""

    GRASSROOTS_CLERK = "grassroots_clerk", _("grassroots clerk")
    COUNTY_CHECKER = "county_checker", _("county checker")
    CITY_OFFICER = "city_officer", _("city officer")
    CITY_DECIDER = "city_decider", _("city decider")
    BENEFITS_OFFICER = "benefits_officer", _("benefits officer")
    APPEAL_REVIEWER = "appeal_reviewer", _("appeal reviewer")
    RULES_CLERK = "rules_clerk", _("rules clerk")
    FINANCE_MAKER = "finance_maker", _("finance officer (maker)")
    FINANCE_CHECKER = "finance_checker", _("finance officer (checker)")
    FINANCE_RELEASER = "finance_releaser", _("finance officer (releaser)")
    AUDITOR = "auditor", _("auditor")
    ACCOUNT_ADMIN = "account_admin", _("account administrator")
    SECURITY_ADMIN = "security_admin", _("security administrator")


_P = Permission
_READS = {_P.STAFF_SITE, _P.PERSON_VIEW, _P.JOB_VIEW}
_FINANCE_READS = _READS | {_P.FUND_VIEW, _P.BATCH_VIEW, _P.REPORT_DISBURSEMENT}

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.GRASSROOTS_CLERK: frozenset(
        _READS
        | {_P.PERSON_EDIT, _P.PERSON_IMPORT, _P.ACCOUNT_NUMBER_EDIT, _P.SUBSIDY_VISIT}
        | {_P.HONOUR_VERIFY, _P.UNION_EDIT, _P.MEMBERSHIP_EDIT, _P.CARD_APPLY, _P.CARD_CHECK}
    ),
    Role.COUNTY_CHECKER: frozenset(
        _READS
        | {_P.SUBSIDY_REVIEW, _P.ACCOUNT_NUMBER_CONFIRM, _P.PERSON_UNMASK, _P.EXPORT}
        | {_P.OBJECTION_ANSWER, _P.MEMBERSHIP_APPROVE, _P.PERSON_MERGE, _P.CARD_CHECK}
    ),
    Role.CITY_OFFICER: frozenset(
        _READS
        | {_P.PERSON_EDIT, _P.PERSON_IMPORT, _P.PERSON_UNMASK, _P.ACCOUNT_NUMBER_EDIT}
        | {_P.HONOUR_EDIT, _P.HONOUR_VERIFY, _P.SUBSIDY_PROPOSE, _P.EXPORT}
        | {_P.NOTICE_PREPARE, _P.NOTICE_PUBLISH, _P.OBJECTION_ANSWER, _P.HOLIDAY_EDIT}
        | {_P.UNION_EDIT, _P.PERSON_MERGE, _P.CARD_APPROVE, _P.CARD_BATCH, _P.BENEFIT_VIEW}
    ),
    Role.CITY_DECIDER: frozenset(
        _READS
        | {_P.SUBSIDY_DECIDE, _P.RULES_ADOPT, _P.BATCH_VIEW, _P.FUND_VIEW}
        | {_P.BENEFIT_VIEW, _P.MERCHANT_APPROVE, _P.OFFER_PUBLISH, _P.PROGRAMME_EDIT}
        | {_P.SETTLEMENT_APPROVE}
    ),
    # Sees merchants and uses, never the people behind them.
    Role.BENEFITS_OFFICER: frozenset(
        {_P.STAFF_SITE, _P.JOB_VIEW, _P.BENEFIT_VIEW, _P.MERCHANT_EDIT, _P.OFFER_PUBLISH}
        | {_P.COMPLAINT_ANSWER, _P.SETTLEMENT_PREPARE, _P.EXPORT}
    ),
    Role.APPEAL_REVIEWER: frozenset(_READS | {_P.APPEAL_REVIEW}),
    Role.RULES_CLERK: frozenset({_P.STAFF_SITE, _P.JOB_VIEW, _P.RULES_EDIT, _P.HOLIDAY_EDIT}),
    Role.FINANCE_MAKER: frozenset(
        _FINANCE_READS | {_P.BATCH_MAKE, _P.BATCH_SETTLE, _P.FUND_APPROPRIATE, _P.EXPORT}
    ),
    Role.FINANCE_CHECKER: frozenset(
        _FINANCE_READS | {_P.BATCH_CHECK, _P.ACCOUNT_NUMBER_CONFIRM, _P.GATE_LIFT}
    ),
    Role.FINANCE_RELEASER: frozenset(_FINANCE_READS | {_P.BATCH_RELEASE, _P.GATE_LIFT}),
    Role.AUDITOR: frozenset(
        _FINANCE_READS | {_P.TRAIL_VIEW, _P.AUDIT_VIEW, _P.AUDIT_EXPORT, _P.BENEFIT_VIEW}
    ),
    Role.ACCOUNT_ADMIN: frozenset(
        {_P.STAFF_SITE, _P.ACCOUNT_MANAGE, _P.JOB_VIEW, _P.RETENTION_RUN}
    ),
    Role.SECURITY_ADMIN: frozenset({_P.STAFF_SITE, _P.ROLE_GRANT, _P.AUDIT_VIEW}),
}

_MONEY = {
    Role.FINANCE_MAKER,
    Role.FINANCE_CHECKER,
    Role.FINANCE_RELEASER,
}
_DECIDES = {
    Role.CITY_DECIDER,
    Role.COUNTY_CHECKER,
    Role.CITY_OFFICER,
    Role.GRASSROOTS_CLERK,
    Role.BENEFITS_OFFICER,
}
_WATCHES = {Role.AUDITOR, Role.SECURITY_ADMIN, Role.ACCOUNT_ADMIN}

# No account holds both of a pair, in any organization: who decides on people does not move
# the money, who watches or administers does nothing else, and the three administrators are
# three (三员分立).
INCOMPATIBLE: frozenset[frozenset[Role]] = frozenset(
    [frozenset({one, other}) for one in _MONEY for other in _DECIDES]
    + [frozenset({one, other}) for one in _WATCHES for other in Role if one != other]
    + [frozenset({one, other}) for one in _MONEY for other in _MONEY if one != other]
    + [
        frozenset({Role.RULES_CLERK, Role.CITY_DECIDER}),
        frozenset({Role.APPEAL_REVIEWER, Role.CITY_DECIDER}),
        frozenset({Role.BENEFITS_OFFICER, Role.CITY_DECIDER}),
    ]
)

# What these show or change belongs to no union (rules, holidays, log-in accounts, the gate, the
# log): a role that holds one of them is held for the federation alone, never for a part of it.
WHOLE = frozenset(
    {_P.RULES_EDIT, _P.RULES_ADOPT, _P.HOLIDAY_EDIT, _P.ACCOUNT_MANAGE, _P.GATE_LIFT}
    | {_P.AUDIT_VIEW, _P.PROGRAMME_EDIT, _P.RETENTION_RUN, _P.CARD_BATCH}
)

# Whoever may do one of these logs in with a second factor, and once more just before.
SECOND_FACTOR = frozenset(
    {
        _P.BATCH_MAKE,
        _P.BATCH_CHECK,
        _P.BATCH_RELEASE,
        _P.BATCH_SETTLE,
        _P.FUND_APPROPRIATE,
        _P.PERSON_UNMASK,
        _P.ACCOUNT_NUMBER_CONFIRM,
        _P.SUBSIDY_DECIDE,
        _P.APPEAL_REVIEW,
        _P.AUDIT_EXPORT,
        _P.ROLE_GRANT,
        _P.ACCOUNT_MANAGE,
        _P.GATE_LIFT,
        _P.OFFER_PUBLISH,
        _P.SETTLEMENT_PREPARE,
        _P.PERSON_MERGE,
        _P.CARD_BATCH,
        _P.SETTLEMENT_APPROVE,
        _P.RETENTION_RUN,
    }
)

# A button that needs one of these asks once more who it is, unless it says why not: whoever
# comes upon a session left open approves, releases, takes out and makes mighty nothing.
FRESH_LOG_IN = SECOND_FACTOR | {_P.EXPORT, _P.RULES_ADOPT}


def roles_with(permission: Permission) -> frozenset[Role]:
    """The roles that hold a permission."""
    return frozenset(role for role, grants in GRANTS.items() if permission in grants)


def is_of_federation(role: Role) -> bool:
    """Whether a role can be held for the federation only."""
    return bool(GRANTS[role] & WHOLE)


def reach(
    account: Account, permission: Permission, *, on: datetime.date | None = None
) -> list[str]:
    """Paths of the organizations for which the account holds the permission today."""
    if not (account.is_authenticated and account.is_active):
        return []
    return list(_grants(account, on or timezone.localdate()).get(permission, ()))


def may(account: Account, permission: Permission, organization: Organization | None = None) -> bool:
    """Whether the account may; without an organization: anywhere at all."""
    paths = reach(account, permission)
    if organization is None:
        return bool(paths)
    return any(organization.path.startswith(path) for path in paths)


def require(
    account: Account, permission: Permission, organization: Organization | None = None
) -> None:
    """Raise PermissionDenied unless the account may."""
    if not may(account, permission, organization):
        raise PermissionDenied(_("You do not hold the role that this step needs."))


def scope(account: Account, permission: Permission, path: str = "organization__path") -> Q:
    """Filter for rows whose organization lies within the account's reach; none by default."""
    condition = Q(pk__in=[])
    for prefix in reach(account, permission):
        condition |= Q(**{f"{path}__startswith": prefix})
    return condition


def needs_second_factor(account: Account) -> bool:
    """Whether any role of the account moves money or unmasks data."""
    return any(may(account, permission) for permission in SECOND_FACTOR)


def forget(account: Account) -> None:
    """Read the account's roles again at the next question."""
    account.__dict__.pop("_held_roles", None)


def clash(held: set[Role]) -> frozenset[Role] | None:
    """An incompatible pair among the roles, if there is one."""
    return next((pair for pair in INCOMPATIBLE if pair <= held), None)


def _grants(account: Account, day: datetime.date) -> _Grants:
    """What the account may on a day, and within which paths.

    Put together once: a page of the staff site asks some hundred times.
    """
    held, by_day = _held(account)
    if day not in by_day:
        grants = by_day[day] = {}
        for role, path, start, end in held:
            if start <= day and (end is None or day <= end):
                for permission in GRANTS[Role(role)]:
                    grants.setdefault(permission, []).append(path)
    return by_day[day]


def _held(account: Account) -> tuple[list[_Assignment], dict[datetime.date, _Grants]]:
    """The account's roles, read once per request (the account object lives that long)."""
    held: tuple[list[_Assignment], dict[datetime.date, _Grants]] | None
    held = getattr(account, "_held_roles", None)
    if held is None:
        roles = account.roles.values_list("role", "organization__path", "valid_from", "valid_to")
        held = list(roles), {}
        account._held_roles = held  # type: ignore[attr-defined]
    return held
