"""Accounts: made, renamed, locked and let in again by the account administrator."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from union_portal import access, audit, passwords, sessions
from union_portal.access import Permission
from union_portal.kit.names import read_name
from union_portal.kit.refusals import Refused
from union_portal.models import Account

if TYPE_CHECKING:
    Actor = Account | audit.Machine


@transaction.atomic
def create(
    *,
    username: str,
    name: str,
    by: Actor,
    password: str | None = None,
    is_staff: bool = True,
    reader: Callable[[str], str] = read_name,
) -> Account:
    """Make an account; it may do nothing until somebody else grants it a role.

    A password given here is a first password: its owner changes it at the first log-in.

    Errors: PermissionDenied, PersonNameError, Refused for a log-in name that is taken,
    ValidationError for the password.
    """
    _require_manager(by)
    account = Account(username=username.strip(), name=reader(name), is_staff=is_staff)
    if password is not None:
        validate_password(password, account)
        account.is_password_first = True
    account.set_password(password)
    try:
        with transaction.atomic():
            account.save()
    except IntegrityError:
        raise Refused(
            gettext_noop("The log-in name “%(name)s” is taken."),
            gettext_noop("Choose another one."),
            {"name": account.username},
        ) from None
    audit.record("account.create", account, by=by, is_staff=is_staff)
    return account


@transaction.atomic
def rename(*, account: Account, name: str, by: Actor) -> None:
    """Correct the name shown for an account; what it did keeps the name it had then.

    Errors: PersonNameError.
    """
    _require_manager(by)
    account.name = read_name(name)
    account.save(update_fields=["name"])
    audit.record("account.rename", account, by=by)


@transaction.atomic
def lock(*, account: Account, by: Actor, reason: str) -> None:
    """Shut an account out at once; its history stays. Nobody locks themselves out."""
    _require_manager(by)
    if by.pk == account.pk:
        raise PermissionDenied(_("Nobody locks their own account."))
    _set_active(account, False)
    audit.record("account.lock", account, by=by, reason=reason)
    sessions.end_with(account=account, by=by)


@transaction.atomic
def shut(*, account: Account, by: Actor, reason: str) -> None:
    """Shut an account together with an act that its caller has judged; its history stays."""
    _set_active(account, False)
    audit.record("account.lock", account, by=by, reason=reason)
    sessions.end_with(account=account, by=by)


@transaction.atomic
def unlock(*, account: Account, by: Actor, reason: str) -> None:
    """Let an account in again."""
    _require_manager(by)
    _set_active(account, True)
    audit.record("account.unlock", account, by=by, reason=reason)


@transaction.atomic
def set_password(*, account: Account, password: str, by: Actor) -> None:
    """Give an account a new first password, to be handed over in person."""
    _require_manager(by)
    validate_password(password, account)
    write_password(account, password, is_first=True)
    audit.record("account.set_password", account, by=by)
    sessions.end_with(account=account, by=by)


def check_chosen(*, account: Account, password: str) -> None:
    """Refuse the first password as one's own. Errors: ValidationError."""
    if account.is_password_first and account.check_password(password):
        raise ValidationError(
            _("This is the password that was handed to you. Choose another one."),
            code="password_first",
        )


@transaction.atomic
def choose_password(*, account: Account, password: str) -> None:
    """Write the password that its owner chose; from now on only the owner knows it.

    Errors: ValidationError for a weak one, and for the first password once more.
    """
    validate_password(password, account)
    check_chosen(account=account, password=password)
    write_password(account, password, is_first=False)
    audit.record("account.choose_password", account, by=account)


def write_password(account: Account, password: str, *, is_first: bool) -> None:
    """Replace the password of an account; the caller has judged it and tells the log.

    Sessions end with it: their key hangs on the hash.
    """
    now = timezone.now()
    passwords.remember(account, now=now)
    account.set_password(password)
    account.is_password_first = is_first
    account.password_set_at = now
    account.save(update_fields=["password", "is_password_first", "password_set_at"])


def unused(*, now: datetime) -> QuerySet[Account]:
    """Open accounts of staff that nobody used for so long that they should be closed."""
    since = now - timedelta(days=settings.UNUSED_DAYS)
    never = Q(last_login__isnull=True, created_at__lt=since)
    return Account.objects.filter(never | Q(last_login__lt=since), is_active=True, is_staff=True)


def _set_active(account: Account, is_active: bool) -> None:
    account.is_active = is_active
    account.save(update_fields=["is_active"])


def _require_manager(by: Actor) -> None:
    if not isinstance(by, audit.Machine):
        access.require(by, Permission.ACCOUNT_MANAGE)
