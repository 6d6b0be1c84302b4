"""Every page and button of the staff site as every role, for rows in every relation to it.

The rows stand still (tests/web/scene.py, one behind every page); the readers move: at the row's
own union, above it, below it, beside it and elsewhere. What must open is what access.py grants
for the row's place; everything else answers exactly as if the row did not exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from tests.cast import TODAY, Cast, make_account
from tests.roles import the_superuser
from tests.web.awards_play import browser
from tests.web.scene import pages, place_of, play, row_of
from union_portal import access
from union_portal.access import Role
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.models import Account, Organization, RoleAssignment

pytestmark = pytest.mark.django_db
FOUND, GONE, FORBIDDEN = {200, 302}, 404, 403
NOBODYS = 987654321
# What differs between two answers to the same question: numbers of request and form.
PASSING = re.compile(
    rb'nonce="[^"]*"|nonce-[^\' ]*|csrfmiddlewaretoken" value="[^"]*"|once_key" value="[^"]*"'
    rb"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
)

# Heads that tell the length, and the second of the answer.
CLOCKED = {"Content-Length", "Expires"}


@pytest.fixture
def scene(cast: Cast) -> Cast:
    play(cast)
    return cast


def holder(name: str, at: Organization, *roles: Role, also: Organization | None = None) -> Account:
    """Somebody with these roles there, whatever the rules of granting say; `also` at a second."""
    account = make_account(name)
    account.is_staff = True
    account.save(update_fields=["is_staff"])
    with the_superuser():
        RoleAssignment.objects.bulk_create(
            RoleAssignment(account=account, role=role, organization=place, valid_from=TODAY)
            for place in filter(None, (at, also))
            for role in roles
        )
    return account


def targets(page: ScopedModelAdmin, pk: object) -> list[tuple[str, str]]:
    """Every address about one row: its page, its history and each of its buttons."""
    found = [("row", reverse(page.url_name("change"), args=[pk]))]
    found.append(("history", reverse(page.url_name("history"), args=[pk])))
    found.append(("delete", reverse(page.url_name("delete"), args=[pk])))
    return found + [
        (button.name, reverse(page.url_name("do"), args=[pk, button.name]))
        for button in page.buttons
    ]


def seen(answer: Any) -> tuple[int, bytes, list[tuple[str, str]]]:
    """An answer without what passes."""
    body = b"" if answer.streaming else PASSING.sub(b"", answer.content)
    heads = sorted((k, PASSING.sub(b"", v.encode()).decode()) for k, v in answer.items())
    return answer.status_code, body, [head for head in heads if head[0] not in CLOCKED]


def rows() -> Iterator[tuple[ScopedModelAdmin, Model]]:
    for page in pages():
        row = row_of(page)
        assert row is not None, f"{page.model.__name__} has no row: let tests/web/scene.py make one"
        yield page, row


def test_every_page_has_a_row_to_be_walked(scene):
    assert len(list(rows())) == len(pages())


def test_a_row_beside_below_or_elsewhere_is_as_good_as_none(scene):
    """Even to somebody who holds every role there, and for reading and writing alike.

    Two readers hold them, one beside the rows and below them, one elsewhere: each row is out of
    reach of at least one, and of both if it stands where nobody of them is.
    """
    tree = scene.tree
    faults = []
    below = Organization.objects.create(
        name="班组", level="grassroots", parent=tree.union, division_code=tree.union.division_code
    )
    for at, also in ((tree.sibling_union, below), (tree.other_county, tree.other_union)):
        client = browser(holder(f"all{at.pk}", at, *Role, also=also))
        reached = (at.path, also.path)
        for page, row in rows():
            if page.scope_path is None or place_of(page, row).startswith(reached):
                continue
            for (what, there), (_same, nowhere) in zip(
                targets(page, row.pk), targets(page, NOBODYS), strict=True
            ):
                for ask in (client.get, client.post):
                    answer, none = ask(there), ask(nowhere)
                    if answer.status_code in FOUND or not alike(answer, none, row.pk):
                        faults.append((at.name, page.opts.label, what, answer.status_code))
    assert faults == []


def alike(one: Any, other: Any, pk: object, nobodys: object = NOBODYS) -> bool:
    """Whether two answers tell the same, but for the number that was asked for."""
    numbers = "|".join(re.escape(str(number)) for number in (pk, nobodys))
    asked = re.compile(rf"(?<![\w-])({numbers})(?![\w-])")
    texts = []
    for answer in (one, other):
        status, body, heads = seen(answer)
        text = asked.sub("?", body.decode(errors="replace"))
        texts.append((status, text, [(name, asked.sub("?", value)) for name, value in heads]))
    return texts[0] == texts[1]


@pytest.mark.parametrize("role", Role)
def test_a_role_opens_what_it_is_granted_and_no_more(scene, role):
    """At the row's own union and at the federation above it."""
    faults = []
    for page, row in rows():
        if page.model is Account:
            continue
        place = page.organization_of(row) or scene.tree.city
        for at in {place, scene.tree.city}:
            account, client = reader_at(role, at)
            may_see = any(access.may(account, p, place) for p in page.view_permissions)
            status = client.get(reverse(page.url_name("change"), args=[row.pk])).status_code
            shown = page.model._default_manager.filter(pk=row.pk).exists() and status == 200
            if status == 200 and not may_see:
                faults.append((page.opts.label, at.name, "opens", status))
            if may_see and not shown and not narrows(page):
                faults.append((page.opts.label, at.name, "is closed", status))
            for button in page.buttons:
                url = reverse(page.url_name("do"), args=[row.pk, button.name])
                status = client.get(url).status_code
                allowed = access.may(account, button.permission, page.organization_of(row))
                if not (may_see and allowed) and status not in (GONE, FORBIDDEN):
                    faults.append((page.opts.label, at.name, button.name, status))
                if may_see and allowed and not narrows(page) and status >= 400:
                    faults.append((page.opts.label, at.name, button.name, status))
    assert faults == []


def narrows(page: ScopedModelAdmin) -> bool:
    """Pages that show less than the permission alone would: own jobs, one's own imports."""
    return "get_queryset" in vars(type(page))


_readers: dict[tuple[Any, int], tuple[Account, Client]] = {}


def reader_at(role: Role, at: Organization) -> tuple[Account, Client]:
    key = (connection.settings_dict["NAME"], at.pk, role)
    held = _readers.get(key)
    if held is None or not Account.objects.filter(pk=held[0].pk).exists():
        account = holder(f"{role}{at.pk}", at, role)
        held = _readers[key] = (account, browser(account))
    return held
