"""Who decided what, why, and under which dated rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from union_portal import access, audit, sets, turns
from union_portal.access import Permission
from union_portal.kit.refusals import Refused
from union_portal.models import Decision, RuleSet
from union_portal.states import DecisionState

if TYPE_CHECKING:
    from union_portal.models import Account, Organization

# {"clause": …, "message": message id, "values": {…}, "amount_fen": what the step adds}
Step = Mapping[str, Any]

ParameterCheck = Callable[[Mapping[str, Any]], None]
_parameter_checks: dict[str, ParameterCheck] = {}

# What a clerk may word; scheme, version and adoption are not theirs to write.
EDITABLE = frozenset(
    {"title", "issuer", "source_clause", "place", "is_sample", "valid_from", "valid_to"}
    | {"fund_code", "parameters", "notice_days", "notice_counts_first_day", "appeal_days"}
)


class NoRuleInForce(Refused):
    """No adopted rule set of the scheme covers the day."""


class RuleSetExpired(Refused):
    """The rule set is not in force on the day of the decision."""


class StepsDisagree(Refused):
    """The explained steps do not add up to the amount."""


class RuleSetFrozen(Refused):
    """An adopted rule set is replaced, never edited."""


@transaction.atomic
def record(
    *,
    scheme: str,
    period: str,
    rule_set: RuleSet,
    outcome: str,
    amount_fen: int,
    steps: Sequence[Step],
    subject: models.Model,
    organization: Organization,
    by: Account,
    today: date,
    reason: str = "",
    replaces: Decision | None = None,
) -> Decision:
    """Write a decision on one case. Whether `by` may decide is the caller's question.

    `replaces` makes it an adjustment of an earlier decision on the same case. Errors:
    RuleSetExpired, StepsDisagree, Refused for a case that is decided already.
    """
    _require_in_force(rule_set, scheme, today)
    _require_sum(steps, amount_fen)
    about: dict[str, Any] = {
        "scheme": scheme,
        "period": period,
        "subject_type": subject._meta.label_lower,
        "subject_id": subject.pk,
    }
    _require_open(about, replaces)
    decision = Decision.objects.create(
        **about,
        rule_set=rule_set,
        outcome=outcome,
        amount_fen=amount_fen,
        steps=[dict(step) for step in steps],
        reason=reason,
        organization=organization,
        replaces=replaces,
        decided_by=by,
        decided_on=today,
    )
    audit.record(
        "decision.made",
        decision,
        by=by,
        reason=reason,
        outcome=str(outcome),
        amount_fen=amount_fen,
        rule_set=rule_set.pk,
        case=f"{decision.subject_type}:{decision.subject_id}",
        replaces=replaces.pk if replaces else None,
    )
    return decision


# Written in an explicit order, so that numbers of decisions follow it; the sort also finds
# every open case before the first decision is written.
_RECORD_SET = """
    INSERT INTO union_portal_decision (
        scheme, period, rule_set_id, decided_by_id, decided_at, decided_on, subject_type, reason,
        state, outcome, amount_fen, steps, subject_id, organization_id)
    SELECT %s, %s, %s, %s, %s, %s, %s, '', 'made',
        CASE WHEN r.amount_fen > 0 THEN 'granted' ELSE 'refused' END,
        r.amount_fen, r.steps::jsonb, r.subject_id, r.organization_id
    FROM {rows}
    WHERE NOT EXISTS (
        SELECT 1 FROM union_portal_decision d
        WHERE d.subject_type = %s AND d.subject_id = r.subject_id
          AND d.scheme = %s AND d.period = %s)
    ORDER BY r.place
    ON CONFLICT (subject_type, subject_id, scheme, period)
        WHERE replaces_id IS NULL AND state <> 'withdrawn' DO NOTHING
