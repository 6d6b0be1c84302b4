"""Joining from the phone without an account, and a member's own membership."""

import re
from datetime import date
from random import Random

import pytest
from django.test import Client
from django.urls import reverse

from members.actions import join_applications, joining, transfers
from members.models import JoinApplication, Membership, MembershipTransfer
from members.states import JoinState, MembershipState, TransferState
from tests.cast import NOW, TODAY, Cast, make_account, make_person
from tests.members.joining import PROFILE, applicant, apply, as_typed, clerk, member
from tests.web.awards_play import browser
from union_portal.kit import fictional
from union_portal.models import Account

pytestmark = pytest.mark.django_db
JOIN = "/join/"


def phone_browser() -> Client:
    client = Client()
    client.cookies["django_language"] = "en"
    return client


def form(typed: dict[str, str], **more: str) -> dict[str, str]:
    said = {k: str(v) for k, v in PROFILE.items() if k != "is_farmer_worker"}
    return {**typed, **said, "employer": "驼城运输", "agrees": "on", **more}


def send(client: Client, cast: Cast, typed: dict[str, str], **more: str):
    return client.post(f"{JOIN}?union={cast.tree.union.pk}", form(typed, **more))


def plain(answer) -> str:
    """A page without the keys of its forms and what the applicant typed themselves."""
    text = answer.content.decode()
    text = re.sub(r'value="[^"]*"|nonce="[^"]*"|once_key|<dd>.*?</dd>', "", text)
    return re.sub(r'class="figure mb-2">\w+<', "", text)


def test_a_union_is_found_by_a_part_of_its_name(cast: Cast):
    page = phone_browser().get(JOIN, {"q": "驼城"}).content.decode()
    assert cast.tree.union.name in page and cast.tree.sibling_union.name not in page
    for none in ("榆林市总", "%"):  # the federation itself takes nobody
        page = phone_browser().get(JOIN, {"q": none}).content.decode()
        assert "No union of this name" in page and "?union=" not in page


@pytest.mark.parametrize("key", ["", "x", "987654321", "9" * 40, "-1", "１"])
def test_a_union_that_is_none_leads_back_to_the_search(cast: Cast, key: str):
    answer = phone_browser().get(JOIN, {"union": key})
    assert answer.status_code == 200 and "Name of the union" in answer.content.decode()


def test_somebody_without_an_account_applies_and_sees_where_it_stands(cast: Cast):
    client, new = phone_browser(), applicant(cast)
    answer = send(client, cast, new.typed)
    assert (answer.status_code, answer["Location"]) == (302, "/join/application/")
    application = JoinApplication.objects.get()
    assert (application.channel, application.applied_by) == ("portal", None)
    page = client.get("/join/application/").content.decode()
    assert application.receipt in page and "Next, the union compares" in page
    assert new.national_id not in page and new.phone not in page
    other = phone_browser()
    assert other.get("/join/application/")["Location"] == "/join/status/"
    asked = {"receipt": application.receipt.lower(), "phone": new.phone}
    assert other.post("/join/status/", asked)["Location"] == "/join/application/"
    assert application.receipt in other.get("/join/application/").content.decode()


def test_all_that_is_typed_wrong_is_told_at_once_each_at_its_field(cast: Cast):
    typed = {"name": "1", "national_id": "610802199001011234", "phone": "12"}
    answer = send(phone_browser(), cast, typed, employer="")
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"name", "national_id", "phone", "employer"}
    assert "check character" in answer.context["form"].errors["national_id"][0]


def test_too_young_stands_at_the_number_it_follows_from(cast: Cast):
    born_lately = fictional.make_national_id(Random(7), date(2020, 3, 2), "female", "610802")
    young = {**applicant(cast).typed, "national_id": born_lately}
    answer = send(phone_browser(), cast, young)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["national_id"]


