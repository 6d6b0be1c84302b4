"""Messages to people: written as a set, sent by a worker, kept with how and when (X13).

A message goes as SMS where a phone is known, else as a letter that staff print and post; offices
get e-mail, in which nothing stands about people.
(topic, key, channel) is unique, so asking twice sends once. Gateways are classes named in
the settings; the default keeps the text in the outbox for staff to read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from union_portal import audit, lifecycle, sets
from union_portal.gateways import (
    EmailGateway,
    Gateway,
    GatewayError,
    # PORTAL_SMS_GATEWAY names these two as names of this room.
    HttpGateway,  # noqa: F401
    OutboxGateway,  # noqa: F401
)
from union_portal.models import Channel, Message
from union_portal.states import MessageState

if TYPE_CHECKING:
    from union_portal.models import Account

ATTEMPTS = 5
# Stands where a gateway's name would: nothing left the portal.
PORTAL = "portal"
CHUNK = 200
# Recipients read Chinese; staff read the same text as it went out. Offices get English as well.
LANGUAGE = "zh-hans"
ENGLISH = "en"

Gateways = Mapping[str, Gateway]
_templates: dict[str, str | Promise] = {}
_topics: dict[str, str | Promise] = {}
# (reader, ids of recipients) -> the names that the reader may see
Names = Callable[["Account", set[int]], dict[int, str]]
_names: list[Names] = []
# Codes go to the phone that asks for them, whatever its owner wants to be told.
ASKED_FOR = frozenset({"login_code"})
# Whoever takes an account over would be the one who wants no warning.
WARNINGS = frozenset({"phone_changed"})
# What stands in the place of a text that was kept long enough.
FORGOTTEN = "forgotten"

Wants = Callable[[int], bool]
_wants: list[Wants] = []


@dataclass(frozen=True)
class Sent:
    """What one run of the worker did."""

    sent: int = 0
    failed: int = 0


def template(name: str, text: str | Promise) -> None:
    """Register a text with %(name)s places for a message's `values`."""
    _templates[name] = text


def topic(name: str, label: str | Promise) -> None:
    """Register what messages of a topic are about, as people call it."""
    _topics[name] = label


def topics() -> dict[str, str | Promise]:
    """What every registered topic is called."""
    return dict(_topics)


def name_recipients(names: Names) -> None:
    """Say how recipients are called; the app that knows people does."""
    _names.append(names)


def recipients(messages: Iterable[Message], reader: Account) -> dict[int, str]:
    """Names of those to whom messages went, of people within the reader's reach only."""
    ids = {message.recipient for message in messages if message.recipient is not None}
    found: dict[int, str] = {}
    for names in _names:
        found |= names(reader, ids)
    return found


def ask_before_sms(wants: Wants) -> None:
    """Register who may say no: `wants(recipient)` is asked before each text message leaves.

    Whoever wants none is told in the portal alone.
    """
    _wants.append(wants)


def text_of(message: Message) -> str:
    """The text as its recipient gets it."""
    if FORGOTTEN in message.values:
        return _("This text was removed: it is not kept any longer.")
    languages = [LANGUAGE, ENGLISH] if message.channel == Channel.EMAIL else [LANGUAGE]
    return "\n\n".join(_text_in(language, message) for language in languages)


def _text_in(language: str, message: Message) -> str:
    with translation.override(language):
        values: Mapping[str, Any] = message.values
        return str(_templates[message.template]) % values