"""


@transaction.atomic
def record_set(
    *,
    scheme: str,
    period: str,
    rule_set: RuleSet,
    rows: QuerySet[Any, Any],
    subject_type: str,
    by: Account,
    today: date,
) -> int:
    """Decide every case of a set that has no decision yet; one statement, one audit entry.

    `rows` has `values()` named subject_id, organization_id, amount_fen and steps (JSON);
    an amount of 0 is a refusal. They are decided in the order of `rows`. Returns how many were
    decided; a second run decides none. Errors: RuleSetExpired; the database refuses
    steps that do not add up.
    """
    _require_in_force(rule_set, scheme, today)
    names = ("subject_id", "organization_id", "amount_fen", "steps", "place")
    table = sets.source(sets.numbered(rows, "place", last="subject_id"), *names)
    if table is None:
        return 0
    fixed = [scheme, period, rule_set.pk, by.pk, timezone.now(), today, subject_type]
    made = sets.insert(
        _RECORD_SET, table, names, before=fixed, after=[subject_type, scheme, period]
    )
    if made.count:
        sets.refresh(Decision, made.count)
        audit.record(
            "decision.made_set",
            rule_set,
            by=by,
            count=made.count,
            ids_sha256=made.ids_sha256,
            period=period,
            cases=subject_type,
        )
    return made.count


def rule_set_in_force(scheme: str, on: date) -> RuleSet:
    """The adopted rule set of the scheme that covers the day. Errors: NoRuleInForce."""
    found = RuleSet.objects.in_force(scheme, on).first()
    if found is None:
        raise NoRuleInForce(
            gettext_noop("No rule set of the scheme “%(scheme)s” is in force on %(day)s."),
            gettext_noop("Have the rules clerk draft one for that day and the decider adopt it."),
            {"scheme": scheme, "day": on.isoformat()},
        )
    return found


def check_parameters(scheme: str, check: ParameterCheck) -> None:
    """Register what a scheme's rule sets must state; `check` raises Refused."""
    _parameter_checks[scheme] = check


def _require_parameters(scheme: str, parameters: Mapping[str, Any]) -> None:
    check = _parameter_checks.get(scheme)
    if check is not None:
        check(parameters)


@transaction.atomic
def draft(*, scheme: str, by: Account, **fields: Any) -> RuleSet:
    """Write the first rule set of a scheme, or one that follows from none.

    Errors: Refused where the scheme can't work with the parameters.
    """
    access.require(by, Permission.RULES_EDIT)
    _require_editable(fields)
    return _drafted(scheme, by, None, fields)


@transaction.atomic
def draft_successor(
    *,
    rule_set: RuleSet,
    by: Account,
    parameters: Mapping[str, Any],
    valid_from: date,
    valid_to: date | None = None,
    **changes: Any,
) -> RuleSet:
    """Write the next version of a rule set: as the old one, but for what is named."""
    access.require(by, Permission.RULES_EDIT)
    _require_editable(changes)
    fields = {name: getattr(rule_set, name) for name in EDITABLE} | changes
    fields |= {"parameters": dict(parameters), "valid_from": valid_from, "valid_to": valid_to}
    return _drafted(rule_set.scheme, by, rule_set, fields)


@transaction.atomic
def edit_draft(*, rule_set: RuleSet, by: Account, **changes: Any) -> None:
    """Correct a rule set nobody has adopted. Errors: RuleSetFrozen."""
    access.require(by, Permission.RULES_EDIT)
    _require_editable(changes)
    held = RuleSet.objects.select_for_update().get(pk=rule_set.pk)
    if held.adopted_at is not None:
        raise RuleSetFrozen(
            gettext_noop("An adopted rule set is replaced, never edited."),
            gettext_noop("Draft a successor with its own dates."),
        )
    if "parameters" in changes:
        _require_parameters(held.scheme, changes["parameters"])
    # Whoever last changed the text is its author: they can't adopt it themselves.
    changes["written_by"] = by
    for name, value in changes.items():
        setattr(rule_set, name, value)
    rule_set.save(update_fields=[*changes])
    audit.record("rule_set.edit", rule_set, by=by, columns=sorted(changes))


