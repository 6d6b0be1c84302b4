"""`manage.py lapse_roles --dry-run`: which roles a review left unanswered, and end them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from union_portal import account_reviews


class Command(BaseCommand):
    help = "End the roles that nobody answered for by the day the review was due."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only tell which")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        today = timezone.localdate()
        for one in account_reviews.overdue(today=today):
            self.stdout.write(f"{one.account.username}: {one.role}, {one.organization}")
        count = 0 if dry_run else account_reviews.lapse(today=today)
        self.stdout.write("nothing was changed" if dry_run else f"{count} ended")
