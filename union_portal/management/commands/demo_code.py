"""`manage.py demo_code NAME`: the six digits a demo account needs to log in now."""

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Print the current code of a demo account's second factor."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        if not settings.EMBEDDED:
            raise CommandError("Only the demo tells codes: run it through ./portal.")
        factor = Authenticator.objects.filter(
            user__username=username, type=Authenticator.Type.TOTP
        ).first()
        if factor is None:
            raise CommandError(f"There is no account “{username}” with a code.")
        secret = get_adapter().decrypt(factor.data["secret"])
        counter = next(iter(auth.yield_hotp_counters_from_time()))
        self.stdout.write(auth.format_hotp_value(auth.hotp_value(secret, counter)))