@transaction.atomic
def adopt(*, rule_set: RuleSet, by: Account, now: datetime) -> None:
    """Put a draft in force from its first day; versions before it end the day before.

    Whoever wrote it does not adopt it. Errors: PermissionDenied, RuleSetFrozen, Refused where
    the scheme can't work with the parameters.
    """
    access.require(by, Permission.RULES_ADOPT)
    held = RuleSet.objects.select_for_update().get(pk=rule_set.pk)
    if held.adopted_at is not None:
        raise RuleSetFrozen(gettext_noop("The rule set has been adopted already."))
    if held.written_by_id == by.pk:
        raise PermissionDenied(_("Whoever wrote a rule set does not adopt it."))
    _require_parameters(held.scheme, held.parameters)
    eve = held.valid_from - timedelta(days=1)
    RuleSet.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=eve),
        scheme=held.scheme,
        adopted_at__isnull=False,
        valid_from__lte=eve,
    ).update(valid_to=eve)
    RuleSet.objects.filter(pk=held.pk).update(adopted_by=by, adopted_at=now)
    rule_set.refresh_from_db()
    audit.record("rule_set.adopt", rule_set, by=by, version=held.version)


def _drafted(
    scheme: str, by: Account, before: RuleSet | None, fields: Mapping[str, Any]
) -> RuleSet:
    _require_parameters(scheme, fields.get("parameters", {}))
    turns.take(f"rule_set:{scheme}")
    last = RuleSet.objects.filter(scheme=scheme).aggregate(last=Max("version"))["last"] or 0
    made = RuleSet.objects.create(
        scheme=scheme, version=last + 1, replaces=before, written_by=by, **fields
    )
    audit.record("rule_set.draft", made, by=by, version=made.version)
    return made


def _require_editable(fields: Mapping[str, Any]) -> None:
    unknown = sorted(set(fields) - EDITABLE)
    if unknown:
        raise TypeError(f"not a clerk's to write: {', '.join(unknown)}")


def _require_in_force(rule_set: RuleSet, scheme: str, day: date) -> None:
    if rule_set.scheme != scheme:
        raise ValueError(f"{rule_set} is no rule set of {scheme}")
    if rule_set.adopted_at is None or not rule_set.holds_on(day):
        raise RuleSetExpired(
            gettext_noop("“%(rules)s” is not in force on %(day)s: nothing is decided under it."),
            gettext_noop("Use the rule set of that day, or have a successor adopted."),
            {"rules": str(rule_set), "day": day.isoformat()},
        )


def _require_sum(steps: Sequence[Step], amount_fen: int) -> None:
    explained = sum(step["amount_fen"] for step in steps)
    if explained != amount_fen:
        raise StepsDisagree(
            gettext_noop("The explained steps add up to %(sum)s fen, the amount is %(amount)s."),
            gettext_noop("Explain every fen of the amount by one step."),
            {"sum": explained, "amount": amount_fen},
        )


def _require_open(about: Mapping[str, Any], replaces: Decision | None) -> None:
    if replaces is not None:
        if any(getattr(replaces, name) != value for name, value in about.items()):
            raise ValueError("a decision is adjusted on its own case, scheme and period only")
        if Decision.objects.filter(replaces=replaces).exists():
            raise Refused(
                gettext_noop("The decision %(number)s has been adjusted already."),
                gettext_noop("Adjust the newer decision instead."),
                {"number": replaces.number},
            )
        return
    standing = Decision.objects.filter(**about, replaces__isnull=True)
    taken = standing.exclude(state=DecisionState.WITHDRAWN).first()
    if taken is not None:
        raise Refused(
            gettext_noop("The case is decided already (%(number)s)."),
            gettext_noop("Withdraw that decision first, or adjust it."),
            {"number": taken.number},
        )
