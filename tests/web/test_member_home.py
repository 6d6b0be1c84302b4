"""A member's home and the pages of their own data."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from awards.models import SubsidyCase
from awards.states import CaseState
from members.actions import consents, exports, people
from members.models import Consent, ConsentText, Correction, FamilyMember, RetentionRun
from tests.cast import TODAY, Cast, make_account, make_decision, make_person, make_rule_set
from tests.roles import the_superuser
from tests.web.awards_play import apply, browser, lin_may_apply, lins_case, photo
from tests.web.log_in import is_in, logged_in, may_log_in
from union_portal import files, notifications
from union_portal.access import Role
from union_portal.models import AuditEntry, Message
from union_portal.views import mine

pytestmark = pytest.mark.django_db
# What a page of a member may ask; the session and the reader are among it.
BUDGET = 20


@pytest.fixture
def texts(cast: Cast) -> list[ConsentText]:
    return consents.install_samples(
        by=cast.rules_clerk, second=cast.decider, today=timezone.localdate(), now=timezone.now()
    )


def tasks(cast: Cast) -> dict[str, str]:
    return {one.key: one.text for one in mine.waiting(cast.lin_person.pk)}


def a_message(cast: Cast, key: str = "1") -> Message:
    notifications.template("home_test", text="Told")
    return notifications.queue_portal_message(
        topic="home", key=key, template="home_test", recipient=cast.lin_person.pk,
        subject=cast.lin_person,
    )  # fmt: skip


# -- the home -----------------------------------------------------------------------------------
def test_the_home_says_what_waits_and_what_can_be_done(cast: Cast, texts: Any):
    a_message(cast)
    page = browser(cast.lin).get(reverse("members:me"))
    shown = page.content.decode()
    assert "1 message that you have not read" in shown
    assert "1 consent waits for your answer" in shown
    for service in mine.services(cast.lin_person.pk):
        assert str(service.title) in shown and service.link() in shown


def test_whoever_has_nothing_to_do_is_told_so(cast: Cast):
    assert "Nothing waits for you." in browser(cast.lin).get(reverse("members:me")).content.decode()


def test_a_message_waits_until_it_was_opened(cast: Cast):
    a_message(cast)
    assert "unread_messages" in tasks(cast)
    assert ">unread<" in browser(cast.lin).get(reverse("members:message-list")).content.decode()
    assert "unread_messages" not in tasks(cast)
    first = Message.objects.get().read_at
    again = browser(cast.lin).get(reverse("members:message-list")).content.decode()
    assert ">unread<" not in again
    assert Message.objects.get().read_at == first


def test_a_message_that_went_two_ways_stands_once_and_says_both(cast: Cast):
    here = a_message(cast)
    notifications.queue_to_number(
        topic=here.topic, key=here.key, template=here.template, recipient=cast.lin_person.pk,
        number="13800138000", subject=cast.lin_person,
    )  # fmt: skip
    notifications.send_pending()
    client = browser(cast.lin)
    assert "1 message that you have not read" in client.get(reverse("members:me")).content.decode()
    shown = client.get(reverse("members:message-list")).content.decode()
    assert shown.count("Told") == 1
    assert "portal message (sent)" in shown and "SMS (sent)" in shown
    assert "unread_messages" not in tasks(cast)


def test_a_text_message_without_a_twin_in_the_portal_is_read_there_all_the_same(cast: Cast):
    notifications.template("home_test", text="Told")
    notifications.queue_to_number(
        topic="home", key="1", template="home_test", recipient=cast.lin_person.pk,
        number="13800138000", subject=cast.lin_person,
    )  # fmt: skip
    notifications.send_pending()
    shown = browser(cast.lin).get(reverse("members:message-list")).content.decode()
    assert shown.count("Told") == 1 and "SMS (sent)" in shown


def test_an_application_to_complete_stands_first(cast: Cast):
    lin_may_apply(cast)
    apply(browser(cast.lin))
    a_message(cast)
    case = lins_case(cast)
    with the_superuser():
        SubsidyCase.objects.filter(pk=case.pk).update(state=CaseState.RETURNED)
    found = mine.waiting(cast.lin_person.pk)
    assert found[0].key == "subsidy_to_complete" and found[0].is_urgent
    assert case.number in found[0].text
    assert found[0].link == reverse("awards:subsidy-complete", args=[case.pk])


def test_a_refusal_waits_until_its_last_day_to_appeal(cast: Cast):
    lin_may_apply(cast)
    apply(browser(cast.lin))
    case = lins_case(cast)
    today = timezone.localdate()
    rules = make_rule_set(cast, "special_hardship", appeal_days=10, valid_to=today)
    for days, waits in ((10, True), (11, False)):
        decision = make_decision(
            cast, rules, outcome="refused", amount_fen=0, subject_type="awards.subsidycase",
            subject_id=case.pk, period=f"20{days}", decided_on=today - timedelta(days=days),
        )  # fmt: skip
        with the_superuser():
            SubsidyCase.objects.filter(pk=case.pk).update(
                state=CaseState.REFUSED, decision=decision, refusal_clause="X6"
            )
        assert ("subsidy_appeal" in tasks(cast)) is waits, days
    assert "subsidy_appeal" not in tasks(cast)


@pytest.mark.parametrize(
    "name",
    ["me", "consent-list", "my-data", "correction-list", "family-list", "settings", "who-looked",
     "message-list"],
)  # fmt: skip
def test_a_page_of_ones_own_costs_few_queries(cast: Cast, texts: Any, name: str):
    a_message(cast)
    client = browser(cast.lin)
    client.get(reverse(f"members:{name}"))
    with CaptureQueriesContext(connection) as queries:
        assert client.get(reverse(f"members:{name}")).status_code == 200
    asked = [one["sql"][:90] for one in queries]
    assert len(asked) <= BUDGET, asked


@pytest.mark.parametrize("who", ["wei", "qiao", "gao"])
def test_whoever_is_no_member_has_no_such_page(cast: Cast, who: str):
    client = browser(getattr(cast, who))
    for name in ("consent-list", "my-data", "correction-list", "family-list", "settings"):
        assert client.get(reverse(f"members:{name}")).status_code == 403, name


# -- consents ---------------------------------------------------------------------------------
def test_a_consent_is_given_and_withdrawn_in_the_portal(cast: Cast, texts: Any):
    client = browser(cast.lin)
    listed = reverse("members:consent-list")
    shown = client.get(listed).content.decode()
    assert shown.count("waits for your answer") == 1 and "not asked yet" in shown
    give = {"purpose": "card", "version": "1"}
    assert client.post(reverse("members:consent-give"), give).url == listed
    assert Consent.objects.get().given_by == cast.lin
    withdraw = reverse("members:consent-withdraw") + "?purpose=card"
    assert "Nothing more is given to the bank" in client.get(withdraw).content.decode()
    assert client.post(withdraw).url == listed
    assert Consent.objects.get().withdrawn_at is not None
    page = client.get(listed).content.decode()
    assert "Withdrawn" in page and "withdrawn" in page


@pytest.mark.parametrize("version", ["", "2", "x"])
def test_words_that_were_not_read_are_not_agreed_to(cast: Cast, texts: Any, version: str):
    answer = browser(cast.lin).post(
        reverse("members:consent-give"), {"purpose": "card", "version": version}
    )
    assert answer.status_code == 422 and not Consent.objects.exists()


def test_a_purpose_that_is_none_is_not_found(cast: Cast, texts: Any):
    client = browser(cast.lin)
    assert client.post(reverse("members:consent-give"), {"purpose": "x"}).status_code == 404
    assert client.get(reverse("members:consent-withdraw") + "?purpose=x").status_code == 404
    assert client.get(reverse("members:consent-withdraw") + "?purpose=card").status_code == 302


def test_an_application_for_relief_waits_for_the_consent(cast: Cast, texts: Any):
    lin_may_apply(cast)
    client = browser(cast.lin)
    page = client.get(reverse("awards:subsidy-apply") + "?ground=illness")
    assert "you have to agree to it" in page.content.decode()
    refused = apply(client)
    assert refused.status_code == 422 and "has not agreed" in refused.content.decode()
    client.post(reverse("members:consent-give"), {"purpose": "sensitive", "version": "1"})
    assert apply(client).status_code == 302


def press(client: Any, url: str, **typed: Any) -> Any:
    return client.post(url, {"seen": client.get(url).context["seen"], **typed})


def test_a_consent_on_paper_is_entered_at_the_desk(cast: Cast, texts: Any):
    client = browser(cast.qiao)
    button = reverse("admin:members_person_do", args=[cast.lin_person.pk, "consent"])
    assert press(client, button, purpose="card").status_code == 422
    assert press(client, button, purpose="card", paper=photo("sheet.jpg")).status_code == 302
    assert Consent.objects.get().evidence is not None
    page = client.get(reverse("admin:members_person_change", args=[cast.lin_person.pk]))
    assert "the signed sheet" in page.content.decode()
    back = reverse("admin:members_person_do", args=[cast.lin_person.pk, "withdrawal"])
    assert press(client, back, purpose="card", letter=photo("back.jpg")).status_code == 302
    assert Consent.objects.get().withdrawn_at is not None


def test_texts_are_written_by_one_and_adopted_by_another(cast: Cast):
    clerk = browser(cast.rules_clerk)
    draft = reverse("admin:members_consenttext_list_do", args=["draft"])
    typed = {"purpose": "card", "text": "甲", "text_en": "A", "valid_from": TODAY.isoformat()}
    assert clerk.post(draft, typed).status_code == 302
    text = ConsentText.objects.get()
    edit = reverse("admin:members_consenttext_do", args=[text.pk, "edit"])
    assert press(clerk, edit, **typed | {"text": "乙"}).status_code == 302
    adopt = reverse("admin:members_consenttext_do", args=[text.pk, "adopt"])
    assert clerk.get(adopt).status_code == 403
    assert press(browser(cast.decider), adopt).status_code == 302
    text.refresh_from_db()
    assert (text.text, text.adopted_by) == ("乙", cast.decider)


# -- corrections ------------------------------------------------------------------------------
def test_a_correction_goes_to_the_union_and_comes_back(cast: Cast):
    client = browser(cast.lin)
    ask = reverse("members:correction-ask") + "?field=employer"
    assert client.get(reverse("members:correction-ask")).status_code == 302
    assert client.post(ask, {"wanted": "x" * 121}).status_code == 422
    typed = {"wanted": "榆林示范厂", "words": "Since May", "evidence": photo("card.jpg")}
    assert client.post(ask, typed).url == reverse("members:correction-list")
    correction = Correction.objects.get()
    staff = browser(cast.qiao)
    button = reverse("admin:members_correction_do", args=[correction.pk, "carry-out"])
    assert "榆林示范厂" in staff.get(button).content.decode()
    assert press(staff, button, answer="Seen on the contract").status_code == 302
    cast.lin_person.refresh_from_db()
    assert cast.lin_person.employer == "榆林示范厂"
    page = client.get(reverse("members:correction-list")).content.decode()
    assert "Seen on the contract" in page
    assert "unread_messages" in tasks(cast)


def test_a_wanted_phone_is_masked_for_whoever_only_reads(cast: Cast):
    ask = reverse("members:correction-ask") + "?field=phone"
    assert browser(cast.lin).post(ask, {"wanted": "13912345678"}).status_code == 302
    correction = Correction.objects.get()
    page = browser(cast.shi).get(reverse("admin:members_correction_change", args=[correction.pk]))
    assert "139****5678" in page.content.decode()
    assert "13912345678" not in page.content.decode()


# -- family -----------------------------------------------------------------------------------
def test_a_child_is_entered_by_its_guardian_and_removed_again(cast: Cast, texts: Any):
    client = browser(cast.lin)
    born = timezone.localdate() - timedelta(days=3000)
    typed = {"name": "林小雨", "relation": "child", "born_on": born.isoformat(), "guardian": "林海"}
    refused = client.post(reverse("members:family-add"), typed)
    assert refused.status_code == 422 and "has not agreed" in refused.content.decode()
    client.post(reverse("members:consent-give"), {"purpose": "family", "version": "1"})
    assert client.post(reverse("members:family-add"), typed).status_code == 302
    member = FamilyMember.objects.get()
    desk = browser(cast.qiao)
    page = desk.get(reverse("admin:members_person_change", args=[cast.lin_person.pk]))
    assert "林小雨" in page.content.decode()
    assert client.post(reverse("members:family-remove", args=[member.pk])).status_code == 302
    assert not FamilyMember.objects.exists()


@pytest.mark.parametrize(
    ("typed", "at"),
    [
        ({"born_on": "2099-01-01"}, {"born_on"}),
        ({"born_on": "", "name": "1"}, {"born_on", "name"}),
        ({"born_on": "2020-01-01"}, {"guardian"}),
        ({"national_id": "61080"}, {"national_id"}),
        ({"national_id": "", "born_on": "soon", "guardian": "1"}, {"born_on", "guardian"}),
    ],
)
def test_what_is_wrong_with_a_family_member_stands_at_its_field(
    cast: Cast, typed: dict[str, str], at: set[str]
):
    given = {"name": "林小雨", "relation": "child", "born_on": "1990-01-01", **typed}
    answer = browser(cast.lin).post(reverse("members:family-add"), given)
    assert answer.status_code == 422 and set(answer.context["form"].errors) == at


def test_the_desk_enters_and_removes_family_too(cast: Cast):
    desk = browser(cast.qiao)
    enter = reverse("admin:members_person_do", args=[cast.lin_person.pk, "family"])
    typed = {"name": "林大山", "relation": "parent", "born_on": "1950-01-01"}
    assert press(desk, enter, **typed).status_code == 302
    member = FamilyMember.objects.get()
    out = reverse("admin:members_person_do", args=[cast.lin_person.pk, "family-remove"])
    assert press(desk, out, member=member.pk).status_code == 302
    assert not FamilyMember.objects.exists()


# -- who looked ---------------------------------------------------------------------------------
def test_who_looked_tells_of_numbers_exports_and_papers(cast: Cast):
    people.unmask(person=cast.lin_person, field="phone", by=cast.officer, reason="To call back")
    exports.begin(
        people=type(cast.lin_person).objects.all(), by=cast.officer, kind="csv", masked=False,
        reason="Yearly letter",
    )  # fmt: skip
    paper = files.store(
        purpose=consents.EVIDENCE, name="s.jpg", content=photo("s.jpg"), subject=cast.lin_person,
        organization=cast.tree.union, by=cast.lin,
    )  # fmt: skip
    files.fetch(file=paper, by=cast.qiao)
    files.fetch(file=paper, by=cast.lin)
    page = browser(cast.lin).get(reverse("members:who-looked")).content.decode()
    for told in ("To call back", "Yearly letter", "in an exported list", "a paper about you"):
        assert told in page
    assert page.count("a paper about you") == 1, "one's own look is no news"
    neighbour = make_person(cast.tree.union, account=cast.wei)
    assert AuditEntry.objects.filter(subject_id=str(neighbour.pk)).count() == 0
    other = browser(cast.wei).get(reverse("members:who-looked")).content.decode()
    assert "To call back" not in other


# -- settings -----------------------------------------------------------------------------------
def test_settings_lead_to_everything_about_ones_log_in(cast: Cast, texts: Any):
    page = browser(cast.lin).get(reverse("members:settings")).content.decode()
    for name in ("usersessions_list", "mfa_index", "account_change_password", "set_language"):
        assert reverse(name) in page
    assert cast.lin_person.phone_shown in page and str(cast.lin_person.phone) not in page


def test_logging_out_everywhere_ends_this_session_too(cast: Cast):
    may_log_in(cast.lin)
    here, there = logged_in(cast.lin), logged_in(cast.lin, agent="Safari")
    answer = here.post(reverse("members:log-out-everywhere"))
    assert answer.url == reverse("account_login")
    assert (is_in(here), is_in(there)) == (False, False)
    assert AuditEntry.objects.filter(action="account.sessions_ended").exists()


# -- retention --------------------------------------------------------------------------------
def test_a_dry_run_is_asked_for_and_carried_out_over_two_desks(cast: Cast):
    one = browser(cast.account_admin)
    listed = reverse("admin:members_retentionrun_list_do", args=["dry-run"])
    assert one.post(listed, {}).status_code == 302
    run = RetentionRun.objects.create(
        is_dry=True, run_on=timezone.localdate(), requested_by=cast.account_admin,
        counts={"card_codes": 3},
    )  # fmt: skip
    page = one.get(reverse("admin:members_retentionrun_change", args=[run.pk])).content.decode()
    assert "<svg" in page and "Codes of cards" in page and "What is never removed" in page
    button = reverse("admin:members_retentionrun_do", args=[run.pk, "carry-out"])
    assert press(one, button).status_code == 409
    second = browser(make_account("ding2", role=Role.ACCOUNT_ADMIN, at=cast.tree.city))
    assert press(second, button).status_code == 302
    assert browser(cast.gao).get(button).status_code == 403
