"""The SMS of the day, sent while the demo goes on; letters wait for somebody to post them."""

from django.db.models import QuerySet

from union_portal.celery import app
from union_portal.demo import waiting
from union_portal.models import Channel, Message
from union_portal.states import MessageState

# More than so many go out while the demo is looked at.
MOST_AWAITED = 4_000


def ring() -> None:
    """Ask the worker to send what is due now; it goes on by itself until nothing is."""
    app.send_task("union_portal.send_messages", retry=False)


def await_sent() -> str:
    """Wait for the SMS of a demo of ordinary size; say where they can be read."""
    if _pending().count() <= MOST_AWAITED:
        waiting.until(lambda: not _pending().exists(), what="the messages")
    sent = Message.objects.filter(channel=Channel.SMS, state=MessageState.SENT)
    return f"{sent.count()} SMS in the outbox, {_pending().count()} still to send"


def _pending() -> QuerySet[Message]:
    return Message.objects.filter(channel=Channel.SMS, state=MessageState.PENDING)
