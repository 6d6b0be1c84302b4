"""manage.py grant_roles: let the database's roles do what the models tell, and nothing else."""

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from union_portal import privileges, row_security


class Command(BaseCommand):
    help = (
        "Bring the privileges of the database's roles in line with the models, and the policies "
        "of row security with their page, as the owner of the tables; `migrate` does the same at "
        "its end. With --check: tell every difference."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; fail if need be")

    def handle(self, *args: Any, **options: Any) -> None:
        if absent := privileges.missing_roles():
            raise CommandError(privileges.HOW_TO_MAKE_ROLES.format(" and ".join(absent)))
        if not options["check"]:
            self.stdout.write(f"{privileges.apply() + row_security.apply()} changed")
        elif faults := privileges.differences() + row_security.differences():
            raise CommandError("\n".join(faults))
        else:
            self.stdout.write("as the models tell")
