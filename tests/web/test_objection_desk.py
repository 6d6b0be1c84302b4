"""The clerk who answers an objection can call the objector back, and the log knows."""

import pytest
from django.urls import reverse

from tests.cast import TODAY, Cast, make_decision, make_rule_set
from tests.web.awards_play import browser
from union_portal import notices
from union_portal.admin.pages import SEEN, print_of
from union_portal.models import AuditEntry, Notice, NoticeEntry, Objection

pytestmark = pytest.mark.django_db
PHONE = "13800138000"


@pytest.fixture
def objection(cast: Cast) -> Objection:
    rules = make_rule_set(cast)
    notice = Notice.objects.create(
        title="Notice", scheme=rules.scheme, period="2026", organization=cast.tree.city,
        days=5, prepared_by=cast.officer,
    )  # fmt: skip
    entry = NoticeEntry.objects.create(
        notice=notice, decision=make_decision(cast, rules), position=1, shown_name="林*",
        amount_fen=30_000,
    )  # fmt: skip
    notices.publish(notice=notice, by=cast.officer, today=TODAY)
    return notices.file_objection(
        entry=entry, objector="魏明", phone=PHONE, text="Not so at all.", is_body=False, by=None,
        today=TODAY,
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
