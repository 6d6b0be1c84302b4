"""The SMS of the day, sent while the demo goes on; letters wait for somebody to post them."""

from django.db.models import QuerySet

from union_portal.celery import app
from union_portal.demo import waiting
from union_portal.models import Channel, Message
from union_portal.notifications import CHUNK
from union_portal.states import MessageState

# More than so many are left to the minute's round of the beat.
MOST_ROUNDS = 20


def ring() -> None:
    """Ask the worker to send what is due now."""
    for _round in range(min(_rounds(), MOST_ROUNDS)):
        app.send_task("union_portal.send_messages", retry=False)


def await_sent() -> str:
    """Wait for the SMS of a demo of ordinary size; say where they can be read."""
    if _rounds() <= MOST_ROUNDS:
        waiting.until(lambda: not _pending().exists(), what="the messages")
    sent = Message.objects.filter(channel=Channel.SMS, state=MessageState.SENT)
    return f"{sent.count()} SMS in the outbox, {_pending().count()} still to send"


def _pending() -> QuerySet[Message]:
    return Message.objects.filter(channel=Channel.SMS, state=MessageState.PENDING)


def _rounds() -> int:
    return -(-_pending().count() // CHUNK)