def queue_messages(
    *,
    topic: str,
    template: str,
    rows: QuerySet[Any],
    subject_type: str,
    at: datetime | None = None,
) -> int:
    """Write a message for every row in one statement; those already written stay one.

    Columns of `rows`: key (text), recipient (id), sealed_phone (or NULL), about (the
    subject's id as text), facts (JSON for the text's places). `at` is the moment of what they
    tell of, as whoever did it was given it; now if nobody was.
    """
    names = ("key", "recipient", "sealed_phone", "about", "facts")
    table = sets.source(rows, *names)
    if template not in _templates:
        raise LookupError(f"there is no text named {template}")
    if table is None:
        return 0
    written = sets.insert(
        "INSERT INTO union_portal_message (topic, template, subject_type, key, channel,"
        ' recipient, address, subject_id, "values", gateway, gateway_reference, attempts,'
        " error, created_at, state)"
        ' SELECT %s, %s, %s, r."key", CASE WHEN r."sealed_phone" IS NULL THEN \'letter\''
        ' ELSE \'sms\' END, r."recipient", r."sealed_phone", r."about", r."facts",'
        " '', '', 0, '', coalesce(%s, clock_timestamp()), 'pending' FROM {rows}"
        " ON CONFLICT (topic, key, channel) DO NOTHING",
        table,
        names,
        before=[topic, template, subject_type, at],
    )
    return written.count


def on_day(day: date) -> datetime:
    """This time of another day: when something was done of which the day alone is told."""
    return timezone.localtime().replace(year=day.year, month=day.month, day=day.day)


def queue_portal_message(
    *, topic: str, key: str, template: str, recipient: int, subject: Any, **values: str
) -> Message:
    """Tell one person in the portal at once; asking twice writes one."""
    message, _born = Message.objects.get_or_create(
        topic=topic,
        key=key,
        channel=Channel.PORTAL,
        defaults={
            "template": template,
            "recipient": recipient,
            "values": values,
            "subject_type": subject._meta.label_lower,
            "subject_id": str(subject.pk),
        },
    )
    if message.state == MessageState.PENDING:
        lifecycle.advance(message, to=MessageState.SENT, by=audit.WORKER, sent_at=timezone.now())
    return message


def queue_to_number(
    *, topic: str, key: str, template: str, recipient: int, number: str, subject: Any, **values: str
) -> Message:
    """One text message about a person to a number, which need not be theirs any more."""
    message, _born = Message.objects.get_or_create(
        topic=topic,
        key=key,
        channel=Channel.SMS,
        defaults={
            "template": template,
            "recipient": recipient,
            "address": number,
            "values": values,
            "subject_type": subject._meta.label_lower,
            "subject_id": str(subject.pk),
        },
    )
    return message


@transaction.atomic
def queue_email(
    *, topic: str, key: str, template: str, to: str, subject: Any, **values: Any
) -> bool:
    """Write one e-mail to an office; whether it is new. Asking twice writes one."""
    _message, born = Message.objects.get_or_create(
        topic=topic,
        key=key,
        channel=Channel.EMAIL,
        defaults={
            "template": template,
            "values": {**values, "to": to},
            "subject_type": subject._meta.label_lower,
            "subject_id": str(subject.pk),
        },
    )
    return born


def send_pending(limit: int = CHUNK) -> Sent:
    """Send what is due, up to `limit`. Several workers may run at once."""
    gateways: Gateways = {
        Channel.SMS: import_string(settings.SMS_GATEWAY)(),
        Channel.EMAIL: EmailGateway(),
    }
    sent = failed = 0
    for _turn in range(limit):
        outcome = _send_next(gateways)
        if outcome is None:
            break
        sent, failed = sent + outcome, failed + (not outcome)
    return Sent(sent, failed)


@transaction.atomic
def post_letters(*, messages: QuerySet[Message], by: Account) -> int:
    """Note that letters were printed and posted."""
    letters = messages.filter(channel=Channel.LETTER)
    count = lifecycle.advance_set(
        letters, to=MessageState.SENT, by=by, sent_at=timezone.now(), gateway="post"
    )
    audit.record_ref("message.posted", "union_portal.message", "set", by=by, count=count)
    return count


@transaction.atomic
def mark_read(*, messages: list[Message]) -> None:
    """Note the first time the recipient opened them."""
    new = [message.pk for message in messages if message.read_at is None]
    if new:
        Message.objects.filter(pk__in=new, read_at__isnull=True).update(read_at=Now())


