"""What carries a text out of the portal: the outbox, an SMS provider over HTTPS, a mail server."""

from __future__ import annotations

import hmac
import json
import urllib.request
from hashlib import sha256
from typing import Any, Protocol
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage

_HERE = frozenset({"127.0.0.1", "::1", "localhost"})


class GatewayError(Exception):
    """The gateway did not take the message; it is tried again later."""


class Gateway(Protocol):
    """Carries one text. `reference` is the same on every try of one message."""

    name: str

    def send(self, *, number: str, text: str, reference: str) -> str:
        """Return the gateway's own reference. Raises GatewayError."""


class OutboxGateway:
    """Sends nothing: the text stays in the outbox, readable by staff."""

    name = "outbox"

    def send(self, *, number: str, text: str, reference: str) -> str:
        return f"outbox-{reference}"


class _StandStill(urllib.request.HTTPRedirectHandler):
    """A gateway that sends us elsewhere is not believed: a phone number goes to one address."""

    def redirect_request(self, *asked: Any, **more: Any) -> None:
        return None


def _is_safe(url: str) -> bool:
    """HTTPS, or a program on this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)


class HttpGateway:
    """POSTs JSON signed with HMAC-SHA256 to SMS_HTTP_URL, over HTTPS, to that address alone.

    The body is {"number", "text", "reference"}; the answer's "id" is kept as the reference.
    Providers differ: an own class with `send` is named in PORTAL_SMS_GATEWAY.
    """

    name = "http"

    def send(self, *, number: str, text: str, reference: str) -> str:
        url, key = settings.SMS_HTTP_URL, settings.SMS_HTTP_KEY
        if not _is_safe(url):
            raise GatewayError("SMS_HTTP_URL is no https address")
        body = json.dumps({"number": number, "text": text, "reference": reference}).encode()
        request = urllib.request.Request(  # noqa: S310  (scheme checked above)
            url,
            data=body,
            headers={
                "Content-Type": "application/json",
                "X-Signature": hmac.new(key.encode(), body, sha256).hexdigest(),
                "Idempotency-Key": reference,
            },
        )
        try:
            with _opener.open(request, timeout=10) as answer:
                return str(json.load(answer)["id"])[:80]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise GatewayError(type(error).__name__) from error


_opener = urllib.request.build_opener(_StandStill)


class EmailGateway:
    """Sends through Django's mail server of PORTAL_EMAIL_URL; the first line is the subject."""

    name = "email"

    def send(self, *, number: str, text: str, reference: str) -> str:
        subject, _line, body = text.partition("\n")
        letter = EmailMessage(
            subject,
            body.strip() + "\n",
            to=[number],
            headers={"Message-ID": f"<{reference}.message@union-portal>"},
        )
        try:
            letter.send()
        except (OSError, ValueError) as error:
            raise GatewayError(type(error).__name__) from error
        return f"email-{reference}"
