"""Every answer to everybody: what it tells the browser, to whom it opens, what it never serves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gunicorn
import pytest
from django.contrib.staticfiles.finders import get_finders
from django.test import Client
from django.urls import reverse
from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from gunicorn.http.parser import RequestParser

from tests.architecture.sources import ROOT
from tests.cast import Cast
from tests.web.awards_play import browser
from tests.web.walk import address, patterns
from union_portal.headers import METHODS

pytestmark = pytest.mark.django_db
STYLE = "/static/union_portal/portal.css"
Answer = Any


def policy(answer: Answer) -> dict[str, str]:
    parts = answer.headers.get("Content-Security-Policy", "").split(";")
    return dict(part.strip().partition(" ")[::2] for part in parts if part.strip())


def binds(directive: str) -> Callable[[Answer], bool]:
    return lambda answer: policy(answer).get(directive) == "'none'"


def says(header: str, value: str) -> Callable[[Answer], bool]:
    return lambda answer: answer.headers.get(header) == value


def _type_fits(answer: Answer) -> bool:
    """A body has a type, a text has its encoding, and a page of HTML says that it is one."""
    body = b"" if answer.streaming else answer.content
    kind = answer.headers.get("Content-Type", "")
    is_page = body.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html"))
    is_named = bool(kind) or not body
    is_read = "charset=" in kind if kind.startswith("text/") else True
    return is_named and is_read and (kind.startswith("text/html") or not is_page)


def _asks_the_device_for_nothing(answer: Answer) -> bool:
    """But the directory, which sorts its list in the page, and the form of a shop."""
    told = answer.headers["Permissions-Policy"]
    path = answer.request["PATH_INFO"]
    fills_in = re.search(r"/members/(merchant/\d+/do/place|merchantplace/\d+/do/change)/$", path)
    may = path == reverse("members:offer-list") and answer.status_code == 200
    if fills_in:
        may = b'id="position"' in answer.content
    return ("geolocation=(self)" if may else "geolocation=()") in told and "camera=()" in told


RULES: dict[str, Callable[[Answer], bool]] = {
    "a policy for scripts": lambda answer: bool(
        {"script-src", "default-src"} & set(policy(answer))
    ),
    "no plug-ins": binds("object-src"),
    "no other base": binds("base-uri"),
    "in nobody's frame": binds("frame-ancestors"),
    "no guessing of types": says("X-Content-Type-Options", "nosniff"),
    "no address told to others": says("Referrer-Policy", "same-origin"),
    "a window of its own": says("Cross-Origin-Opener-Policy", "same-origin"),
    "not for pages of others": says("Cross-Origin-Resource-Policy", "same-origin"),
    "no camera, no place": _asks_the_device_for_nothing,
    "open to no other origin": lambda answer: (
        not [name for name in answer.headers if name.lower().startswith("access-control-")]
    ),
    "a fitting type": _type_fits,
    "no word of what made it": lambda answer: not {"Server", "X-Powered-By"} & set(answer.headers),
}


def answers(client: Client) -> Iterator[tuple[str, Answer]]:
    """Every address, a file, a page that is not there, a method that is not known."""
    for _name, route, pattern in patterns():
        there = address(route, pattern)
        if there != reverse("account_logout"):
            yield there, client.get(there, headers={"Origin": "https://elsewhere.example"})
    yield STYLE, client.get(STYLE)
    yield "/nothing/", client.get("/nothing/")
    yield "PUT /", client.put("/")


def faults_of(client: Client) -> list[tuple[str, str]]:
    return [
        (there, rule)
        for there, answer in answers(client)
        for rule, holds in RULES.items()
        if not holds(answer)
    ]


def test_every_answer_to_a_visitor_binds_the_browser():
    assert faults_of(Client()) == []


@pytest.mark.parametrize("who", ["lin", "officer"])
def test_every_answer_to_a_session_binds_the_browser(cast: Cast, who: str):
    client = browser(getattr(cast, who))
    assert faults_of(client) == []


def test_a_file_is_kept_by_the_browser_and_says_its_type():
    answer = Client().get(STYLE)
    assert answer.headers["Content-Type"] == 'text/css; charset="utf-8"'
    assert "max-age" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("method", ["TRACE", "OPTIONS", "PUT", "PATCH", "DELETE", "PROPFIND", "XY"])
def test_only_the_methods_of_pages_and_forms_are_known(method: str):
    client = Client()
    known = [
        name
        for name, route, pattern in patterns()
        if client.generic(method, address(route, pattern)).status_code != 405
    ]
    # A program logs itself out.
    assert known == (["api:token-current"] if method == "DELETE" else [])
    assert client.generic(method, STYLE).headers["Allow"] == ", ".join(METHODS)


def test_nothing_in_front_tells_its_version():
    assert re.search(r"server_tokens\s+off;", (ROOT / "deploy/proxy.conf").read_text("utf-8"))
    assert re.search(r"\d", gunicorn.SERVER) is None


@pytest.mark.parametrize(
    "heads",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Content-Length: 5\r\nContent-Length: 6",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding : chunked",
        "Content-Length: +5",
    ],
)
def test_a_message_with_two_lengths_is_refused_by_the_server(heads: str):
    bytes_in = f"POST / HTTP/1.1\r\nHost: a\r\n{heads}\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n"
    parser = RequestParser(Config(), iter([bytes_in.encode()]), ("127.0.0.1", 1))
    with pytest.raises(ParseException):
        next(parser)


@pytest.mark.parametrize(
    "there",
    [
        "/.git/config", "/.git/HEAD", "/.env", "/.env.example", "/manage.py", "/pyproject.toml",
        "/docker-compose.yml", "/static/", "/static/union_portal/", "/media/", "/var/", "/docs/",
        "/static/../manage.py", "/static/%2e%2e/manage.py", "/static/..%2fmanage.py",
        "/static/union_portal/../../.env", "/metrics", "/debug/", "/__debug__/", "/api/schema/",
    ],
)  # fmt: skip
def test_what_lies_beside_the_pages_is_not_served(there: str):
    answer = Client().get(there)
    assert answer.status_code == 404
    assert b"SECRET" not in answer.content


def test_the_static_files_are_of_expected_kinds_and_none_holds_data():
    kinds = {
        Path(name).suffix.lower()
        for finder in get_finders()
        for name, _storage in finder.list([])
        if not Path(name).name.lower().startswith(("license", "readme", "vendored"))
    }
    expected = {
        ".css", ".js", ".svg", ".png", ".gif", ".jpg", ".ico", ".woff", ".woff2", ".ttf", ".eot",
        ".map", ".txt", ".html", ".md",
    }  # fmt: skip
    assert kinds - expected == set()


def test_the_end_of_a_session_clears_the_browser(cast: Cast):
    client = browser(cast.lin)
    assert "Clear-Site-Data" not in client.get(reverse("members:me")).headers
    answer = client.post(reverse("account_logout"))
    assert '"cache", "storage"' in answer.headers["Clear-Site-Data"]
    assert client.get(reverse("members:me")).status_code == 302


def test_a_session_that_idled_out_clears_the_browser(cast: Cast, settings: Any):
    client = browser(cast.lin)
    client.get(reverse("members:me"))
    settings.IDLE_SECONDS = -1
    assert "Clear-Site-Data" in client.get(reverse("members:me")).headers
