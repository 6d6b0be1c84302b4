"""Joining: somebody applied, the union checks, the county approves; only then is there a member."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext_noop

from members.actions import memberships, people, profiles, telling
from members.actions.join_applications import details, read_columns, sealed
from members.actions.refusals import PeopleRefused
from members.models import JoinApplication, Membership, Person
from members.states import JOIN_APPLICATION, LIVE_MEMBERSHIPS, JoinState
from union_portal import access, audit, lifecycle, readers
from union_portal.access import Permission
from union_portal.fields import fingerprint
from union_portal.kit.refusals import require_text
from union_portal.models import Account
from union_portal.readers import Door

_LONGEST: Final = 200

Joined = Callable[[JoinApplication, Person, Sequence[int]], None]
_joined: list[Joined] = []


def when_joined(act: Joined) -> None:
    """Have `act(application, person, consents)` called as an application is approved.

    `consents` are the numbers of the texts agreed to when applying: whoever keeps consents writes
    them down for the person here, in the same transaction.
    """
    _joined.append(act)


@readers.seeing(Door.JOINING)
@transaction.atomic
def check(*, application: JoinApplication, by: Account, now: datetime) -> None:
    """The union has compared it with identity card and roster; the county is next.

    Errors: PermissionDenied, Stale; PeopleRefused for a member or a name that differs.
    """
    held = _hold(application)
    access.require(by, Permission.MEMBERSHIP_EDIT, held.organization)
    _require_may_join(held, _known(held))
    _advance(application, held, JoinState.CHECKED, by, checked_by=by, checked_at=now)


@readers.seeing(Door.JOINING)
@transaction.atomic
def give_back(*, application: JoinApplication, message: str, by: Account, now: datetime) -> None:
    """Return it for completion, from where it lies, with the sentence the applicant reads."""
    held = _hold(application)
    _require_turn(held, by)
    said = _said(message)
    _advance(
        application, held, JoinState.RETURNED, by, reason=said, checked_by=None, checked_at=None
    )
    telling.tell_applicant(held, "returned", f"{now:%Y%m%d%H%M%S}")


@readers.seeing(Door.JOINING)
@transaction.atomic
def complete(
    *,
    application: JoinApplication,
    by: Account | audit.Machine,
    today: date,
    profile: Mapping[str, Any],
    **values: str,
) -> None:
    """The applicant answers, or the clerk for them; an empty identity number stays as it was.

    Errors: PermissionDenied, Stale; kit refusals for what is typed wrong.
    """
    held = _hold(application)
    _require_applicant(held, by)
    if not values.get("national_id"):
        values["national_id"] = str(held.national_id)
    columns = read_columns(values, today)
    columns["details"] = sealed({**details(held), "profile": profiles.read(profile)})
    _advance(
        application,
        held,
        JoinState.APPLIED,
        by,
        **columns,
        national_id_index=fingerprint("national_id", columns["national_id"]),
        phone_index=fingerprint("phone", columns["phone"]),
    )


@readers.seeing(Door.JOINING)
@transaction.atomic
def refuse(*, application: JoinApplication, reason: str, by: Account, now: datetime) -> None:
    """Say no, with the reason that the applicant reads."""
    held = _hold(application)
    _require_turn(held, by)
    said = _said(reason)
    _advance(application, held, JoinState.REFUSED, by, reason=said, decided_by=by, decided_at=now)
    telling.tell_applicant(held, "refused")


@readers.seeing(Door.JOINING)
@transaction.atomic
def take_back(*, application: JoinApplication, by: Account | audit.Machine) -> None:
    """The applicant does not want to any more; the clerk notes it for whoever says so."""
    held = _hold(application)
    _require_applicant(held, by)
    _advance(application, held, JoinState.TAKEN_BACK, by)


@readers.seeing(Door.JOINING)
@readers.seeing(Door.TRANSFER)
@transaction.atomic
def approve(*, application: JoinApplication, by: Account, today: date, now: datetime) -> Membership:
    """Make the member: person, membership and its first change in one transaction.

    Whoever is registered already is taken as they are: neither name nor phone of a known person
    follows from a form that anybody may fill in. Errors: PermissionDenied, also for whoever
    checked it; Stale; PeopleRefused for a member, a name that differs, or a number that somebody
    else was registered under meanwhile.
    """
    held = _hold(application)
    access.require(by, Permission.MEMBERSHIP_APPROVE, held.organization)
    _require_another(held, by)
    if not JOIN_APPLICATION.allows(held.state, JoinState.APPROVED):
        raise _moved()
    person = _registered(held, by, today, now)
    made = memberships.begin(
        person=person,
        organization=held.organization,
        on=today,
        channel=held.channel,
        by=by,
    )
    known = details(held)
    profiles.fill(person=person, values=known.get("profile", {}), by=by)
    _advance(
        application,
        held,
        JoinState.APPROVED,
        by,
        decided_by=by,
        decided_at=now,
        membership=made,
    )
    for act in _joined:
        act(held, person, known.get("consents", []))
    telling.tell_applicant(held, "approved")
    return made


def _hold(application: JoinApplication) -> JoinApplication:
    held = (
        JoinApplication.objects.select_for_update(of=("self",))
        .select_related("organization")
        .get(pk=application.pk)
    )
    if held.state != application.state:
        raise _moved()
    return held


def _moved() -> lifecycle.Stale:
    return lifecycle.Stale(
        gettext_noop("The application was changed by somebody else a moment ago."),
        gettext_noop("Reload the page."),
    )


def _advance(
    application: JoinApplication,
    held: JoinApplication,
    to: JoinState,
    by: Account | audit.Machine,
    *,
    reason: str = "",
    **changes: Any,
) -> None:
    """Move the locked row; `reason` is what the applicant reads, or that nothing is asked."""
    JoinApplication.objects.filter(pk=held.pk).update(reason=reason)
    lifecycle.advance(held, to=to, by=by, reason=reason, **changes)
    for name, value in {"state": str(to), "reason": reason, **changes}.items():
        setattr(application, name, value)


def _require_turn(held: JoinApplication, by: Account) -> None:
    """Whose turn it is: the union's before its check, the county's after it."""
    if held.state == JoinState.CHECKED:
        access.require(by, Permission.MEMBERSHIP_APPROVE, held.organization)
        _require_another(held, by)
    else:
        access.require(by, Permission.MEMBERSHIP_EDIT, held.organization)


def _require_another(held: JoinApplication, by: Account) -> None:
    if held.checked_by_id == by.pk:
        raise PeopleRefused(
            gettext_noop("Whoever checked an application does not decide on it."),
            gettext_noop("A colleague decides."),
        )


def _require_applicant(held: JoinApplication, by: Account | audit.Machine) -> None:
    """The applicant's own account, the union's clerk, or a page that has seen the receipt."""
    if isinstance(by, Account) and held.applied_by_id != by.pk:
        access.require(by, Permission.MEMBERSHIP_EDIT, held.organization)


def _known(held: JoinApplication) -> Person | None:
    """The person registered under the number, if there is one; of a merged one the one kept."""
    known = Person.objects.filter(national_id_index=held.national_id_index).first()
    while known is not None and known.merged_into_id is not None:
        known = Person.objects.get(pk=known.merged_into_id)
    return known


def _require_may_join(held: JoinApplication, known: Person | None) -> None:
    if known is None:
        return
    if known.name != held.name or known.died_on is not None:
        raise PeopleRefused(
            gettext_noop("The register holds this number under another name, or as deceased."),
            gettext_noop("Compare both with the identity card and return the application."),
        )
    if Membership.objects.filter(person=known, state__in=LIVE_MEMBERSHIPS).exists():
        raise memberships.already_member()


def _registered(held: JoinApplication, by: Account, today: date, now: datetime) -> Person:
    """The person of an application: the one the register knows, or a new one."""
    known = _known(held)
    if known is None:
        return people.enter(
            name=held.name,
            national_id=str(held.national_id),
            phone=str(held.phone),
            employer=held.employer,
            organization=held.organization,
            by=by,
            today=today,
        )
    person = Person.objects.select_for_update(of=("self",)).get(pk=known.pk)
    _require_may_join(held, person)
    person.organization = held.organization
    person.employer = held.employer or person.employer
    person.updated_at = now
    person.save(update_fields=["organization", "employer", "updated_at"])
    audit.record("person.join", person, by=by, application=held.pk)
    return person


def _said(text: str) -> str:
    return require_text(
        text,
        gettext_noop("The reason is missing."),
        gettext_noop("Say what is missing or wrong; the applicant reads it."),
        shortest=2,
    )[:_LONGEST]
