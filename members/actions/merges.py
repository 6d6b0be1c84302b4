"""Two rows that are one human: proposed by one, confirmed by another, everything alive moved."""

from datetime import date, datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from members import merging
from members.actions.people import require_reason
from members.actions.refusals import PeopleRefused
from members.models import BankAccount, Membership, MembershipChange, Person, PersonMerge
from members.queries import people_for
from members.states import (
    LIVE_CARDS,
    LIVE_MEMBERSHIPS,
    OPEN_TRANSFERS,
    BankAccountState,
    MembershipState,
    MergeState,
)
from union_portal import access, accounts, audit, lifecycle, readers
from union_portal.access import Permission
from union_portal.fields import fingerprint
from union_portal.kit.identity import read_national_id
from union_portal.models import Account, Organization
from union_portal.readers import Door

_REASON_LONGEST: Final = 200


def union_above(one: Person, other: Person) -> Organization:
    """The lowest union that has both below it: who works there may judge."""
    paths = [one.organization.path, other.organization.path]
    shared = ""
    for step, same in zip(*(path.rstrip("/").split("/") for path in paths), strict=False):
        if step != same:
            break
        shared += f"{step}/"
    return Organization.objects.get(path=shared)


def other_row(*, by: Account, chosen: str, number: str, today: date) -> Person:
    """The row that somebody means: one that was offered, or by its whole number.

    Errors: PeopleRefused, which does not tell whether it is known elsewhere; IdentityError.
    """
    within = people_for(by, Permission.PERSON_MERGE).select_related("organization")
    if chosen:
        found = within.filter(pk=chosen).first()
    else:
        print_ = fingerprint("national_id", read_national_id(number, today=today).number)
        found = within.filter(national_id_index=print_).first()
    if found is None:
        raise PeopleRefused(
            gettext_noop("Nobody with this number is registered within your reach."),
            gettext_noop("Compare the number; rows of two counties are merged by the city."),
        )
    return found


@transaction.atomic
def propose(*, kept: Person, merged: Person, reason: str, by: Account) -> PersonMerge:
    """Propose that `merged` becomes part of `kept`. Errors: PeopleRefused, with what to do."""
    above = union_above(kept, merged)
    access.require(by, Permission.PERSON_MERGE, above)
    why = require_reason(reason)
    with readers.seeing(Door.MERGING):
        _require_two(kept, merged)
        _require_clear(kept, merged)
    try:
        with transaction.atomic():
            made = PersonMerge.objects.create(
                kept=kept, merged=merged, organization=above, reason=why, proposed_by=by
            )
    except IntegrityError as error:
        if "merge_once" not in str(error):
            raise
        raise PeopleRefused(
            gettext_noop("A merge of this row waits for a second person already."),
            gettext_noop("Open it in the list of merges, or have it refused first."),
        ) from None
    audit.record("personmerge.propose", made, by=by, reason=why, kept=kept.pk, merged=merged.pk)
    return made


@transaction.atomic
def confirm(*, merge: PersonMerge, by: Account, now: datetime, today: date) -> dict[str, int]:
    """Merge the two, as somebody else than who proposed it; how many rows moved, by table.

    Locks in one order: what apps above hold, the merge, both people by number.
    """
    with readers.seeing(Door.MERGING):
        merging.take_locks()
        held = _hold(merge, by)
        people = _both(held)
        kept, merged = people[held.kept_id], people[held.merged_id]
        access.require(by, Permission.PERSON_MERGE, union_above(kept, merged))
        _require_two(kept, merged)
        _require_clear(kept, merged)
        lifecycle.advance(held, to=MergeState.CONFIRMED, by=by, decided_by=by, decided_at=now)
        Person.objects.filter(pk=merged.pk).update(merged_into=kept, updated_at=now)
        why = f"{held}: {held.reason}"[:_REASON_LONGEST]
        _join_accounts(kept, merged, by, why)
        _join_memberships(kept, merged, by, why, now=now, today=today)
        moved = merging.move(kept, merged)
        _close_bank_accounts(merged, by, why)
        PersonMerge.objects.filter(pk=held.pk).update(moved=moved)
    merge.refresh_from_db()
    for person in (kept, merged):
        audit.record("person.merge", person, by=by, reason=held.reason, merge=held.pk, moved=moved)
    return moved


@transaction.atomic
def refuse(*, merge: PersonMerge, by: Account, reason: str, now: datetime) -> None:
    """Turn a merge down: they are two people. The pair is proposed no more by itself."""
    why = require_reason(reason)
    held = _hold(merge, by)
    lifecycle.advance(
        held,
        to=MergeState.REFUSED,
        by=by,
        reason=why,
        answer=why,
        decided_by=by,
        decided_at=now,
    )
    merge.refresh_from_db()


