"""Letters that wait to be posted, as one PDF."""

from collections.abc import Iterator
from pathlib import Path

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.models import Person
from union_portal import notifications, queue, reports
from union_portal.access import Permission
from union_portal.kit import pdf
from union_portal.letters import Letter, print_letters
from union_portal.models import Channel, Message, Organization, ReportRun
from union_portal.states import MessageState

CHUNK = 500


@reports.report(
    "letters",
    title=_("Letters to post"),
    permission=Permission.NOTICE_PREPARE,
    page=lambda _number: reverse("admin:union_portal_message_changelist"),
)
def letters(run: queue.Run, report: ReportRun, out: Path) -> reports.Produced:
    """A sheet for each letter that waits for somebody of the organization or below it."""
    pdf.require_pango()
    office = Organization.objects.get(pk=report.subject_id)
    folder = out / "sections"
    folder.mkdir()
    printed = print_letters(
        waiting(office),
        out / "letters.pdf",
        folder=folder,
        made_at=report.requested_at.isoformat(),
        phone=office.phone,
        witness=reports.witness(),
        progress=run.progress,
    )
    if printed is None:
        raise queue.Refused(
            gettext_noop("No letter waits to be posted."),
            gettext_noop("Whoever has a phone is told by SMS; nothing is to be printed."),
        )
    return reports.Produced(
        path=printed.path,
        pages=printed.pages,
        digest=printed.digest,
        name=f"letters-v{report.version}.pdf",
    )


def waiting(office: Organization) -> Iterator[Letter]:
    """The letters not yet posted to people within `office`, in the order they were written."""
    # A log-in code is no letter: whoever prints it could log in with it.
    messages = Message.objects.filter(
        channel=Channel.LETTER,
        state=MessageState.PENDING,
        recipient__in=Person.objects.filter(organization__in=Organization.objects.within(office))
        .order_by()
        .values("pk"),
    ).exclude(topic="login_code")
    last = 0
    while batch := list(messages.filter(id__gt=last).order_by("id")[:CHUNK]):
        people = Person.objects.in_bulk({message.recipient for message in batch})
        for message in batch:
            person = people[message.recipient]
            yield Letter(
                name=person.name,
                address=str(person.address or person.employer),
                text=notifications.text_of(message),
                reference=f"L{message.pk:08d}",
                written_on=timezone.localdate(message.created_at),
            )
        last = batch[-1].pk
