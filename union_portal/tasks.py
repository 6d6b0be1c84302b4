"""The kernel's scheduled tasks: each calls one action."""

from celery import shared_task
from django.core.management import call_command
from django.utils import timezone

from union_portal import audit, notifications, once, queue


@shared_task(name="union_portal.ring_lost_jobs")
def ring_lost_jobs() -> None:
    queue.ring_lost()


@shared_task(name="union_portal.seal_audit")
def seal_audit() -> None:
    audit.seal()


@shared_task(name="union_portal.send_messages")
def send_messages() -> None:
    notifications.send_pending()


@shared_task(name="union_portal.forget_sent_forms")
def forget_sent_forms() -> None:
    """Keys of forms, and the sessions they were bound to, once they are of no use."""
    once.sweep(now=timezone.now())
    call_command("clearsessions")
