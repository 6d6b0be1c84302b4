"""The clerk who answers an objection can call the objector back, and the log knows."""

import pytest
from django.urls import reverse

from tests.cast import TODAY, Cast, make_decision, make_open_entry, make_payee, make_rule_set
from tests.disbursement.conftest import make_office
from tests.web.awards_play import browser
from union_portal import notices
from union_portal.admin.pages import SEEN, print_of
from union_portal.models import AuditEntry, Decision, Objection
from welfare.disbursement import entitlements
from welfare.disbursement.models import Entitlement

pytestmark = pytest.mark.django_db
PHONE = "13800138000"


@pytest.fixture
def objection(cast: Cast) -> Objection:
    return contested(cast, make_decision(cast, make_rule_set(cast)))


def contested(cast: Cast, decision: Decision) -> Objection:
    """A visitor's objection to the decision, which stands on a notice that runs."""
    return notices.file_objection(
        entry=make_open_entry(cast, decision), objector="魏明", phone=PHONE,
        text="Not so at all.", is_body=False, by=None, today=TODAY,
    )  # fmt: skip


def page_of(objection: Objection, name: str = "") -> str:
    if name:
        return reverse("admin:union_portal_objection_do", args=[objection.pk, name])
    return reverse("admin:union_portal_objection_change", args=[objection.pk])


def test_the_page_shows_the_number_masked(cast: Cast, objection: Objection):
    page = browser(cast.officer).get(page_of(objection)).content.decode()
    assert "138****8000" in page
    assert PHONE not in page


def test_the_whole_number_is_shown_once_for_a_reason(cast: Cast, objection: Objection):
    client = browser(cast.officer)
    form = {SEEN: print_of(Objection.objects.get())}
    assert PHONE not in client.post(page_of(objection, "unmask"), form).content.decode()
    answer = client.post(page_of(objection, "unmask"), {**form, "reason": "to ask back"})
    assert PHONE in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert AuditEntry.objects.get(action="objection.unmask").reason == "to ask back"
    assert PHONE not in client.get(page_of(objection)).content.decode()


def test_an_old_log_in_is_asked_for_the_password_first(cast: Cast, objection: Objection):
    answer = browser(cast.officer, fresh=False).get(page_of(objection, "unmask"))
    assert answer.url.startswith(reverse("account_reauthenticate"))


@pytest.mark.parametrize("who", ["officer", "shi"])
def test_an_upheld_objection_frees_the_money_in_the_same_step(cast: Cast, who: str):
    office = make_office(cast)
    person = make_payee(cast)
    decision = make_decision(cast, office.rule_set, person)
    entitlements.grant(decision=decision, person=person, by=cast.officer)
    objection = contested(cast, decision)
    assert office.figures()["available_fen"] == office.figures()["appropriated_fen"] - 30_000
    form = {SEEN: print_of(objection), "upheld": "yes", "answer": "The honour was revoked."}
    answer = browser(getattr(cast, who)).post(page_of(objection, "answer"), form)
    assert answer.status_code == 302, answer.content.decode()
    owed = Entitlement.objects.get()
    assert owed.state == "withdrawn"
    assert office.figures()["available_fen"] == office.figures()["appropriated_fen"]
    shown = browser(cast.feng).get(reverse("admin:disbursement_entitlement_change", args=[owed.pk]))
    assert "the money is back in the fund" in shown.content.decode()


def test_what_an_objection_holds_back_is_not_counted_as_waiting(cast: Cast):
    office = make_office(cast)
    office.owe(1)
    person = make_payee(cast)
    decision = make_decision(cast, office.rule_set, person)
    owed = entitlements.grant(decision=decision, person=person, by=cast.officer)
    contested(cast, decision)
    desk = browser(cast.feng)
    listed = desk.get(reverse("admin:disbursement_payoutbatch_assemble"))
    assert [row["people"] for row in listed.context["waiting"]] == [1]
    front = desk.get(reverse("admin:index"))
    counts = {str(one["title"]): one["count"] for one in front.context["waiting"]}
    assert counts["People who wait for their money"] == 1
    shown = desk.get(reverse("admin:disbursement_entitlement_change", args=[owed.pk]))
    assert "an objection is open" in shown.content.decode()
