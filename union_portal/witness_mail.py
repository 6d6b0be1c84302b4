"""The head of the audit log, sent to the counties every day: a witness in twelve mailboxes.

A union that has a witness's address gets one e-mail a day. Whoever edits the log later would
have to edit every mailbox as well.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from django.conf import settings
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from union_portal import audit, notifications
from union_portal.models import AuditBlock, Organization

TOPIC: Final = "audit_witness"

notifications.topic(TOPIC, _("head of the audit log"))
# The first line is the subject.
notifications.template(
    TOPIC,
    _(
        "Audit log of %(office)s, %(day)s, block %(number)s\n"
        "\n"
        "The last sealed block and its digest (SHA-256):\n"
        "\n"
        "%(number)s %(digest)s\n"
        "\n"
        "Sealed in it and before it: %(entries)s entries.\n"
        "\n"
        "Keep this message in your own mailbox. It proves that the log up to this block was as it"
        " was on this day: nobody can change it later without the digest becoming another one.\n"
        "\n"
        "To compare: save this message as a file and let an auditor run\n"
        "    manage.py verify_audit --witness FILE\n"
        "or run, in an unpacked audit pack,\n"
        "    python3 verify.py %(number)s:%(digest)s\n"
        "Reports print block and digest as well.\n"
        "\n"
        "This message comes every day. If it does not, or names a smaller block than the day"
        " before, tell the auditor of the federation."
    ),
)


def write_digests(*, today: date) -> int:
    """Write today's message to every witness; how many are new. Asking again writes none."""
    head = audit.head()
    if head is None:
        return 0
    entries = AuditBlock.objects.aggregate(entries=Sum("entries"))["entries"]
    return sum(
        notifications.queue_email(
            topic=TOPIC,
            key=f"{today.isoformat()}:{union.pk}",
            template=TOPIC,
            to=union.witness_email,
            subject=union,
            office=settings.PORTAL_OFFICE,
            day=today.isoformat(),
            number=head.number,
            digest=head.digest,
            entries=entries,
        )
        for union in Organization.objects.filter(is_active=True).exclude(witness_email="")
    )
