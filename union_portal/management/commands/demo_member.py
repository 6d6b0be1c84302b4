"""`manage.py demo_member [NAME]`: what a newcomer needs to log in as a member of the demo."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from union_portal import notifications
from union_portal.demo import cast
from union_portal.demo.cast import Member
from union_portal.models import Message


class Command(BaseCommand):
    help = "Print a demo member's invented identity number, and the code that was sent last."

    def add_arguments(self, parser: CommandParser) -> None:
        names = ", ".join(member.username for member in cast.MEMBERS)
        parser.add_argument("name", nargs="?", help=f"one of {names}")

    def handle(self, *args: Any, name: str | None, **options: Any) -> None:
        if not settings.EMBEDDED:
            raise CommandError("Only the demo tells numbers and codes: run it through ./portal.")
        wanted = [one for one in cast.MEMBERS if name in (one.username, one.name)]
        if name is not None and not wanted:
            names = ", ".join(member.username for member in cast.MEMBERS)
            raise CommandError(f"There is no member “{name}” in the demo. There are: {names}")
        for member in wanted or cast.SHOWN:
            self._tell(member)

    def _tell(self, member: Member) -> None:
        person = member.person()
        if person is None:
            raise CommandError(f"{member.name} is not on the roster yet: ./portal demo")
        self.stdout.write(f"{member.username:<6} {member.name}  {member.identity().national_id}")
        message = (
            Message.objects.filter(topic="login_code", recipient=person.pk).order_by("-pk").first()
        )
        if message is not None:
            self.stdout.write(f"       {notifications.text_of(message)}")