def test_the_answer_is_the_same_whoever_the_number_is(cast: Cast):
    """Unknown, registered, a member elsewhere, dead, or applying for the second time."""
    known, elsewhere, dead = (make_person(cast.tree.union) for _ in range(3))
    member(cast, elsewhere)
    type(dead).objects.filter(pk=dead.pk).update(died_on=TODAY)
    twice = applicant(cast, 11)
    apply(cast, twice.typed)
    pages, looked = set(), set()
    for typed in (
        applicant(cast, 12).typed, as_typed(known), as_typed(elsewhere), as_typed(dead),
        twice.typed,
    ):  # fmt: skip
        client = phone_browser()
        answer = send(client, cast, typed)
        assert (answer.status_code, answer["Location"]) == (302, "/join/application/")
        pages.add(plain(client.get("/join/application/")))
        receipt = JoinApplication.objects.latest("id").receipt
        asked = {"receipt": receipt, "phone": typed["phone"]}
        looked.add(phone_browser().post("/join/status/", asked)["Location"])
    assert len(pages) == len(looked) == 1


def test_a_wrong_receipt_and_a_wrong_phone_are_told_in_the_same_words(cast: Cast):
    application = apply(cast)
    wrong = [
        {"receipt": application.receipt, "phone": applicant(cast, 20).phone},
        {"receipt": "23456789ABC", "phone": str(application.phone)},
        {"receipt": application.receipt, "phone": "no number"},
    ]
    answers = [phone_browser().post("/join/status/", asked) for asked in wrong]
    assert [answer.status_code for answer in answers] == [422] * 3
    assert len({plain(answer) for answer in answers}) == 1


def test_who_applies_too_often_is_told_to_wait(cast: Cast):
    new = applicant(cast).typed
    for _time in range(join_applications.PER_NUMBER_A_DAY):
        assert send(phone_browser(), cast, new).status_code == 302
    answer = send(phone_browser(), cast, new)
    assert answer.status_code == 422 and "Wait a day" in answer.content.decode()


def test_without_agreement_nothing_is_kept(cast: Cast):
    answer = send(phone_browser(), cast, applicant(cast).typed, agrees="")
    assert answer.status_code == 422
    assert not JoinApplication.objects.exists()


def test_what_was_returned_is_completed_on_the_phone(cast: Cast):
    client, new = phone_browser(), applicant(cast)
    send(client, cast, new.typed)
    application = JoinApplication.objects.get()
    joining.give_back(application=application, message="Which shift?", by=cast.qiao, now=NOW)
    assert "Which shift?" in client.get("/join/application/").content.decode()
    answer = client.post(
        "/join/application/complete/", form({**new.typed, "national_id": ""}, employer="二班")
    )
    assert answer.status_code == 302, answer.content.decode()
    application.refresh_from_db()
    assert (application.state, application.employer) == (JoinState.APPLIED, "二班")
    assert client.get("/join/application/complete/").status_code == 302


def test_it_is_taken_back_on_the_phone(cast: Cast):
    client = phone_browser()
    send(client, cast, applicant(cast).typed)
    assert client.get("/join/application/take-back/").status_code == 200
    assert client.post("/join/application/take-back/").status_code == 302
    assert JoinApplication.objects.get().state == JoinState.TAKEN_BACK
    assert client.post("/join/application/take-back/")["Location"] == "/join/application/"


def test_without_a_receipt_no_page_of_an_application_opens(cast: Cast):
    apply(cast)
    for page in ("", "complete/", "take-back/"):
        for ask in (phone_browser().get, phone_browser().post):
            assert ask(f"/join/application/{page}").status_code == 302
    assert JoinApplication.objects.get().state == JoinState.APPLIED


def test_somebody_known_is_not_asked_what_is_known(cast: Cast):
    lin = browser(cast.lin)
    page = lin.get(JOIN, {"union": cast.tree.union.pk}).content.decode()
    assert cast.lin_person.national_id_shown in page and 'name="national_id"' not in page
    answer = lin.post(f"{JOIN}?union={cast.tree.union.pk}", form({}))
    assert answer.status_code == 302, answer.content.decode()
    application = JoinApplication.objects.get()
    assert application.national_id == cast.lin_person.national_id
    assert application.applied_by == cast.lin
    assert application.receipt in lin.get("/me/membership/").content.decode()