def _hold(merge: PersonMerge, by: Account) -> PersonMerge:
    held = PersonMerge.objects.select_for_update(of=("self",)).get(pk=merge.pk)
    access.require(by, Permission.PERSON_MERGE, held.organization)
    if by.pk == held.proposed_by_id:
        raise PeopleRefused(
            gettext_noop("You proposed this merge yourself."),
            gettext_noop("Ask a colleague who may merge people."),
        )
    return held


def _both(merge: PersonMerge) -> dict[int, Person]:
    people = Person.objects.filter(pk__in=[merge.kept_id, merge.merged_id]).order_by("pk")
    locked = people.select_for_update(of=("self",)).select_related("organization", "account")
    found = {person.pk: person for person in locked}
    if len(found) < len({merge.kept_id, merge.merged_id}):
        raise PeopleRefused(
            gettext_noop("One of the two has moved out of your reach meanwhile."),
            gettext_noop("Ask the union above both to judge it."),
        )
    return found


def _require_two(kept: Person, merged: Person) -> None:
    if kept.pk == merged.pk:
        raise PeopleRefused(
            gettext_noop("Both are one row already."), gettext_noop("Choose the other one.")
        )
    if kept.is_merged or merged.is_merged:
        raise PeopleRefused(
            gettext_noop("One of the two was merged into another row meanwhile."),
            gettext_noop("Open its page: it names the row that stayed."),
        )


def _require_clear(kept: Person, merged: Person) -> None:
    for refusal in merging.obstacles(kept, merged):
        raise refusal


def _join_accounts(kept: Person, merged: Person, by: Account, why: str) -> None:
    """Who stays logs in as before; with the other's account if there was none, else it is shut."""
    account = merged.account
    if account is None:
        return
    if kept.account_id is None:
        Person.objects.filter(pk=merged.pk).update(account=None)
        Person.objects.filter(pk=kept.pk).update(account=account)
    else:
        accounts.shut(account=account, by=by, reason=why)


def _join_memberships(
    kept: Person, merged: Person, by: Account, why: str, *, now: datetime, today: date
) -> None:
    """One stays live: that of the person who stays, with the earlier day of first joining."""
    live = Membership.objects.filter(state__in=LIVE_MEMBERSHIPS).select_for_update(of=("self",))
    going, staying = live.filter(person=merged).first(), live.filter(person=kept).first()
    if going is None or staying is None:
        return
    first = min(going.first_joined_on, staying.first_joined_on)
    if first != staying.first_joined_on:
        Membership.objects.filter(pk=staying.pk).update(first_joined_on=first)
    MembershipChange.objects.create(
        membership=going,
        old_state=going.state,
        new_state=MembershipState.WITHDRAWN,
        on=max(today, going.joined_on),
        reason=why,
        noted_by=by,
        noted_at=now,
    )
    lifecycle.advance(
        going,
        to=MembershipState.WITHDRAWN,
        by=by,
        reason=why,
        ended_on=max(today, going.joined_on),
    )


def _close_bank_accounts(merged: Person, by: Account, why: str) -> None:
    """Nothing is paid to the row that went: what has not moved is rejected or retired."""
    left = BankAccount.objects.filter(person=merged)
    for old, to in (
        (BankAccountState.PROPOSED, BankAccountState.REJECTED),
        (BankAccountState.CONFIRMED, BankAccountState.RETIRED),
    ):
        lifecycle.advance_set(left.filter(state=old), to=to, by=by, reason=why)


@merging.obstacle
def _two_live_cards(kept: Person, merged: Person) -> PeopleRefused | None:
    if all(person.cards.filter(state__in=LIVE_CARDS).exists() for person in (kept, merged)):
        return PeopleRefused(
            gettext_noop("Both have a service card that is in use."),
            gettext_noop("Have the bank cancel one of the cards, enter it, then merge."),
        )
    return None


@merging.obstacle
def _membership_elsewhere(kept: Person, merged: Person) -> PeopleRefused | None:
    """A membership is in the person's union: it can't come to somebody of another one."""
    live = Membership.objects.filter(state__in=LIVE_MEMBERSHIPS)
    going = live.filter(person=merged).first()
    if going is None:
        return None
    if going.transfers.filter(state__in=OPEN_TRANSFERS).exists():
        return PeopleRefused(
            gettext_noop("A transfer of the row that goes is under way."),
            gettext_noop("Have the two unions end it first."),
        )
    if going.organization_id != kept.organization_id and not live.filter(person=kept).exists():
        return PeopleRefused(
            gettext_noop(
                "The row that goes is a member, in another union than the one that stays."
            ),
            gettext_noop("Propose it the other way round, so that the member's row stays."),
        )
    return None


@merging.obstacle
def _staff_account(kept: Person, merged: Person) -> PeopleRefused | None:
    """No account with a role is shut, or given to another row, on the way."""
    account = merged.account
    if account is not None and (account.is_staff or account.roles.exists()):
        return PeopleRefused(
            gettext_noop("The row that goes logs in with an account of staff."),
            gettext_noop("Propose it the other way round, or have the account taken off first."),
        )
    return None
