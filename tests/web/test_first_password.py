"""A password that somebody else chose opens one page: the one on which it is changed."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.cast import Cast, give_role
from union_portal import accounts
from union_portal.access import Role
from union_portal.models import Account, AuditEntry

pytestmark = pytest.mark.django_db
FIRST, OWN = "kd3p-9fwa-h2mx-77qe", "seventeen grey camels"


@pytest.fixture
def newcomer(cast: Cast) -> Account:
    account = accounts.create(
        username="newcomer", name="新人", password=FIRST, by=cast.account_admin
    )
    give_role(account, Role.GRASSROOTS_CLERK, cast.tree.union)
    return account


def logged_in(username: str, password: str) -> Client:
    client = Client()
    client.cookies["django_language"] = "en"
    client.post(reverse("account_login"), {"login": username, "password": password})
    assert "_auth_user_id" in client.session
    return client


def change(client: Client, *, old: str = FIRST, new: str = OWN):
    form = {"oldpassword": old, "password1": new, "password2": new}
    return client.post(reverse("account_change_password"), form)


@pytest.mark.parametrize("place", ["admin:index", "portal:home", "members:me", "portal:security"])
def test_every_page_leads_to_the_change_of_the_first_password(newcomer: Account, place: str):
    answer = logged_in("newcomer", FIRST).get(reverse(place))
    assert answer.url == reverse("account_change_password")


def test_the_page_says_why(newcomer: Account):
    page = logged_in("newcomer", FIRST).get(reverse("account_change_password"))
    assert "only you know" in page.content.decode()


def test_after_the_change_everything_is_open(newcomer: Account):
    client = logged_in("newcomer", FIRST)
    assert change(client).url == reverse("admin:index")
    assert client.get(reverse("portal:home")).status_code == 200
    assert AuditEntry.objects.filter(action="account.choose_password").count() == 1


def test_the_first_password_again_is_no_change(newcomer: Account):
    client = logged_in("newcomer", FIRST)
    assert "handed to you" in change(client, new=FIRST).content.decode()
    assert client.get(reverse("portal:home")).status_code == 302


def test_a_weak_password_is_no_change(newcomer: Account):
    client = logged_in("newcomer", FIRST)
    assert change(client, new="12345678").status_code == 200
    assert client.get(reverse("portal:home")).status_code == 302


def test_a_new_first_password_ends_the_old_session_and_is_changed_again(
    newcomer: Account, cast: Cast
):
    client = logged_in("newcomer", FIRST)
    change(client)
    again = "77qe-h2mx-9fwa-kd3p"
    newcomer.refresh_from_db()
    accounts.set_password(account=newcomer, password=again, by=cast.account_admin)
    assert reverse("account_login") in client.get(reverse("members:me")).url
    assert logged_in("newcomer", again).get("/").url == reverse("account_change_password")


def test_an_account_that_chose_its_password_is_not_asked(cast: Cast):
    cast.lin.set_password(OWN)
    cast.lin.save()
    assert logged_in("lin", OWN).get("/").status_code == 200