def messages_for(recipient: int) -> QuerySet[Message]:
    """What one person was told, newest first: a row for each way in which it went."""
    return Message.objects.filter(recipient=recipient).exclude(state=MessageState.FAILED)


def inbox(recipient: int) -> QuerySet[Message]:
    """What one person reads in the portal, newest first: each message once.

    Of what went as SMS or letter as well, it is the portal's own row.
    """
    here = Message.objects.filter(
        recipient=recipient, topic=OuterRef("topic"), key=OuterRef("key"), channel=Channel.PORTAL
    )
    told = messages_for(recipient).filter(Q(channel=Channel.PORTAL) | ~Exists(here))
    return told.order_by("-created_at", "-id")


def ways_of(recipient: int, messages: Sequence[Message]) -> list[list[Message]]:
    """For each message of one person every way in which it went, in one query.

    A text message that nobody wanted went no way.
    """
    went: dict[tuple[str, str], list[Message]] = {}
    for row in messages_for(recipient).filter(key__in=[message.key for message in messages]):
        if row.channel == Channel.PORTAL or row.gateway != PORTAL:
            went.setdefault((row.topic, row.key), []).append(row)
    return [went.get((message.topic, message.key), []) for message in messages]


@transaction.atomic
def _send_next(gateways: Gateways) -> bool | None:
    """Send one due message under its row lock; None when none is due.

    The row's id is the gateway's idempotency reference: a crash after the send and before
    the commit repeats the same reference, never a new one.
    """
    message = (
        Message.objects.select_for_update(skip_locked=True)
        .filter(_due(), channel__in=list(gateways), state=MessageState.PENDING)
        .order_by("id")
        .first()
    )
    if message is None:
        return None
    if not _is_wanted(message):
        _tell_in_the_portal(message)
        return True
    gateway = gateways[message.channel]
    number = message.values["to"] if message.channel == Channel.EMAIL else message.address
    try:
        reference = gateway.send(
            number=str(number), text=text_of(message), reference=str(message.pk)
        )
    except GatewayError as error:
        _note_failure(message, str(error))
        return False
    lifecycle.advance(
        message,
        to=MessageState.SENT,
        by=audit.WORKER,
        gateway=gateway.name,
        gateway_reference=reference,
        attempts=message.attempts + 1,
        sent_at=timezone.now(),
        error="",
    )
    return True


def _is_wanted(message: Message) -> bool:
    """Whether the recipient still wants text messages; asked at the last moment."""
    if (
        message.channel != Channel.SMS
        or message.topic in ASKED_FOR | WARNINGS
        or message.recipient is None
    ):
        return True
    return all(wants(message.recipient) for wants in _wants)


def _tell_in_the_portal(message: Message) -> None:
    """The message leaves by no gateway: it stands among the messages of the portal."""
    twin = Message.objects.filter(
        topic=message.topic, key=message.key, channel=Channel.PORTAL
    ).exists()
    lifecycle.advance(
        message,
        to=MessageState.SENT,
        by=audit.WORKER,
        channel=Channel.SMS if twin else Channel.PORTAL,
        gateway=PORTAL,
        sent_at=timezone.now(),
        error="",
    )


def _due() -> Q:
    """Each failure doubles the wait: 2, 4, 8, 16 minutes after it was written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now = cursor.fetchone()[0]
    due = Q(attempts=0)
    for attempts in range(1, ATTEMPTS):
        wait = timedelta(minutes=2**attempts)
        due |= Q(attempts=attempts, created_at__lte=now - wait)
    return due


def _note_failure(message: Message, error: str) -> None:
    if message.attempts + 1 >= ATTEMPTS:
        lifecycle.advance(
            message,
            to=MessageState.FAILED,
            by=audit.WORKER,
            attempts=message.attempts + 1,
            error=error[:200],
        )
        return
    Message.objects.filter(pk=message.pk).update(attempts=F("attempts") + 1, error=error[:200])
