"""Second factors: who has one, which one stays, and how a lost one is taken off by two people."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from allauth.mfa.models import Authenticator
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from union_portal import access, audit, lifecycle, sessions
from union_portal.access import Permission
from union_portal.kit.refusals import Refused
from union_portal.models import Account, AuditEntry, FactorReset
from union_portal.states import FactorResetState

# A request that nobody carried out for so long is asked for anew.
ASKED_FOR: Final = timedelta(days=7)
FULL: Final = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
# What others did to a log-in is told to its owner at the next one.
TOLD: Final = {
    "account.set_password": gettext_noop("%(day)s: %(who)s gave your account a new password."),
    "account.factor_reset": gettext_noop("%(day)s: %(who)s took off your second factor."),
    "account.unlock": gettext_noop("%(day)s: %(who)s opened your account again."),
}
BEWARE: Final = gettext_noop("If you know nothing of it, call the security administrator now.")


class ResetRefused(Refused):
    """The second factor can't be taken off like this."""


def has_second_factor(account: object) -> bool:
    """Whether the account has TOTP or a passkey; recovery codes alone do not count."""
    return Authenticator.objects.filter(user=account, type__in=FULL).exists()


def may_remove(authenticator: Authenticator) -> bool:
    """Whether its owner may remove it: the last one stays while a role needs it."""
    account: Account = authenticator.user
    others = Authenticator.objects.filter(user=account, type__in=FULL).exclude(pk=authenticator.pk)
    return others.exists() or not access.needs_second_factor(account)


@transaction.atomic
def ask_reset(*, account: Account, by: Account, reason: str) -> FactorReset:
    """Ask to take off a lost second factor, after seeing its owner in person.

    Errors: PermissionDenied, for one's own account too; ResetRefused if there is none, or it
    was asked for already.
    """
    access.require(by, Permission.ACCOUNT_MANAGE)
    _require_another(account, by)
    if not has_second_factor(account):
        raise ResetRefused(
            gettext_noop("This account has no second factor."),
            gettext_noop("It is set up at the next log-in, where a role needs it."),
        )
    try:
        with transaction.atomic():
            reset = FactorReset.objects.create(account=account, asked_by=by, reason=reason)
    except IntegrityError:
        raise ResetRefused(
            gettext_noop("The reset was asked for already."),
            gettext_noop("The security administrator carries it out or refuses it."),
        ) from None
    audit.record("account.factor_reset_asked", account, by=by, reason=reason, reset=reset.pk)
    return reset


@transaction.atomic
def carry_out(*, reset: FactorReset, by: Account, now: datetime) -> None:
    """Take the second factors off, recovery codes too, and end every session.

    Errors: PermissionDenied for whoever asked and for the account itself; ResetRefused for a
    request that is too old; Stale if it was decided meanwhile.
    """
    _require_decider(reset, by)
    if is_too_old(reset, now=now):
        raise ResetRefused(
            gettext_noop("This was asked for too long ago."),
            gettext_noop("Refuse it; the account administrator asks anew."),
        )
    lifecycle.advance(reset, to=FactorResetState.DONE, by=by, decided_by=by, decided_at=now)
    Authenticator.objects.filter(user=reset.account).delete()
    audit.record("account.factor_reset", reset.account, by=by, reset=reset.pk)
    sessions.end_with(account=reset.account, by=by)


@transaction.atomic
def refuse(*, reset: FactorReset, by: Account, reason: str, now: datetime) -> None:
    """Leave the second factor as it is. Errors: PermissionDenied, Stale."""
    _require_decider(reset, by)
    lifecycle.advance(
        reset, to=FactorResetState.REFUSED, by=by, reason=reason, decided_by=by, decided_at=now
    )


def is_too_old(reset: FactorReset, *, now: datetime) -> bool:
    return now - reset.asked_at > ASKED_FOR


def told_since(account: Account, before: datetime | None) -> list[str]:
    """What others did to a log-in since its owner was here last, a sentence each."""
    if before is None:
        return []
    entries = AuditEntry.objects.filter(
        subject_type=account._meta.label_lower,
        subject_id=str(account.pk),
        action__in=TOLD,
        at__gt=before,
    ).exclude(actor_id=account.pk)
    return [
        _(TOLD[entry.action])
        % {"day": timezone.localdate(entry.at).isoformat(), "who": entry.actor}
        + " "
        + _(BEWARE)
        for entry in entries.order_by("id")[:5]
    ]


def _require_decider(reset: FactorReset, by: Account) -> None:
    access.require(by, Permission.ROLE_GRANT)
    _require_another(reset.account, by)
    if by.pk == reset.asked_by_id:
        raise PermissionDenied(_("Whoever asked for it does not carry it out."))


def _require_another(account: Account, by: Account) -> None:
    if by.pk == account.pk:
        raise PermissionDenied(_("Nobody administers their own account."))