def test_a_member_is_led_to_their_membership(cast: Cast):
    member(cast)
    assert browser(cast.lin).get(JOIN)["Location"] == "/me/membership/"


def test_a_member_moves_and_sees_every_step(cast: Cast):
    member(cast)
    target = cast.tree.sibling_union
    lin = browser(cast.lin)
    found = lin.get("/me/membership/transfer/", {"q": "红石峡"}).content.decode()
    assert f"?union={target.pk}" in found
    url = f"/me/membership/transfer/?union={target.pk}"
    assert lin.get(url).status_code == 200
    answer = lin.post(url, {"employer": "红石峡水务", "reason": "new work"})
    assert answer.status_code == 302, answer.content.decode()
    transfer = MembershipTransfer.objects.get()
    assert "was asked for" in lin.get("/me/membership/").content.decode()
    assert "releases you" in lin.get("/me/").content.decode()
    transfers.release(transfer=transfer, by=cast.qiao, now=NOW)
    assert "has released you" in lin.get("/me/membership/").content.decode()
    assert "accepts you" in lin.get("/me/").content.decode()
    transfers.accept(transfer=transfer, by=clerk(target), today=TODAY, now=NOW)
    page = lin.get("/me/membership/").content.decode()
    assert "has accepted you" in page and target.name in page
    assert Membership.objects.filter(person=cast.lin_person).count() == 2


def test_a_member_takes_the_transfer_back(cast: Cast):
    member(cast)
    lin = browser(cast.lin)
    assert lin.get("/me/membership/transfer/take-back/")["Location"] == "/me/membership/"
    url = f"/me/membership/transfer/?union={cast.tree.sibling_union.pk}"
    lin.post(url, {"employer": "x", "reason": "new work"})
    assert lin.get(url)["Location"] == "/me/membership/"
    assert lin.post("/me/membership/transfer/take-back/").status_code == 302
    assert MembershipTransfer.objects.get().state == TransferState.TAKEN_BACK
    assert Membership.objects.get().state == MembershipState.ACTIVE


def test_a_refusal_is_read_with_its_reason(cast: Cast):
    held = member(cast)
    jia = clerk(cast.tree.sibling_union)
    asked = transfers.request(
        membership=held, target=cast.tree.sibling_union, employer="x", reason="new work", by=jia
    )
    transfers.refuse(transfer=asked, reason="not released yet", by=cast.qiao, now=NOW)
    page = browser(cast.lin).get("/me/membership/").content.decode()
    assert "not released yet" in page


def stranger(name: str = "alone") -> Account:
    return make_account(name)


@pytest.mark.parametrize(
    "page", ["members:membership", "members:transfer", "members:transfer-take-back"]
)
def test_a_log_in_without_a_person_has_no_membership(cast: Cast, page: str):
    assert browser(stranger()).get(reverse(page)).status_code == 403


def test_another_members_transfer_is_none_of_mine(cast: Cast):
    member(cast)
    other = make_account("neighbour")
    held = member(cast, make_person(cast.tree.union, account=other))
    transfers.request(
        membership=held, target=cast.tree.sibling_union, employer="x", reason="private",
        by=other,
    )  # fmt: skip
    lin = browser(cast.lin)
    assert "private" not in lin.get("/me/membership/").content.decode()
    lin.post("/me/membership/transfer/take-back/")
    assert MembershipTransfer.objects.get().state == TransferState.REQUESTED


def test_the_member_reads_what_the_register_knows(cast: Cast, django_assert_max_num_queries):
    from members.actions import profiles

    member(cast)
    profiles.write(person=cast.lin_person, by=cast.qiao, ethnicity="回族", education="master")
    lin = browser(cast.lin)
    with django_assert_max_num_queries(30):
        page = lin.get("/me/membership/").content.decode()
    assert "回族" in page and "master" in page
