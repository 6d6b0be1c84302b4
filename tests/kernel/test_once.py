"""A form is carried out once: double click, back button, somebody else's key, lost answer."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from tests.cast import TODAY, Cast, make_open_entry
from tests.kernel.races import at_once, waits_for_lock
from tests.web.awards_play import apply, browser, lin_may_apply, lins_case
from union_portal import once
from union_portal.kit.refusals import Refused
from union_portal.models import Account, AuditEntry, Objection, SentForm

KEY, OTHER_KEY = "a-key-of-one-form", "a-key-of-another-form"


def sent(**changes: str) -> once.Sent:
    values = {"sender": "account:1", "route": "/x/", "key": KEY, "body_digest": "d" * 64}
    return once.Sent(**{**values, **changes})


def goes_to(place: str, tally: list[str]) -> Callable[[], HttpResponse]:
    def view() -> HttpResponse:
        tally.append(place)
        return HttpResponseRedirect(place)

    return view


@pytest.fixture
def tally() -> list[str]:
    return []


# -- the rule itself -------------------------------------------------------------------
@pytest.mark.django_db
def test_the_second_arrival_gets_the_first_answer_and_does_nothing(tally: list[str]):
    once.carry_out(sent(), goes_to("/done/", tally))
    assert once.carry_out(sent(), goes_to("/else/", tally)) == once.Again("/done/")
    assert tally == ["/done/"]


@pytest.mark.django_db
def test_another_content_under_the_same_key_is_refused(tally: list[str]):
    once.carry_out(sent(), goes_to("/done/", tally))
    with pytest.raises(once.Differs):
        once.carry_out(sent(body_digest="e" * 64), goes_to("/done/", tally))
    assert len(tally) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"sender": "account:2"}, {"route": "/y/"}, {"key": OTHER_KEY}])
def test_a_key_counts_for_one_sender_and_one_form_only(change: dict[str, str], tally: list[str]):
    once.carry_out(sent(), goes_to("/done/", tally))
    once.carry_out(sent(**change), goes_to("/done/", tally))
    assert len(tally) == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "answer",
    [
        HttpResponse(status=422),
        HttpResponse(),
        HttpResponseRedirect("/account/reauthenticate/?next=/x/"),
    ],
)
def test_what_was_not_carried_out_is_not_kept(answer: HttpResponse):
    assert once.carry_out(sent(), lambda: answer) is answer
    assert not SentForm.objects.exists()


@pytest.mark.django_db
def test_an_answer_with_a_cookie_can_not_be_given_again():
    answer = HttpResponseRedirect("/")
    answer.set_cookie("django_language", "en")
    once.carry_out(sent(), lambda: answer)
    assert not SentForm.objects.exists()


@pytest.mark.django_db
def test_a_refusal_takes_back_the_key_and_the_act():
    def refused() -> HttpResponse:
        Account.objects.create(username="half-made")
        raise Refused("No.", "Do otherwise.")

    with pytest.raises(Refused):
        once.carry_out(sent(), refused)
    assert not SentForm.objects.exists()
    assert not Account.objects.exists()


@pytest.mark.django_db
def test_the_address_is_kept_without_its_query(tally: list[str]):
    once.carry_out(sent(), goes_to("/list/?q=610802", tally))
    assert SentForm.objects.get().location == "/list/"


@pytest.mark.django_db
def test_old_keys_are_forgotten(tally: list[str]):
    once.carry_out(sent(), goes_to("/done/", tally))
    now = timezone.now()
    assert once.sweep(now=now + once.KEPT - timedelta(hours=1)) == 0
    assert once.sweep(now=now + once.KEPT + timedelta(hours=1)) == 1


# -- reading a request -----------------------------------------------------------------
def post(account: Any, fields: dict[str, Any], **headers: str) -> once.Sent | None:
    request = RequestFactory().post("/x/", fields, headers=headers)
    request.user = account
    return once.read(request)


def test_the_key_and_the_token_are_no_content():
    one = post(Account(pk=1), {once.FIELD: KEY, "csrfmiddlewaretoken": "a", "text": "b"})
    two = post(Account(pk=1), {once.FIELD: KEY, "csrfmiddlewaretoken": "c", "text": "b"})
    assert one == two


@pytest.mark.parametrize("fields", [{"text": "c"}, {"text": ["b", "b"]}, {"textb": ""}, {}])
def test_every_field_is_content(fields: dict[str, Any]):
    one = post(Account(pk=1), {once.FIELD: KEY, "text": "b"})
    two = post(Account(pk=1), {once.FIELD: KEY, **fields})
    assert one is not None
    assert two is not None
    assert one.body_digest != two.body_digest


def test_a_value_is_never_taken_for_the_name_of_a_field():
    one = post(Account(pk=1), {once.FIELD: KEY, "a": "b", "c": "d"})
    two = post(Account(pk=1), {once.FIELD: KEY, "a": ["b", "c", "d"]})
    assert one is not None
    assert two is not None
    assert one.body_digest != two.body_digest


def test_the_sender_is_the_account_and_the_route_is_the_address():
    one = post(Account(pk=1), {once.FIELD: KEY})
    two = post(Account(pk=2), {once.FIELD: KEY})
    assert one is not None
    assert two is not None
    assert one.sender != two.sender
    assert one.route == "/x/"


def test_an_upload_is_content_and_can_be_read_afterwards():
    def with_file(content: bytes) -> once.Sent:
        upload = SimpleUploadedFile("list.csv", content)
        request = RequestFactory().post("/x/", {once.FIELD: KEY, "file": upload})
        request.user = Account(pk=1)
        read = once.read(request)
        assert read is not None
        assert request.FILES["file"].read() == content
        return read

    assert with_file(b"one") == with_file(b"one")
    assert with_file(b"one") != with_file(b"two")


def test_a_client_may_send_the_key_as_a_header():
    read = post(Account(pk=1), {"text": "b"}, **{once.HEADER: KEY})
    assert read is not None
    assert read.key == KEY


def test_a_malformed_key_is_refused():
    with pytest.raises(SuspiciousOperation):
        post(Account(pk=1), {once.FIELD: "short"})


# -- two connections at one moment -----------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_of_two_at_one_moment_the_second_waits_and_gets_the_first_answer(tally: list[str]):
    twice = goes_to("/twice/", tally)
    with at_once(lambda: once.carry_out(sent(), twice)) as other, transaction.atomic():
        once.carry_out(sent(), goes_to("/done/", tally))
        other.start()
        waits_for_lock(other)
    assert other.error is None
    assert other.result == once.Again("/done/")
    assert tally == ["/done/"]


@pytest.mark.django_db(transaction=True)
def test_when_the_first_fails_the_second_does_the_work(tally: list[str]):
    second = goes_to("/second/", tally)
    with (
        at_once(lambda: once.carry_out(sent(), second)) as other,
        pytest.raises(ZeroDivisionError),
        transaction.atomic(),
    ):
        once.carry_out(sent(), goes_to("/first/", tally))
        other.start()
        waits_for_lock(other)
        raise ZeroDivisionError
    assert other.error is None
    assert tally == ["/first/", "/second/"]
    assert SentForm.objects.get().location == "/second/"


# -- whole pages -----------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_a_double_click_on_the_application_makes_one_case(cast: Cast):
    lin_may_apply(cast)
    one, two = browser(cast.lin), browser(cast.lin)
    with at_once(lambda: apply(two, once_key=KEY)) as other, transaction.atomic():
        first = apply(one, once_key=KEY)
        other.start()
        waits_for_lock(other)
    assert other.error is None
    assert first.status_code == other.result.status_code == 302
    assert (
        first.url == other.result.url == reverse("awards:subsidy-case", args=[lins_case(cast).pk])
    )


@pytest.fixture
def lin_at_home(cast: Cast) -> Iterator[Client]:
    lin_may_apply(cast)
    yield browser(cast.lin)


@pytest.mark.django_db
def test_the_back_button_with_another_text_says_what_to_do(cast: Cast, lin_at_home: Client):
    apply(lin_at_home, once_key=KEY)
    again = apply(lin_at_home, once_key=KEY, asked="3000")
    assert again.status_code == 409
    assert "open the form again" in again.content.decode()
    assert lins_case(cast)


@pytest.mark.django_db
def test_the_same_form_again_leads_to_the_same_case_and_says_so(cast: Cast, lin_at_home: Client):
    apply(lin_at_home, once_key=KEY)
    again = lin_at_home.get(apply(lin_at_home, once_key=KEY).url)
    assert "It was carried out once." in again.content.decode()
    assert lins_case(cast)


@pytest.mark.django_db
def test_a_form_sent_back_to_be_mended_may_keep_its_key(cast: Cast, lin_at_home: Client):
    assert apply(lin_at_home, once_key=KEY, text="").status_code == 422
    assert apply(lin_at_home, once_key=KEY).status_code == 302
    assert lins_case(cast)


@pytest.mark.django_db
def test_nothing_that_was_typed_is_kept(cast: Cast, lin_at_home: Client):
    apply(lin_at_home, once_key=KEY, text="A very private illness, for the office alone.")
    kept = SentForm.objects.values().get()
    assert "private" not in str(kept)
    assert kept["location"] == reverse("awards:subsidy-case", args=[lins_case(cast).pk])


@pytest.mark.django_db
def test_a_first_password_is_given_once_however_often_the_button_is_pressed(cast: Cast):
    client = browser(cast.account_admin)
    url = reverse("admin:union_portal_account_list_do", args=["new"])
    form = {"username": "newcomer", "name": "新人", once.FIELD: KEY}
    first, second = client.post(url, form), client.post(url, form)
    assert (first.status_code, second.status_code) == (200, 409)
    assert "shown once" in second.content.decode()
    assert AuditEntry.objects.filter(action="account.create").count() == 1


# -- visitors --------------------------------------------------------------------------
@pytest.fixture
def objection_url(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> str:
    """The form for the first entry of a notice that is open today."""
    monkeypatch.setattr(timezone, "localdate", lambda *_args: TODAY)
    entry = make_open_entry(cast)
    return reverse("portal:objection-file", args=[entry.notice_id, entry.position])


def objection(**changes: str) -> dict[str, str]:
    form = {"objector": "魏明", "phone": "13800138000", "text": "This is not so, I know it."}
    return {**form, once.FIELD: KEY, **changes}


@pytest.mark.django_db
def test_a_visitor_objects_once_and_reads_the_number_after_the_second_click(objection_url: str):
    visitor = Client()
    visitor.get(objection_url)  # the page opens the session that the key is bound to
    visitor.post(objection_url, objection())
    again = visitor.post(objection_url, objection(), follow=True)
    assert Objection.objects.count() == 1
    assert str(Objection.objects.get()) in again.content.decode()


@pytest.mark.django_db
def test_two_visitors_are_two_senders(objection_url: str):
    for name in ("魏明", "高远"):
        visitor = Client()
        visitor.get(objection_url)
        visitor.post(objection_url, objection(objector=name))
    assert Objection.objects.count() == 2
    assert SentForm.objects.values("sender").distinct().count() == 2


@pytest.mark.django_db
def test_without_a_session_nothing_is_kept_and_the_form_still_works(objection_url: str):
    Client().post(objection_url, objection())
    assert Objection.objects.count() == 1
    assert not SentForm.objects.exists()
