"""A program that calls the API as somebody, with a token made past the log-in."""

from __future__ import annotations

import itertools
from typing import Any

from django.test import Client
from django.utils import timezone

from union_portal import tokens
from union_portal.models import Account

HERE = "/api/v1"
PROBLEM = "application/problem+json"
JSON = "application/json"
_keys = itertools.count(1)


class Program:
    """Calls in English; without an account it has no token."""

    def __init__(self, account: Account | None = None, *, token: str = "", **heads: str) -> None:
        if account is not None:
            token = token_of(account)
        self.heads = {"Accept-Language": "en", **heads}
        if token:
            self.heads["Authorization"] = f"Bearer {token}"
        self.client = Client(raise_request_exception=False)

    def get(self, path: str, **asked: Any) -> Any:
        return self.client.get(HERE + path, asked, headers=self.heads)

    def post(self, path: str, body: Any = None, *, key: str | None = "", **heads: str) -> Any:
        """With a key of its own, unless one is given; None for none."""
        key = f"key-of-call-{next(_keys):08d}" if key == "" else key
        given = {**self.heads, **({"Idempotency-Key": key} if key else {}), **heads}
        return self.client.post(HERE + path, body or {}, content_type=JSON, headers=given)

    def delete(self, path: str) -> Any:
        return self.client.delete(HERE + path, headers=self.heads)

    def send(self, method: str, path: str, body: bytes = b"", kind: str = JSON, **more: Any) -> Any:
        heads = {**self.heads, **more}
        return self.client.generic(method, HERE + path, body, content_type=kind, headers=heads)


def token_of(account: Account, *, label: str = "Test", has_factor: bool = True) -> str:
    _row, text = tokens.issue(
        account=account,
        label=label,
        address="10.0.0.9",
        has_factor=has_factor,
        now=timezone.now(),
    )
    return text


def problem(answer: Any, status: int) -> str:
    """The code of a problem, which has its shape and tells no more than it must."""
    assert answer.status_code == status, (answer.status_code, answer.content[:2000])
    assert answer.headers["Content-Type"] == PROBLEM
    told = answer.json()
    assert told["status"] == status
    assert told["type"].endswith(told["code"]) and told["detail"] and told["request"]
    return str(told["code"])
