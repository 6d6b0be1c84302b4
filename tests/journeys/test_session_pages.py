"""Sessions, reviews and resets in a real browser, on a phone and at a desk."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from tests.cast import make_cast, make_tree
from tests.journeys.conftest import confirm_it_is_me, faults, log_in, may_log_in
from union_portal import account_reviews, factors, sessions, tokens

pytestmark = pytest.mark.django_db(transaction=True)
TYPED = "本人去年住院三个月，自付费用较高，特此说明。"


@pytest.fixture
def cast(live_server: Any) -> Any:
    return make_cast(make_tree())


def grow_old() -> None:
    """Every session's last click lies too far back."""
    for row in Session.objects.all():
        store = Session.get_session_store_class()(row.session_key)
        store[sessions.SEEN] = 1
        store.save()


def test_sessions_reviews_and_resets_are_read_on_a_phone_and_at_a_desk(
    live_server: Any, open_page: Any, cast: Any
):
    may_log_in(cast.feng)
    hao, today = may_log_in(cast.security_admin), timezone.localdate()
    review = account_reviews.open_review(by=hao, today=today, due_on=today + timedelta(days=30))
    reset = factors.ask_reset(account=cast.feng, by=cast.account_admin, reason="手机遗失")
    tokens.issue(
        account=hao, label="核对脚本", address="10.0.0.9", has_factor=True, now=timezone.now()
    )
    elsewhere, page = open_page(), open_page()
    for one in (elsewhere, page):
        cache.clear()  # the second browser may come within the life of the first one's code
        log_in(one, live_server.url, hao)
    found = faults(page)
    for there in (
        reverse("usersessions_list"),
        reverse("account_change_password"),
        reverse("admin:union_portal_accountreview_change", args=[review.pk]),
        reverse("admin:union_portal_reviewedrole_changelist"),
        reverse("admin:union_portal_factorreset_do", args=[reset.pk, "carry-out"]),
        reverse("admin:union_portal_account_change", args=[cast.feng.pk]),
    ):
        page.goto(live_server.url + there)
        confirm_it_is_me(page)
        found += faults(page)

    page.goto(live_server.url + reverse("usersessions_list"))
    page.get_by_role("button", name="结束其他全部登录").click()
    page.wait_for_selector(".alert")
    elsewhere.goto(live_server.url + reverse("portal:security"))
    assert "/login/" in elsewhere.url

    item = review.roles.get(account=cast.qiao)
    page.goto(
        live_server.url + reverse("admin:union_portal_reviewedrole_do", args=[item.pk, "end"])
    )
    confirm_it_is_me(page)
    page.fill("textarea[name=reason]", TYPED)
    grow_old()
    page.click(".st-confirm form button[type=submit]")
    assert page.locator("textarea[readonly]").first.input_value() == TYPED
    found += faults(page)
    assert found == []
