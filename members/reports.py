"""Letters that wait to be posted, and a person's copy of their own data."""

from collections.abc import Iterator
from pathlib import Path

from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members import own_data
from members.actions import copies
from members.models import Person
from union_portal import notifications, queue, reports
from union_portal.access import Permission
from union_portal.kit import pdf
from union_portal.letters import Letter, print_letters
from union_portal.models import Channel, Message, Organization, ReportRun
from union_portal.states import MessageState

CHUNK = 500


@reports.report("letters", title=_("Letters to post"), permission=Permission.NOTICE_PREPARE)
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


@reports.report(
    "my_data_pdf", title=_("Copy of my data (PDF)"), permission=None, purpose=copies.PURPOSE
)
def my_data_pdf(run: queue.Run, report: ReportRun, out: Path) -> reports.Produced:
    """Everything that the portal holds of the person, to read and to print."""
    pdf.require_pango()
    person = Person.objects.get(pk=report.subject_id)
    folder = out / "sections"
    folder.mkdir()
    with translation.override(report.parameters["language"]):
        printed = own_data.print_copy(
            person,
            out / "my-data.pdf",
            folder=folder,
            made_at=report.requested_at,
            witness=reports.witness(),
            progress=run.progress,
        )
    return reports.Produced(
        path=printed.path,
        pages=printed.pages,
        digest=printed.digest,
        name=f"my-data-{timezone.localdate(report.requested_at):%Y%m%d}.pdf",
    )


@reports.report(
    "my_data_json", title=_("Copy of my data (JSON)"), permission=None, purpose=copies.PURPOSE
)
def my_data_json(run: queue.Run, report: ReportRun, out: Path) -> reports.Produced:
    """The same for machines."""
    person = Person.objects.get(pk=report.subject_id)
    with translation.override(report.parameters["language"]):
        digest = own_data.write_json(
            person, out / "my-data.json", made_at=report.requested_at, witness=reports.witness()
        )
    return reports.Produced(
        path=out / "my-data.json",
        pages=0,
        digest=digest,
        name=f"my-data-{timezone.localdate(report.requested_at):%Y%m%d}.json",
        content_type="application/json",
    )
