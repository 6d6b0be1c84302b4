"""What people do, in a real browser at phone and desk width, with axe looking on."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.cast import make_cast, make_decision, make_rule_set, make_tree
from tests.disbursement.conftest import make_office
from tests.journeys.conftest import PASSWORD, faults, log_in, may_log_in
from union_portal.models import Notice, NoticeEntry, Objection
from union_portal.states import NoticeState
from welfare.disbursement import batches
from welfare.disbursement.states import BatchState

pytestmark = pytest.mark.django_db(transaction=True)


def published(cast: Any) -> Notice:
    decision = make_decision(cast, make_rule_set(cast))
    notice = Notice.objects.create(
        title="2026年市级劳模慰问名单公示", scheme=decision.scheme, period="2026",
        organization=cast.tree.city, days=5, contact="0912-0000000", prepared_by=cast.officer,
    )  # fmt: skip
    NoticeEntry.objects.create(
        notice=notice, decision=decision, position=1, shown_name="林*", amount_fen=30_000
    )
    from union_portal import notices

    return notices.publish(notice=notice, by=cast.officer, today=timezone.localdate())


def test_anybody_reads_a_notice_and_objects_to_an_entry(live_server, open_page):
    cast = make_cast(make_tree())
    notice = published(cast)
    assert notice.state == NoticeState.PUBLISHED
    page = open_page()
    page.goto(live_server.url)
    assert faults(page) == []
    page.click(f"text={notice.title}")
    assert faults(page) == []
    page.click(f"a[href='{reverse('portal:objection-file', args=[notice.pk, 1])}']")
    page.click("main form button[type=submit]")
    assert page.locator("[aria-invalid=true]").count() >= 1 or page.locator(":invalid").count() >= 1
    assert faults(page) == []
    page.fill("input[name=objector]", "魏明")
    page.fill("input[name=phone]", "13800138000")
    page.fill("textarea[name=text]", "名单中的这位同志已经不在榆林居住多年。")
    page.click("main form button[type=submit]")
    page.wait_for_selector(".alert-success")
    assert Objection.objects.get().objector == "魏明"


def test_staff_log_in_with_a_second_factor_and_find_their_desk(live_server, open_page):
    cast = make_cast(make_tree())
    may_log_in(cast.officer)
    page = open_page()
    page.goto(live_server.url + reverse("account_login"))
    assert faults(page) == []
    log_in(page, live_server.url, cast.officer)
    assert page.locator(".st-tile").count() > 0
    assert faults(page) == []


def test_three_people_on_three_machines_send_a_batch_on_its_way(live_server, open_page):
    cast = make_cast(make_tree())
    office = make_office(cast)
    office.owe(3)
    batch = batches.seal(batch=office.assemble(), by=cast.feng)
    for account, button in ((cast.feng_checker, "check"), (cast.feng_releaser, "release")):
        may_log_in(account)
        page = open_page()
        log_in(page, live_server.url, account)
        url = reverse("admin:disbursement_payoutbatch_do", args=[batch.pk, button])
        page.goto(live_server.url + url)
        page.fill("input[name=password]", PASSWORD)
        page.click("main form button[type=submit]")
        page.wait_for_url(f"**{url}")
        assert batch.digest[:16] in page.content()
        assert faults(page) == []
        for tick in page.locator(".st-confirm input[type=checkbox]").all():
            tick.check()
        page.click(".st-confirm form button[type=submit]")
        page.wait_for_url(f"**{reverse('admin:disbursement_payoutbatch_change', args=[batch.pk])}")
    batch.refresh_from_db()
    assert batch.state == BatchState.APPROVED


def test_a_member_sees_their_own_page(live_server, open_page):
    cast = make_cast(make_tree())
    cast.lin.set_password(PASSWORD)
    cast.lin.save(update_fields=["password"])
    page = open_page()
    page.goto(live_server.url + reverse("account_login"))
    page.fill("input[name=login]", cast.lin.username)
    page.fill("input[name=password]", PASSWORD)
    page.click("main form[action$='/login/'] button[type=submit]")
    page.wait_for_url("**/me/")
    assert cast.lin_person.national_id_shown in page.content()
    assert faults(page) == []
    page.goto(live_server.url + reverse("members:who-looked"))
    assert faults(page) == []
