"""The pages without their scope: as if every list, look-up and button had forgotten to ask.

Everybody may everything, everywhere, and own-row filters let all rows through; what still keeps
people and money from who has no business with them is the database alone.
"""

from __future__ import annotations

from itertools import product
from typing import Any
from uuid import UUID

import pytest
from django.db.models import Q
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.test import Client, RequestFactory
from django.urls import reverse

import awards.queries
from awards.models import SubsidyCase
from members.models import BenefitOffer, Merchant
from tests.cast import Cast
from tests.kernel.test_row_security import page_of
from tests.web.awards_play import browser
from tests.web.scene import pages, place_of, play
from tests.web.test_own_rows import OWNED, others, telling
from tests.web.test_reach import NOBODYS, alike, holder, rows
from union_portal import access, shown_to
from union_portal.access import Role
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.models import Account, Decision, Job, Organization
from union_portal.views import jobs

pytestmark = pytest.mark.django_db
# Shown to the public, or to every account: see shown_to.py.
KNOWN_TO_ALL = {"union_portal.notice", "awards.subsidyround"} | {
    f"members.{name}"
    for name in (
        "merchant",
        "merchantagreement",
        "merchantplace",
        "benefitoffer",
        "benefitprogramme",
    )
}


@pytest.fixture
def scene(cast: Cast) -> Cast:
    play(cast)
    return cast


@pytest.fixture
def unscoped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question that Python asks about reach and ownership is answered with yes."""

    def reach(account: Account, permission: Any, **more: Any) -> list[str]:
        return [""] if account.is_authenticated else []

    monkeypatch.setattr(access, "reach", reach)
    monkeypatch.setattr(access, "scope", lambda *args, **more: Q(pk__isnull=False))
    monkeypatch.setattr(
        ScopedModelAdmin, "get_queryset", lambda self, request: self.model._default_manager.all()
    )
    monkeypatch.setattr(awards.queries, "cases_of", lambda person: SubsidyCase.objects.all())
    monkeypatch.setattr(awards.queries, "decisions_of", lambda person: Decision.objects.all())
    monkeypatch.setattr(Merchant, "offers", property(lambda merchant: BenefitOffer.objects))
    monkeypatch.setattr(jobs, "_own", lambda request, job_id: get_object_or_404(Job, pk=job_id))


def closed(page: ScopedModelAdmin) -> bool:
    label = page.opts.label_lower
    return label in shown_to.SHOWN and label not in KNOWN_TO_ALL


def addresses(page: ScopedModelAdmin, pk: object) -> list[tuple[str, str]]:
    found = [("row", reverse(page.url_name("change"), args=[pk]))]
    return found + [
        (button.name, reverse(page.url_name("do"), args=[pk, button.name]))
        for button in page.buttons
    ]


def opened(client: Client, page: ScopedModelAdmin, row: Any) -> list[tuple[str, str]]:
    """What of a row answers otherwise than a row that does not exist."""
    found = []
    nobodys = UUID(int=1) if isinstance(row.pk, UUID) else NOBODYS
    pairs = zip(addresses(page, row.pk), addresses(page, nobodys), strict=True)
    for (what, there), (_same, nowhere) in pairs:
        for ask in (client.get, client.post) if what != "row" else (client.get,):
            if not alike(ask(there), ask(nowhere), row.pk, nobodys):
                found.append((page.opts.label, what))
    return found


def test_with_the_scope_off_the_rows_at_hand_do_open(scene, unscoped):
    """Else this file would prove nothing."""
    client = browser(holder("all", scene.tree.city, *Role))
    shut = [
        page.opts.label for page, row in rows() if closed(page) and not opened(client, page, row)
    ]
    assert shut == []


def test_with_the_scope_off_nothing_of_others_opens_to_staff(scene, unscoped):
    """Who holds every role beside and below, or elsewhere, for reading and writing alike."""
    tree = scene.tree
    below = Organization.objects.create(
        name="班组", level="grassroots", parent=tree.union, division_code=tree.union.division_code
    )
    faults = []
    for at, also in ((tree.sibling_union, below), (tree.other_county, tree.other_union)):
        client = browser(holder(f"all{at.pk}", at, *Role, also=also))
        for page, row in rows():
            if closed(page) and not place_of(page, row).startswith((at.path, also.path)):
                faults += [(at.name, *one) for one in opened(client, page, row)]
    assert not faults, faults


def asked_by(account: Account) -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = account
    return request


def lost(page: ScopedModelAdmin, account: Account) -> set[Any]:
    """Rows within the reader's reach that their list leaves out, because of what it joins."""
    request = asked_by(account)
    with page_of(account.pk):
        within = page.get_queryset(request).order_by().values_list("pk", flat=True)
        listed = page.get_changelist_instance(request).queryset
        return set(within) - {row.pk for row in listed}


def test_no_list_loses_a_row_to_what_it_joins(scene):
    """Row security hides what stands behind an inner join, and the row before it with it."""
    faults = []
    for at, role in product((scene.tree.city, scene.tree.county, scene.tree.union), Role):
        account = holder(f"{role}{at.pk}", at, role)
        for page in pages():
            if page.has_view_permission(asked_by(account)) and lost(page, account):
                faults.append((page.opts.label, at.name, role))
    assert faults == []


@pytest.mark.parametrize("name", sorted(set(OWNED) - {"mfa_remove_webauthn", "mfa_edit_webauthn"}))
def test_with_the_scope_off_no_numbered_row_opens_to_somebody_else(scene, unscoped, name):
    row, owner = OWNED[name]
    given = row(scene)
    for who, account in others(scene).items():
        assert telling(account, name, given) == [], who
    assert telling(getattr(scene, owner), name, given) != [], "no row at all"
