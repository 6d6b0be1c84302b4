"""What a browser never sends: numbers past all numbers, letters that are none, forged origins."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction
from django.db.models import Value, functions
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from awards.models import SubsidyCase
from members.queries.benefits import shown_offers
from tests.cast import Cast
from tests.roles import the_superuser
from tests.web.awards_play import apply, browser, lin_may_apply, lins_case
from tests.web.scene import pages, play, row_of
from tests.web.test_reach import holder
from tests.web.walk import address, patterns
from union_portal.access import Role
from union_portal.fields import SealedTextField
from union_portal.models import Notice

pytestmark = pytest.mark.django_db
HUGE = 10**30


# -- parameters -------------------------------------------------------------------------------
HOSTILE = (str(HUGE), "%ff%fe", "%27%22%3E%3Cscript%3E%7B%7B7*7%7D%7D", "%0d%0aX:%20y", "-1")
NAMES = ("q", "p", "page", "o", "next", "ground")
# The values move along the names: whoever reads a parameter meets three of them.
ASKED = [
    "&".join(f"{name}={HOSTILE[(turn + at) % len(HOSTILE)]}" for at, name in enumerate(NAMES))
    for turn in range(3)
]


def places() -> list[str]:
    """Every address but the way out."""
    found = {address(route, pattern) for _name, route, pattern in patterns()}
    return sorted(found - {reverse("account_logout")})


def test_no_parameter_breaks_a_page(cast: Cast):
    """Neither for a visitor nor for a member nor for whoever opens nearly every list."""
    play(cast)
    notice = reverse("portal:notice", args=[Notice.objects.latest("pk").pk])
    broken = []
    for client in (Client(), browser(cast.lin), browser(cast.gao)):
        client.raise_request_exception = False
        opens = [there for there in [*places(), notice] if client.get(there).status_code == 200]
        assert opens
        broken += [
            (there, asked)
            for there in opens
            for asked in ASKED
            if client.get(f"{there}?{asked}").status_code >= 500
        ]
    assert broken == []


@pytest.mark.parametrize("there", ["/honours/?q=%00", "/honours/?q=a%00b", "/honours/%00"])
def test_a_nul_in_an_address_is_refused_before_any_search(there: str):
    assert Client(raise_request_exception=False).get(there).status_code == 400


def test_a_number_past_all_numbers_is_as_good_as_none(cast: Cast):
    client = browser(cast.gao)
    client.raise_request_exception = False
    broken = []
    for _name, route, _pattern in patterns():
        number = HUGE if route.startswith("admin/") else 2**63
        there = re.sub(r"<int:\w+>|<path:\w+>|<str:object_id>", str(number), route)
        if there != route:
            there = "/" + re.sub(r"<[^>]+>", "nothing", there)
            broken += [there] if client.get(there).status_code >= 500 else []
    assert broken == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"login": {"$ne": 1}, "password": []}'),
        ("text/xml", b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx"),
        ("application/x-www-form-urlencoded; charset=utf-7", b"login=+ADw-&password=x"),
        ("application/x-www-form-urlencoded; charset=nothing", b"login=a&password=x"),
        ("application/x-www-form-urlencoded", b"login=%00&password=%00"),
        ("application/x-www-form-urlencoded", b"login=%ff%fe&password=%ed%a0%80"),
        ("application/x-www-form-urlencoded", b"&".join(b"login=x" for _ in range(2000))),
        ("application/x-www-form-urlencoded", b"login=" + b"x" * 3_000_000),
        ("application/x-www-form-urlencoded", b"login[]=a&login[x]=b&__proto__=c"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("door", ["account_login", "members:first-login"])
def test_a_body_that_no_form_sends_is_refused_or_empty(door: str, kind: str, body: bytes):
    client = Client(raise_request_exception=False)
    answer = client.generic("POST", reverse(door), body, content_type=kind)
    assert answer.status_code in {200, 400, 413, 422}
    assert "_auth_user_id" not in client.session
    assert b"root:" not in answer.content


@pytest.mark.parametrize("cookie", ["", "a" * 5000, "' OR 1=1 --", "../../etc/passwd", "{{7*7}}"])
def test_a_cookie_that_we_did_not_make_is_nobodys(cookie: str):
    client = Client(raise_request_exception=False)
    for name in ("sessionid", "csrftoken", "django_language"):
        client.cookies[name] = cookie
    assert client.get(reverse("members:me")).status_code == 302
    page = client.get("/")
    assert (page.status_code, page.headers["Content-Language"]) == (200, "zh-hans")


def test_a_parameter_that_comes_twice_counts_once_and_only_where_the_form_has_it(cast: Cast):
    lin_may_apply(cast)
    client = browser(cast.lin)
    answer = apply(client, asked=["1000", "2000"], ground="illness")
    assert answer.status_code == 302
    case = lins_case(cast)
    assert case.asked_fen == 200_000
    beside = client.post(f"/me/subsidies/{case.pk}/take-back/?reason=x&asked=1&state=approved")
    assert beside.status_code in {302, 422}
    case.refresh_from_db()
    assert case.asked_fen == 200_000


def test_a_field_that_the_form_does_not_have_is_not_written(cast: Cast):
    lin_may_apply(cast)
    apply(
        browser(cast.lin),
        state="decided", person=cast.wei.pk, person_id=1, amount_fen=999_999, asked_fen=1,
        decision=1, visited_by=cast.lin.pk, id=HUGE, number="X-1", is_staff="on",
    )  # fmt: skip
    case = SubsidyCase.objects.get()
    assert (case.person_id, case.state) == (cast.lin_person.pk, "submitted")
    assert (case.asked_fen, case.number != "X-1") == (400_000, True)


def test_an_account_gives_itself_no_power_by_a_field_more(cast: Cast):
    client = browser(cast.lin)
    for there in ("account_change_password", "set_language", "portal:security"):
        client.post(reverse(there), {"is_superuser": "on", "is_staff": "on", "username": "gao"})
    cast.lin.refresh_from_db()
    assert (cast.lin.is_superuser, cast.lin.is_staff, cast.lin.username) == (False, False, "lin")


# -- other origins ------------------------------------------------------------------------------
def test_a_token_of_another_visitor_does_not_count(cast: Cast):
    first, second = Client(), Client(enforce_csrf_checks=True)
    page = first.get(reverse("account_login")).content.decode()
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page)
    assert token
    second.get(reverse("account_login"))
    form = {"login": "lin", "password": "x", "csrfmiddlewaretoken": token[1]}
    assert second.post(reverse("account_login"), form).status_code == 403


ELSEWHERE = (
    "https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example",
    "https:evil.example", "https:///evil.example", "javascript:alert(1)", "data:text/html,x",
    "\thttps://evil.example", "http://testserver@evil.example/", "http://testserver.evil.example/",
)  # fmt: skip


@pytest.mark.parametrize("there", ELSEWHERE)
def test_nobody_is_led_to_another_site(cast: Cast, there: str):
    cast.lin.set_password("seventeen grey camels")
    cast.lin.save()
    visitor = Client()
    said = [
        visitor.post(reverse("set_language"), {"language": "en", "next": there}),
        visitor.post(
            reverse("set_language"), {"language": "en"}, headers={"Referer": there.strip()}
        ),
        visitor.get(reverse("admin:login"), {"next": there}),
        visitor.post(
            reverse("account_login"),
            {"login": "lin", "password": "seventeen grey camels", "next": there},
        ),
        browser(cast.lin).post(reverse("account_logout"), {"next": there}),
        browser(cast.lin).get(reverse("account_login"), {"next": there}),
        browser(cast.officer).post(
            reverse("account_reauthenticate"), {"password": "x", "next": there}
        ),
        visitor.get("/nothing/", headers={"Referer": there.strip()}),
    ]
    for answer in said:
        to = answer.headers.get("Location", "/")
        assert re.match(r"/(?![/\\])", to), to
        assert f'href="{there}' not in answer.content.decode()


# -- what was written by somebody -----------------------------------------------------------------
MARKUP = "\"'><script>x()</script>{{7*7}}{%x%}"
# Read by programs rather than by people: names of things, prints, keys.
WORDS = {
    "scheme", "template", "kind", "encoding", "topic", "clause", "pinyin", "password", "root",
    "previous", "chain", "owner", "bank_format", "sender", "route", "location", "sha256",
    "asked_for", "asked_from", "action", "arguments", "approval_tiers", "parameters",
    "required_steps", "schemes", "caller",
}  # fmt: skip
ENDINGS = ("_type", "_id", "path", "digest", "hash", "code", "key", "index", "fingerprint")


# What the database refuses even from its owner: a view, and names that a check knows by heart.
REFUSED = {
    "members.StagedRow.bank_name", "members.StagedRow.employer", "members.StagedRow.name",
    "union_portal.Job.name", "union_portal.StoredFile.purpose",
}  # fmt: skip
# No row of the scene holds such a text: files are staged while a worker reads them.
EMPTY = {
    "disbursement.Motion.detail", "members.CardBank.conditions",
    "members.ImportRun.fault_params", "members.ImportRun.result",
    "members.StagedPerson.account_holder", "members.StagedPerson.bank_name",
    "members.StagedPerson.employer", "members.StagedPerson.extra",
    "members.StagedPerson.initials", "members.StagedPerson.name", "members.StagedRow.extra",
    "members.PersonMerge.moved", "members.RetentionRun.counts",
    "union_portal.Job.result",
}  # fmt: skip
# Texts in JSON that are read by programs, by the name of their key.
KEYS = {"message", "kind", "code"}


def _is_told(field: models.Field) -> bool:
    """Whether people read the column: text, sealed or not, and texts within JSON."""
    if isinstance(field, SealedTextField):
        return True
    if field.name in WORDS or field.name.endswith(ENDINGS):
        return False
    if isinstance(field, models.JSONField):
        return True
    return (
        type(field) in {models.CharField, models.TextField}
        and not field.choices
        and not field.unique
        and not field.primary_key
        and (field.max_length or 999) >= len(MARKUP) + 4
    )


def _marked(value: Any, key: str = "") -> Any:
    """A value of JSON with the markup for each of its texts; the names of its keys are ours."""
    if isinstance(value, dict):
        return {name: _marked(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_marked(one, key) for one in value]
    return MARKUP if isinstance(value, str) and key not in KEYS else value


def _marked_seal(text: str | None) -> str:
    """What is to be sealed instead: the markup, or a statement that holds it."""
    is_statement = (text or "").startswith("{")
    return json.dumps(_marked(json.loads(text or ""))) if is_statement else MARKUP


def _write(model: type[models.Model], field: models.Field) -> int:
    """Put the markup into a column of every row; how many rows hold it now."""
    rows = model._base_manager
    if isinstance(field, SealedTextField | models.JSONField):
        put = _marked_seal if isinstance(field, SealedTextField) else _marked
        held = [(pk, value, put(value)) for pk, value in rows.values_list("pk", field.name)]
        return sum(
            rows.filter(pk=pk).update(**{field.name: marked})
            for pk, value, marked in held
            if marked != value
        )
    # With the row's number: some names are taken once.
    text = functions.Concat(Value(MARKUP), functions.Cast("pk", models.TextField()))
    return rows.update(**{field.name: text})


def fill() -> dict[str, int | None]:
    """Write markup into every text that people read, past every guard.

    By column: how many rows hold it now; nothing where the database refused.
    """
    ours = {"union_portal", "members", "welfare", "disbursement", "awards", "events"}
    filled: dict[str, int | None] = {}
    with the_superuser():
        for model in apps.get_models():
            for field in filter(_is_told, model._meta.local_fields):
                if model._meta.app_label in ours:
                    name = f"{model._meta.label}.{field.name}"
                    try:
                        with transaction.atomic():
                            filled[name] = _write(model, field)
                    except DatabaseError:
                        filled[name] = None
    return filled


WRITES = re.compile(
    r"(?:\d+ times: )?(?:SET LOCAL [\w.]+ = '[^']*';\s*)?\s*(?:WITH\b.*?[()]\s*)?"
    r"(?:INSERT INTO|UPDATE(?: ONLY)?|DELETE FROM(?: ONLY)?|TRUNCATE(?: TABLE)?|MERGE INTO|CALL)"
    r'\s+"?(?P<table>\w+)',
    re.IGNORECASE | re.DOTALL,
)
# A page may note that somebody is there and that a message was read.
NOTED = {"django_session", "union_portal_cache", "union_portal_message", "usersessions_usersession"}


def written(asked: CaptureQueriesContext) -> list[str]:
    """The statements that wrote, of those sent: with their reader before them, alone or many."""
    found = ((WRITES.match(query["sql"]), query["sql"]) for query in asked.captured_queries)
    return [sql[:160] for match, sql in found if match and match["table"] not in NOTED]


def test_a_page_that_writes_is_found(cast: Cast, settings: Any):
    settings.ROOT_URLCONF = "tests.web.hostile_urls"
    client = browser(cast.lin)
    with CaptureQueriesContext(connection) as asked:
        assert client.get("/writes/").status_code == 200
    assert len(written(asked)) == 3, written(asked)


PORTAL = (
    "/", "/notices/", "/honours/", "/me/", "/me/messages/", "/me/subsidies/", "/offers/",
    "/me/complaints/", "/account/sessions/",
)  # fmt: skip


def shown() -> list[str]:
    """Lists, rows and the pages behind their buttons; what members and the public read."""
    found = list(PORTAL)
    # An application shows more than the case of a round.
    cases = SubsidyCase.objects.values_list("pk", flat=True)
    found += [reverse("admin:awards_subsidycase_change", args=[pk]) for pk in cases]
    found += [f"/offers/{pk}/" for pk in shown_offers().values_list("pk", flat=True)]
    found += [f"/notices/{pk}/" for pk in Notice.objects.values_list("pk", flat=True)]
    for page in pages():
        found.append(reverse(page.url_name("changelist")))
        row = row_of(page)
        if row is not None:
            found.append(reverse(page.url_name("change"), args=[row.pk]))
            found += [reverse(page.url_name("do"), args=[row.pk, b.name]) for b in page.buttons]
    return found


def test_what_stands_in_a_column_is_shown_as_text_and_being_read_changes_nothing(cast: Cast):
    """As if markup had come past every form, and as if a link to each page were laid out."""
    play(cast)
    filled = fill()
    assert {name for name, rows in filled.items() if rows is None} == REFUSED
    assert {name for name, rows in filled.items() if rows == 0} == EMPTY
    assert len(filled) - len(REFUSED) - len(EMPTY) > 80
    alive, changed, seen = [], [], 0
    mighty = holder("mighty", cast.tree.city, *Role)
    mine = [*PORTAL, *(f"/me/subsidies/{case.pk}/" for case in cast.lin_person.subsidy_cases.all())]
    for account, places_of in ((cast.gao, shown()), (mighty, shown()), (cast.lin, mine)):
        client = browser(account)
        client.raise_request_exception = False
        for there in places_of:
            with CaptureQueriesContext(connection) as asked:
                answer = client.get(there)
            changed += [(there, sql) for sql in written(asked)]
            text = "" if answer.streaming else answer.content.decode()
            seen += "&lt;script&gt;x()" in text
            is_run = "<script>x()" in text or "/script&gt;49" in text or "</script>49" in text
            if is_run or answer.status_code >= 500:
                alive.append((there, answer.status_code))
    assert (alive, changed) == ([], [])
    assert seen > 100


# -- what goes wrong ----------------------------------------------------------------------------
def test_an_error_of_ours_tells_its_number_and_nothing_else(
    cast: Cast, settings: Any, caplog: pytest.LogCaptureFixture
):
    settings.ROOT_URLCONF = "tests.web.hostile_urls"
    client = browser(cast.lin)
    client.raise_request_exception = False
    answer = client.get("/fails/")
    text = answer.content.decode()
    assert answer.status_code == 500
    for told in ("Traceback", "RuntimeError", "secret", "SELECT", "hostile_urls", "/site-packages"):
        assert told not in text
    assert "RuntimeError" in caplog.text


def test_a_database_that_is_away_is_an_error_and_opens_nothing(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
):
    from django.db import OperationalError

    from union_portal import access

    client = browser(cast.officer)
    client.raise_request_exception = False

    def away(*_asked: object, **_more: object) -> bool:
        raise OperationalError("could not connect to server: 10.0.0.7:5432")

    monkeypatch.setattr(access, "may", away)
    answer = client.get(reverse("admin:index"))
    assert answer.status_code >= 500
    assert b"10.0.0.7" not in answer.content
