"""The kernel's scheduled tasks: each calls one action."""

from celery import shared_task

from union_portal import audit, notifications, queue


@shared_task(name="union_portal.ring_lost_jobs")
def ring_lost_jobs() -> None:
    queue.ring_lost()


@shared_task(name="union_portal.seal_audit")
def seal_audit() -> None:
    audit.seal()


@shared_task(name="union_portal.send_messages")
def send_messages() -> None:
    notifications.send_pending()
