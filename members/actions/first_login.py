"""A member's first log-in: name, identity number, and a code to the registered phone.

Whoever asks learns nothing: the answer, the waiting and the refusals are the same whether
the person exists or not. Staff accounts are out of reach of this door.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.db.models import CharField, F, JSONField, Q, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.actions import people
from members.actions.refusals import PeopleRefused
from members.models import LoginCode, Person
from union_portal import accounts, audit, notifications, readers, turns
from union_portal.celery import app
from union_portal.fields import fingerprint
from union_portal.kit.names import read_name
from union_portal.kit.plain_text import digits_as_typed
from union_portal.kit.refusals import Refused
from union_portal.models import Account
from union_portal.readers import Door

MINUTES: Final = 10
TRIES: Final = 5
PER_PERSON_AN_HOUR: Final = 3
# A factory shares one address, and all its people may come in the same hour.
PER_ADDRESS_AN_HOUR: Final = 600
_DIGITS: Final = 6
DOOR: Final = audit.Machine("first log-in")

notifications.topic("login_code", _("code to log in"))
notifications.template(
    "login_code",
    _("%(code)s is your code for the union portal, valid for 10 minutes. Tell it to nobody."),
)


class TooManyQuestions(PeopleRefused):
    """Codes were asked for too often, for this number or from this address."""


class WrongCode(PeopleRefused):
    """The code is wrong, used, too old, or was never sent; which of these isn't told."""


def wrong_code() -> WrongCode:
    return WrongCode(
        gettext_noop("The code is wrong or no longer valid."),
        gettext_noop("Check the message, or ask for a new code."),
    )


@dataclass(frozen=True)
class Asked:
    """What the page keeps between the two steps; the same for people who don't exist."""

    token: UUID
    minutes: int = MINUTES


@readers.seeing(Door.FIRST_LOG_IN)
@transaction.atomic
def ask_code(*, name: str, national_id: str, address: str, now: datetime) -> Asked:
    """Send a code if name and number are one person's with a phone; say so in any case.

    Errors: TooManyQuestions, counted for numbers that don't exist too.
    """
    asked_for = fingerprint("national_id", digits_as_typed(national_id).upper())
    asked_from = fingerprint("address", address)
    _require_patience(asked_for, asked_from, now)
    person = _find(name, asked_for)
    code = "".join(secrets.choice("0123456789") for _digit in range(_DIGITS))
    asked = LoginCode(
        person=person,
        asked_for=asked_for,
        asked_from=asked_from,
        created_at=now,
        expires_at=now + timedelta(minutes=MINUTES),
    )
    asked.code_hash = _hash(asked.pk, code)
    asked.save()
    _send(asked, code)
    return Asked(asked.pk)


@readers.seeing(Door.FIRST_LOG_IN)
def check_code(*, token: UUID, code: str, now: datetime) -> Person:
    """Who the code proves its holder to be; every wrong try counts. Errors: WrongCode.

    The count is committed by itself, so that a refused request can't undo it.
    """
    asked = _use_try(token, now)
    right = asked is not None and hmac.compare_digest(
        asked.code_hash, _hash(token, digits_as_typed(code))
    )
    if asked is None or asked.person is None or not right:
        raise wrong_code()
    return asked.person


@readers.seeing(Door.FIRST_LOG_IN)
def complete(
    *, token: UUID, code: str, password: str, now: datetime, username: str = ""
) -> Account:
    """Make the member's account, or set the password of the one there is, and return it.

    Errors: WrongCode; ValidationError for a weak password; PeopleRefused for a log-in name
    that is taken.
    """
    validate_password(password)  # before the code: a weak password costs no try
    person = check_code(token=token, code=code, now=now)
    with transaction.atomic():
        held = Person.objects.select_for_update(of=("self",)).get(pk=person.pk)
        _require_member(held)
        account = held.account or Account(username=_free(username, held), name=held.name)
        validate_password(password, account)
        _spend(token, now)
        if account.pk is None:
            account.set_unusable_password()
            account.save()
        accounts.write_password(account, password, is_first=False)
        if held.account_id is None:
            people.attach_account(person=held, account=account, by=DOOR)
        audit.record("person.first_login", held, by=DOOR, account=account.pk)
    return account


@transaction.atomic
def sweep(*, now: datetime) -> int:
    """Forget questions a day after they were asked."""
    removed, _by_model = LoginCode.objects.filter(created_at__lt=now - timedelta(days=1)).delete()
    return removed


def _find(name: str, index: str) -> Person | None:
    """The living person with this number and name whose account no role protects."""
    try:
        plain = read_name(name)
    except Refused:
        return None
    return Person.objects.filter(
        Q(account__isnull=True)
        | Q(account__is_active=True, account__is_staff=False, account__roles__isnull=True),
        national_id_index=index,
        name=plain,
        phone_index__isnull=False,
        died_on__isnull=True,
        merged_into__isnull=True,
    ).first()


def _require_member(person: Person) -> None:
    """The account may have got a role, or have been locked, since the code was sent; or the
    person may have turned out to be another one's second row.
    """
    if person.is_merged:
        raise wrong_code()
    account = person.account
    if account is not None and (
        account.is_staff or not account.is_active or account.roles.exists()
    ):
        raise wrong_code()


def _require_patience(asked_for: str, asked_from: str, now: datetime) -> None:
    # Two questions at once count each other.
    turns.take(asked_for, asked_from)
    recent = LoginCode.objects.filter(created_at__gt=now - timedelta(hours=1))
    if (
        recent.filter(asked_for=asked_for).count() >= PER_PERSON_AN_HOUR
        or recent.filter(asked_from=asked_from).count() >= PER_ADDRESS_AN_HOUR
    ):
        raise TooManyQuestions(
            gettext_noop("Codes were asked for too often."),
            gettext_noop("Wait an hour, or ask your union."),
        )


def _send(asked: LoginCode, code: str) -> None:
    """Write the message for a person who exists, and ring for the worker."""
    facts: dict[str, Any] = {"code": code}
    notifications.queue_messages(
        topic="login_code",
        template="login_code",
        rows=LoginCode.objects.filter(pk=asked.pk, person__isnull=False).annotate(
            key=Cast("id", CharField()),
            recipient=F("person_id"),
            sealed_phone=F("person__phone"),
            about=Cast("id", CharField()),
            facts=Value(facts, JSONField()),
        ),
        subject_type=LoginCode._meta.label_lower,
    )
    transaction.on_commit(_ring, robust=True)


def _ring() -> None:
    """Codes don't wait for the minute's round; a broker that is away is no error."""
    app.send_task("union_portal.send_messages", retry=False)


def _use_try(token: UUID, now: datetime) -> LoginCode | None:
    open_codes = LoginCode.objects.filter(
        pk=token, tries__lt=TRIES, expires_at__gt=now, used_at__isnull=True
    )
    if open_codes.update(tries=F("tries") + 1) != 1:
        return None
    return LoginCode.objects.select_related("person").get(pk=token)


def _spend(token: UUID, now: datetime) -> None:
    if LoginCode.objects.filter(pk=token, used_at__isnull=True).update(used_at=now) != 1:
        raise wrong_code()


def _free(username: str, person: Person) -> str:
    """The log-in name the member chose, or one made of nothing personal."""
    chosen = username.strip() or f"m{person.pk:08d}"
    if Account.objects.filter(username__iexact=chosen).exists():
        raise PeopleRefused(
            gettext_noop("This log-in name is taken."),
            gettext_noop("Choose another one."),
        )
    return chosen


def _hash(token: UUID, code: str) -> str:
    return fingerprint("login_code", f"{token}:{code}")
