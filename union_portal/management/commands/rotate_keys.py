"""`manage.py rotate_keys`: seal everything anew with the newest key, while the portal works."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from union_portal import keys


class Command(BaseCommand):
    help = (
        "Seal every encrypted value anew with the newest key. May be interrupted and run again. "
        "As the owner of the tables it reaches kept history too."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only count what is left")
        parser.add_argument("--chunk", type=int, default=keys.CHUNK, help="rows a transaction")

    def handle(self, *args: Any, check: bool, chunk: int, **options: Any) -> None:
        if not check:
            self._rotate(chunk)
        left = {str(column): column.outdated() for column in keys.columns()}
        left["second factors"] = keys.outdated_factors()
        for name, count in left.items():
            if count:
                self.stdout.write(f"{name}: {count}")
        total = sum(left.values())
        self.stdout.write(f"{total} left")
        if total and not check:
            raise CommandError(
                "Some values have an older key still. Where processes still seal with it, restart "
                "them with the new keyring; kept history is reached as the owner of the tables. "
                "Then run the command again."
            )

    def _rotate(self, chunk: int) -> None:
        for column in keys.columns():
            if column.may_be_resealed():
                self._tell(str(column), column.reseal(chunk=chunk))
        self._tell("second factors", keys.reseal_factors())

    def _tell(self, name: str, done: int) -> None:
        if done:
            self.stdout.write(f"{name}: {done} sealed anew")
            self.stdout.flush()
