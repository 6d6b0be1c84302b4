"""Roles that end, and the yearly review in which each is confirmed, ended, or lapses."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from tests.cast import NOW, TODAY, Cast, give_role, make_account
from tests.kernel.attacks import refused_by
from tests.web.awards_play import browser
from union_portal import access, account_reviews, accounts, reports, roles
from union_portal.access import Permission, Role
from union_portal.admin import desk
from union_portal.kit.sheets import open_sheet
from union_portal.models import Account, AccountReview, AuditEntry, ReviewedRole, RoleAssignment
from union_portal.review_sheet import account_review
from union_portal.states import AccountReviewState, ReviewedRoleState

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
DUE = TODAY + 30 * DAY
S = ReviewedRoleState


@pytest.fixture
def review(cast: Cast) -> AccountReview:
    return account_reviews.open_review(by=cast.security_admin, today=TODAY, due_on=DUE)


def item(review: AccountReview, account: Account) -> ReviewedRole:
    return review.roles.get(account=account)


def confirm(review: AccountReview, account: Account, by: Account) -> None:
    account_reviews.confirm(reviewed=item(review, account), by=by, now=NOW)


def holds(account: Account) -> bool:
    return access.may(Account.objects.get(pk=account.pk), Permission.STAFF_SITE)


# -- roles end ------------------------------------------------------------------------------
def test_a_person_grants_for_a_year_at_most_and_for_so_long_unless_told(cast: Cast, settings: Any):
    given = {
        "account": cast.wei,
        "role": Role.COUNTY_CHECKER,
        "organization": cast.tree.county,
        "by": cast.security_admin,
        "valid_from": TODAY,
    }
    longest = TODAY + settings.ROLE_DAYS * DAY
    assert roles.grant(**given).valid_to == longest
    assert roles.grant(**given, valid_to=TODAY + DAY).valid_to == TODAY + DAY
    with pytest.raises(roles.RoleTooLong, match="366 days at most"):
        roles.grant(**given, valid_to=longest + DAY)
    settings.ROLE_DAYS = 0
    assert roles.grant(**given).valid_to is None


def test_an_ended_role_opens_nothing_from_the_next_day_on(cast: Cast):
    today = timezone.localdate()
    clerk = make_account("clerk", role=Role.GRASSROOTS_CLERK, at=cast.tree.union)
    client = browser(clerk)
    assert client.get("/admin/").status_code == 200
    clerk.roles.update(valid_to=today - DAY)
    assert client.get("/admin/").status_code in (302, 403)
    assert client.get(reverse("admin:members_person_changelist")).status_code in (302, 403)


def test_roles_that_end_soon_wait_on_the_desk_and_are_told_to_their_holders(cast: Cast):
    today = timezone.localdate()
    for name, days in [("soon", 30), ("later", 31), ("past", -1)]:
        give_role(make_account(name), Role.GRASSROOTS_CLERK, cast.tree.union,
                  valid_to=today + days * DAY)  # fmt: skip
    waits = {str(row["title"]): row for row in desk.waiting(cast.security_admin)}
    assert waits["Roles that end within 30 days"]["count"] == 1
    listed = browser(cast.security_admin).get(waits["Roles that end within 30 days"]["link"])
    assert [row.account.username for row in listed.context["cl"].result_list] == ["soon"]
    page = browser(Account.objects.get(username="soon")).get("/admin/").content.decode()
    assert "Your role “grassroots clerk” ends on" in page


# -- the review --------------------------------------------------------------------------------
def test_a_review_writes_down_every_role_held_and_one_is_open_at_a_time(cast: Cast):
    give_role(cast.wei, Role.AUDITOR, cast.tree.city, valid_to=TODAY - DAY)
    review = account_reviews.open_review(by=cast.security_admin, today=TODAY, due_on=DUE)
    assert review.roles.count() == roles.held(today=TODAY).count() == len(cast.staff)
    with pytest.raises(account_reviews.ReviewRefused, match="open already"):
        account_reviews.open_review(by=cast.security_admin, today=TODAY, due_on=DUE)
    for by in (cast.account_admin, cast.gao, cast.decider):
        with pytest.raises(PermissionDenied):
            account_reviews.open_review(by=by, today=TODAY, due_on=DUE)


def test_each_role_is_confirmed_or_ended_once(review: AccountReview, cast: Cast):
    confirm(review, cast.shi, cast.security_admin)
    account_reviews.end(
        reviewed=item(review, cast.qiao), by=cast.security_admin, reason="left", now=NOW,
        today=timezone.localdate(),
    )  # fmt: skip
    assert (item(review, cast.shi).state, item(review, cast.qiao).state) == (S.CONFIRMED, S.ENDED)
    assert (holds(cast.shi), holds(cast.qiao)) == (True, False)
    with pytest.raises(account_reviews.lifecycle.Stale):
        confirm(review, cast.qiao, cast.security_admin)


def test_nobody_reviews_their_own_role_nor_without_the_right(review: AccountReview, cast: Cast):
    for by in (cast.security_admin, cast.account_admin, cast.gao):
        with pytest.raises(PermissionDenied):
            confirm(review, cast.security_admin, by)
    refused_by(
        "reviewed_role_by_another",
        "UPDATE union_portal_reviewedrole SET reviewed_by_id = account_id WHERE account_id = %s",
        [cast.security_admin.pk],
    )


def test_all_of_a_union_are_confirmed_at_once_but_ones_own(review: AccountReview, cast: Cast):
    given = {"review": review, "by": cast.security_admin, "now": NOW}
    assert account_reviews.confirm_all(**given, union=cast.tree.county) == 2
    left = len(cast.staff) - 3
    assert account_reviews.confirm_all(**given, union=cast.tree.city) == left
    assert [one.account for one in account_reviews.unanswered(review)] == [cast.security_admin]


def test_what_nobody_answered_lapses_after_the_day_and_not_before(
    review: AccountReview, cast: Cast
):
    make_account("hao2", role=Role.SECURITY_ADMIN, at=cast.tree.city)
    confirm(review, cast.shi, cast.security_admin)
    assert account_reviews.lapse(today=DUE) == 0
    assert account_reviews.overdue(today=DUE) == []
    late = account_reviews.overdue(today=DUE + DAY)
    assert len(late) == len(cast.staff) - 1
    assert holds(cast.qiao), "looking ends nothing"
    assert account_reviews.lapse(today=DUE + DAY) == len(cast.staff) - 1
    review.refresh_from_db()
    assert review.state == AccountReviewState.CLOSED
    assert item(review, cast.qiao).state == S.LAPSED
    assert RoleAssignment.objects.get(account=cast.qiao).valid_to == DUE
    assert RoleAssignment.objects.get(account=cast.shi).valid_to is None
    entry = AuditEntry.objects.get(action="account_review.lapse")
    assert (entry.actor, entry.detail["lapsed"]) == ("worker", len(cast.staff) - 1)
    assert account_reviews.lapse(today=DUE + DAY) == 0


def test_the_last_who_can_grant_roles_keeps_theirs(review: AccountReview, cast: Cast):
    account_reviews.lapse(today=DUE + DAY)
    assert [role.account for role in roles.held(today=DUE + DAY)] == [cast.security_admin]
    assert item(review, cast.security_admin).state == S.OPEN


def test_the_command_tells_first_what_would_lapse(cast: Cast, capsys: Any):
    today = timezone.localdate()
    review = account_reviews.open_review(
        by=cast.security_admin, today=today - 9 * DAY, due_on=today - DAY
    )
    call_command("lapse_roles", "--dry-run")
    told = capsys.readouterr().out
    assert "qiao: grassroots_clerk" in told and "nothing was changed" in told
    assert item(review, cast.qiao).state == S.OPEN
    call_command("lapse_roles")
    assert f"{len(cast.staff) - 1} ended" in capsys.readouterr().out
    assert not holds(cast.qiao)


def test_a_review_is_closed_when_all_is_answered(review: AccountReview, cast: Cast):
    other = make_account("hao2", role=Role.SECURITY_ADMIN, at=cast.tree.city)
    given = {"review": review, "union": cast.tree.city, "now": NOW}
    account_reviews.confirm_all(**given, by=cast.security_admin)
    with pytest.raises(account_reviews.ReviewRefused, match="not been answered"):
        account_reviews.close(review=review, by=cast.security_admin, today=TODAY)
    account_reviews.confirm_all(**given, by=other)
    account_reviews.close(review=review, by=cast.security_admin, today=TODAY)
    assert review.state == AccountReviewState.CLOSED


def test_an_overdue_review_and_a_year_without_one_are_told_on_the_desk(cast: Cast):
    page = browser(cast.security_admin)
    assert "not been reviewed for a year" in page.get("/admin/").content.decode()
    today = timezone.localdate()
    account_reviews.open_review(by=cast.security_admin, today=today - 9 * DAY, due_on=today - DAY)
    told = page.get("/admin/").content.decode()
    assert "The review of accounts is overdue" in told
    waits = {str(row["title"]): row["count"] for row in desk.waiting(cast.security_admin)}
    assert waits["Roles to be reviewed"] == len(cast.staff)


def test_pages_open_a_review_answer_it_and_export_it(cast: Cast):
    page = browser(cast.security_admin)
    opening = reverse("admin:union_portal_accountreview_list_do", args=["open"])
    due_on = timezone.localdate() + 9 * DAY
    assert page.post(opening, {"due_on": due_on.isoformat()}).status_code == 302
    review = AccountReview.objects.get()
    one = item(review, cast.qiao)
    there = reverse("admin:union_portal_reviewedrole_do", args=[one.pk, "confirm"])
    seen = page.get(there).context["seen"]
    assert page.post(there, {"seen": seen}).status_code == 302
    assert item(review, cast.qiao).state == S.CONFIRMED
    own = reverse(
        "admin:union_portal_reviewedrole_do", args=[item(review, cast.security_admin).pk, "confirm"]
    )
    assert "Somebody else reviews your own roles" in page.get(own).content.decode()
    export = reverse("admin:union_portal_accountreview_do", args=[review.pk, "export"])
    seen = page.get(export).context["seen"]
    assert "/job/" in page.post(export, {"seen": seen}).url
    shown = reverse("admin:union_portal_accountreview_change", args=[review.pk])
    assert cast.tree.union.name in page.get(shown).content.decode()


def test_the_sheet_holds_every_role_and_its_answer(
    review: AccountReview, cast: Cast, tmp_path: Path
):
    confirm(review, cast.shi, cast.security_admin)
    asked = reports.request(
        kind="account_review", subject=review, by=cast.gao, organization=cast.tree.city
    )
    made = account_review(None, asked, tmp_path)  # type: ignore[arg-type]
    with open_sheet(made.path) as sheet:
        # Headers are read without their spaces.
        rows = {row.cells["Log-inname"]: row.cells for row in sheet.rows}
    assert set(rows) == {account.username for account in cast.staff.values()}
    shi = rows[cast.shi.username]
    assert (shi["Answer"], shi["Reviewedby"]) == ("confirmed", cast.security_admin.name)
    assert rows[cast.qiao.username]["Answer"] == "to be reviewed"


# -- accounts that nobody uses ---------------------------------------------------------------------
def test_accounts_of_staff_unused_for_ninety_days_are_listed(cast: Cast, settings: Any):
    now = timezone.now()
    long_ago = now - (settings.UNUSED_DAYS + 1) * DAY
    Account.objects.update(last_login=now)
    Account.objects.filter(pk=cast.qiao.pk).update(last_login=long_ago)
    Account.objects.filter(pk=cast.shi.pk).update(last_login=None, created_at=long_ago)
    Account.objects.filter(pk=cast.feng.pk).update(last_login=None)
    Account.objects.filter(pk=cast.lin.pk).update(last_login=long_ago)
    Account.objects.filter(pk=cast.gao.pk).update(last_login=long_ago, is_active=False)
    assert {one.username for one in accounts.unused(now=now)} == {"qiao", "shi"}
    waits = {str(row["title"]): row for row in desk.waiting(cast.account_admin)}
    assert waits["Accounts that nobody uses"]["count"] == 2
    listed = browser(cast.account_admin).get(waits["Accounts that nobody uses"]["link"])
    assert len(listed.context["cl"].result_list) == 2
