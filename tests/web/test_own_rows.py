"""Addresses that carry the number of a row, off the staff pages: only its owner gets an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse

from awards.models import SubsidyCase
from members.models import BenefitOffer, FamilyMember, ImportRun, MerchantLogin, Redemption
from tests.cast import Cast, make_account, make_person
from tests.members.benefits import give_login, make_merchant
from tests.roles import the_superuser
from tests.web.awards_play import browser
from tests.web.scene import play
from tests.web.test_reach import NOBODYS, alike, holder
from tests.web.walk import is_endpoint, patterns
from union_portal.access import Role
from union_portal.models import Account, Appeal, Decision, Job, StoredFile
from welfare.models import MerchantStatement, StatementLine

pytestmark = pytest.mark.django_db
# Served by Django's admin alone: no row of ours is behind them, or the whole tree is walked.
NO_ROW = {"admin:view_on_site", "admin:app_list", "admin:admin/(?P<url>.*)$"}
# Public rows, the same for everybody; what may be public is tested with the public pages.
FOR_ALL = {
    "portal:notice", "portal:objection-file", "members:offer",
    # What a member does with a public offer is a row of their own.
    "members:offer-keep", "members:complaint-file",
}  # fmt: skip


def case(cast: Cast) -> dict[str, Any]:
    return {"case_id": SubsidyCase.objects.get(person=cast.lin_person, round=None).pk}


def appeal(cast: Cast) -> dict[str, Any]:
    """Lin's case, as if it had been refused and contested."""
    given, contested = case(cast), Appeal.objects.get()
    with the_superuser():
        SubsidyCase.objects.filter(pk=given["case_id"]).update(decision=contested.decision)
        Decision.objects.filter(pk=contested.decision_id).update(
            subject_type="awards.subsidycase", subject_id=str(given["case_id"])
        )
    return {**given, "appeal_id": contested.pk}


def run(cast: Cast) -> dict[str, Any]:
    return {"run_id": ImportRun.objects.get().pk}


def job(cast: Cast) -> dict[str, Any]:
    return {"job_id": Job.objects.get(title="A job").pk}


def file(cast: Cast) -> dict[str, Any]:
    return {"file_id": StoredFile.objects.get(name="people.csv").pk}


def relative(cast: Cast) -> dict[str, Any]:
    return {"member_id": FamilyMember.objects.get(person=cast.lin_person).pk}


def key(cast: Cast) -> dict[str, Any]:
    made = Authenticator.objects.create(
        user=cast.lin, type=Authenticator.Type.WEBAUTHN, data={"name": "key", "credential": {}}
    )
    return {"pk": made.pk}


def drafted(cast: Cast) -> dict[str, Any]:
    """A draft of the merchant whose till it is, and of nobody else's."""
    login = MerchantLogin.objects.get(account=cast.till)
    offer = BenefitOffer.objects.filter(merchant=login.merchant, state="draft").first()
    assert offer is not None
    return {"offer_id": offer.pk}


def statement(cast: Cast) -> dict[str, Any]:
    """The month of the merchant whose till it is."""
    return {"statement_id": MerchantStatement.objects.get(merchant__logins__account=cast.till).pk}


def line(cast: Cast) -> dict[str, Any]:
    counted = StatementLine.objects.filter(state="counted", **statement(cast)).first()
    assert counted is not None
    return {**statement(cast), "position": counted.position}


def paper(cast: Cast) -> dict[str, Any]:
    return {**statement(cast), "kind": "pdf"}


def use(cast: Cast) -> dict[str, Any]:
    return {"use_id": Redemption.objects.get(person=cast.lin_person).pk}


# By the name of the address: the row, and who of the cast it belongs to.
OWNED: dict[str, tuple[Callable[[Cast], dict[str, Any]], str]] = {
    "awards:subsidy-case": (case, "lin"),
    "awards:subsidy-complete": (case, "lin"),
    "awards:subsidy-take-back": (case, "lin"),
    "awards:subsidy-appeal": (case, "lin"),
    "awards:appeal-take-back": (appeal, "lin"),
    "admin:members_importrun_findings": (run, "qiao"),
    "admin:members_importrun_preview": (run, "qiao"),
    "members:family-remove": (relative, "lin"),
    "members:shop-offer": (drafted, "till"),
    "portal:job": (job, "officer"),
    "portal:job-cancel": (job, "officer"),
    "portal:job-retry": (job, "officer"),
    "portal:file": (file, "qiao"),
    "members:use-rate": (use, "lin"),
    "members:till-done": (use, "till"),
    "members:till-undo": (use, "till"),
    "welfare:statement": (statement, "till"),
    "welfare:statement-accept": (statement, "till"),
    "welfare:statement-paper": (paper, "till"),
    "welfare:line-dispute": (line, "till"),
    "mfa_remove_webauthn": (key, "lin"),
    "mfa_edit_webauthn": (key, "lin"),
}


def numbered() -> set[str]:
    """Names of the addresses that carry a number, the staff pages' own ones left out."""
    return {
        name
        for name, route, pattern in patterns()
        if "<" in route
        and not is_endpoint(pattern)
        and "<path:object_id>" not in route
        and not name.endswith("_list_do")
    } - NO_ROW


def test_every_numbered_address_has_a_rule():
    assert numbered() - set(OWNED) - FOR_ALL == set()
    assert set(OWNED) <= numbered()


@pytest.fixture
def scene(cast: Cast) -> Cast:
    play(cast)
    return cast


def others(cast: Cast) -> dict[str, Account]:
    neighbour = make_account("neighbour")
    make_person(cast.tree.union, account=neighbour)
    everything = holder("elsewhere", cast.tree.other_county, *Role)
    rival = give_login(cast, make_merchant(cast), "rival").account
    return {
        "a member": neighbour, "a stranger": cast.wei, "staff elsewhere": everything,
        "another merchant": rival,
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(OWNED))
def test_a_row_of_somebody_else_is_as_good_as_none(scene, name):
    row, owner = OWNED[name]
    given = row(scene)
    for who, account in others(scene).items():
        assert telling(account, name, given) == [], who
    assert telling(getattr(scene, owner), name, given) != [], "no row at all"


def telling(account: Account, name: str, given: dict[str, Any]) -> list[str]:
    """The ways of asking by which a row is told from one that does not exist."""
    last = list(given)[-1]
    nobodys = UUID(int=1) if isinstance(given[last], UUID) else NOBODYS
    there = reverse(name, kwargs=given)
    nowhere = reverse(name, kwargs={**given, last: nobodys})
    client = browser(account)
    return [
        ask.__name__
        for ask in (client.get, client.post)
        if not alike(ask(there), ask(nowhere), given[last], nobodys)
    ]
