"""The kernel's scheduled tasks: each calls one action."""

from celery import shared_task
from django.core.management import call_command
from django.utils import timezone

from union_portal import (
    account_reviews,
    audit,
    figures,
    health,
    history,
    notifications,
    once,
    outages,
    queue,
    tokens,
    tries,
    witness_mail,
)
from union_portal.api import repeats, throttles


@shared_task(name="union_portal.ring_lost_jobs")
@outages.outlived()
def ring_lost_jobs() -> None:
    health.note_pulse()
    queue.ring_lost()


@shared_task(name="union_portal.seal_audit")
@outages.outlived()
def seal_audit() -> None:
    audit.seal()


@shared_task(name="union_portal.send_witnesses")
@outages.outlived()
def send_witnesses() -> None:
    """Once a day: what is never changed is digested into the log, and the log's head sent out."""
    today = timezone.localdate()
    history.record(today=today)
    witness_mail.write_digests(today=today)


@shared_task(name="union_portal.count_figures")
@outages.outlived()
def count_figures() -> None:
    figures.keep(today=timezone.localdate())


@shared_task(name="union_portal.send_messages")
@outages.outlived()
def send_messages() -> None:
    """Send a part, then ring for the next: other work gets its turn between the two."""
    done = notifications.send_pending(notifications.CHUNK)
    if done.sent + done.failed == notifications.CHUNK:
        send_messages.apply_async(retry=False)


@shared_task(name="union_portal.forget_the_past")
@outages.outlived()
def forget_the_past() -> None:
    """Keys of forms and calls, sessions, tokens, counted tries: once they are of no use."""
    now = timezone.now()
    for room in (once, repeats, tries, throttles, tokens):
        room.sweep(now=now)
    call_command("clearsessions")


@shared_task(name="union_portal.lapse_roles")
@outages.outlived()
def lapse_roles() -> None:
    """Roles that a review left unanswered end after its day."""
    account_reviews.lapse(today=timezone.localdate())
