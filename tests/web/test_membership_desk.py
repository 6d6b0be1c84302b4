"""The desk of the register: apply on paper, check, approve, move, change, describe, count."""

import re
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members import tasks  # noqa: F401  (registers the jobs)
from members.actions import transfers, unions
from members.models import (
    JoinApplication,
    MemberProfile,
    Membership,
    MembershipTransfer,
    Person,
    UnionProfile,
    UnionYear,
    YearStatistics,
)
from members.states import JoinState, MembershipState, TransferState
from tests.cast import NOW, Cast, make_person
from tests.members.joining import applicant, apply, checked, clerk, member
from tests.web.test_money_desk import browser, press
from union_portal import queue
from union_portal.admin import desk
from union_portal.models import AuditEntry, ReportRun

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


def row(model: str, pk: Any) -> str:
    return reverse(f"admin:members_{model}_change", args=[pk])


def listed(model: str) -> str:
    return reverse(f"admin:members_{model}_changelist")


def step(model: str, pk: Any, name: str) -> str:
    return reverse(f"admin:members_{model}_do", args=[pk, name])


def on_list(model: str, name: str) -> str:
    return reverse(f"admin:members_{model}_list_do", args=[name])


def buttons(client: Client, model: str, pk: Any) -> dict[str, bool]:
    answer = client.get(row(model, pk))
    assert answer.status_code == 200
    return {offer.button.name: offer.is_open for offer in answer.context["offers"]}


def waiting(account: Any) -> dict[str, int]:
    return {str(one["title"]): one["count"] for one in desk.waiting(account)}


def test_an_entry_on_paper_is_told_every_fault_at_its_field(cast: Cast):
    answer = press(
        browser(cast.qiao), on_list("joinapplication", "enter"), name="1", national_id="61080",
        phone="12", employer="驼城运输", organization=cast.tree.union.pk,
    )  # fmt: skip
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"name", "national_id", "phone"}


def test_from_paper_to_member_through_the_pages(cast: Cast):
    new = applicant(cast)
    qiao, shi = browser(cast.qiao), browser(cast.shi)
    answer = press(
        qiao, on_list("joinapplication", "enter"), organization=cast.tree.union.pk,
        employer="驼城运输", ethnicity="汉族", hukou_type="local_rural", is_farmer_worker="on",
        **new.typed,
    )  # fmt: skip
    assert answer.status_code == 302, answer.content.decode()
    application = JoinApplication.objects.get()
    assert (application.is_by_other, application.state) == (True, JoinState.APPLIED)
    assert press(qiao, step("joinapplication", application.pk, "check")).status_code == 302
    assert press(shi, step("joinapplication", application.pk, "approve")).status_code == 302
    person = Person.objects.get(name=new.name)
    held = Membership.objects.get(person=person)
    assert (held.organization, held.joined_on) == (cast.tree.union, TODAY())
    page = qiao.get(reverse("admin:members_person_change", args=[person.pk])).content.decode()
    assert "汉族" in page and cast.tree.union.name in page
    assert new.national_id not in page


def test_each_role_is_offered_its_own_steps(cast: Cast):
    application = apply(cast)
    mine = {"check", "return", "complete", "refuse", "take-back"}
    theirs = {"approve", "return-checked", "refuse-checked"}
    assert set(buttons(browser(cast.qiao), "joinapplication", application.pk)) == mine
    offered = buttons(browser(cast.shi), "joinapplication", application.pk)
    assert set(offered) == theirs and not any(offered.values())
    assert buttons(browser(cast.gao), "joinapplication", application.pk) == {}
    for who in ("officer", "feng", "account_admin", "wei", "lin"):
        client = browser(getattr(cast, who))
        assert client.get(row("joinapplication", application.pk)).status_code in (302, 403, 404)


def test_a_union_sees_no_application_to_another(cast: Cast):
    application = apply(cast)
    client = browser(clerk(cast.tree.sibling_union))
    assert client.get(row("joinapplication", application.pk)).status_code == 404
    assert application.name not in client.get(listed("joinapplication")).content.decode()


def test_returned_completed_by_the_clerk_and_refused(cast: Cast):
    application = checked(cast)
    qiao, shi = browser(cast.qiao), browser(cast.shi)
    press(shi, step("joinapplication", application.pk, "return-checked"), message="Which shift?")
    application.refresh_from_db()
    assert (application.state, application.reason) == (JoinState.RETURNED, "Which shift?")
    answer = press(
        qiao, step("joinapplication", application.pk, "complete"), name=application.name,
        national_id="", phone=str(application.phone), employer="二班",
    )  # fmt: skip
    assert answer.status_code == 302, answer.content.decode()
    press(qiao, step("joinapplication", application.pk, "refuse"), reason="Not employed here.")
    application.refresh_from_db()
    assert (application.state, application.employer) == (JoinState.REFUSED, "二班")


def test_a_second_application_of_the_number_is_told_at_the_desk(cast: Cast):
    first = apply(cast)
    apply(cast)
    page = browser(cast.qiao).get(row("joinapplication", first.pk)).content.decode()
    assert "Other open applications of this number" in page


def test_an_application_is_found_by_its_whole_number_and_the_address_holds_none(cast: Cast):
    application = apply(cast)
    client = browser(cast.qiao)
    answer = client.post(listed("joinapplication"), {"q": str(application.national_id)})
    assert answer.status_code == 302
    assert str(application.national_id) not in answer["Location"]
    assert application.receipt in client.get(answer["Location"]).content.decode()


def test_the_task_list_counts_what_waits_for_whom(cast: Cast):
    jia = clerk(cast.tree.sibling_union)
    apply(cast)
    checked(cast, applicant(cast, 9).typed)
    asked = transfers.request(
        membership=member(cast), target=cast.tree.sibling_union, employer="x", reason="new work",
        by=cast.lin,
    )  # fmt: skip
    told = waiting(cast.qiao)
    assert told["Applications to join to check"] == 1
    assert (told["Members to release"], told["Members to accept"]) == (1, 0)
    assert waiting(cast.shi)["Applications to join to approve"] == 1
    assert waiting(jia)["Members to accept"] == 0
    transfers.release(transfer=asked, by=cast.qiao, now=NOW)
    assert waiting(jia)["Members to accept"] == 1
    assert waiting(cast.qiao)["Members to release"] == 0


def test_a_transfer_goes_through_both_desks(cast: Cast):
    held, target = member(cast), cast.tree.sibling_union
    qiao, jia = browser(cast.qiao), browser(clerk(target))
    answer = press(
        jia, on_list("membershiptransfer", "request"), name=cast.lin_person.name,
        national_id=str(cast.lin_person.national_id), employer="红石峡水务", target=target.pk,
        reason="new work",
    )  # fmt: skip
    assert answer.status_code == 302, answer.content.decode()
    transfer = MembershipTransfer.objects.get()
    assert set(buttons(qiao, "membershiptransfer", transfer.pk)) == {"release", "refuse"}
    assert set(buttons(jia, "membershiptransfer", transfer.pk)) == {
        "accept", "decline", "take-back",
    }  # fmt: skip
    assert jia.get(step("membershiptransfer", transfer.pk, "release")).status_code == 403
    assert qiao.get(step("membershiptransfer", transfer.pk, "accept")).status_code == 403
    assert press(qiao, step("membershiptransfer", transfer.pk, "release")).status_code == 302
    assert press(jia, step("membershiptransfer", transfer.pk, "accept")).status_code == 302
    transfer.refresh_from_db()
    held.refresh_from_db()
    assert (transfer.state, held.state) == (TransferState.ACCEPTED, MembershipState.TRANSFERRED)
    cast.lin_person.refresh_from_db()
    assert (cast.lin_person.organization, cast.lin_person.employer) == (target, "红石峡水务")
    person = reverse("admin:members_person_change", args=[cast.lin_person.pk])
    assert jia.get(person).status_code == 200
    assert qiao.get(person).status_code == 404


def test_who_has_moved_on_stands_on_no_list_of_the_old_union_across_counties(cast: Cast):
    """The past row stays the old union's, its person does not: the list leaves it out."""
    held, far = member(cast), clerk(cast.tree.other_union)
    asked = transfers.request(
        membership=held, target=cast.tree.other_union, employer="x", reason="new work", by=far
    )
    transfers.release(transfer=asked, by=cast.qiao, now=NOW)
    transfers.accept(transfer=asked, by=far, today=TODAY(), now=NOW)
    for who in (cast.qiao, cast.shi):
        client = browser(who)
        for model, pk in (("membership", held.pk), ("membershiptransfer", asked.pk)):
            assert client.get(row(model, pk)).status_code == 404
            assert client.get(listed(model)).status_code == 200


def test_a_name_that_does_not_fit_is_told_like_a_number_that_nobody_has(cast: Cast):
    member(cast)
    target = cast.tree.sibling_union
    jia = browser(clerk(target))
    pages = set()
    for name, number in (
        ("王另名", str(cast.lin_person.national_id)),
        (cast.lin_person.name, applicant(cast).national_id),
    ):
        answer = press(
            jia, on_list("membershiptransfer", "request"), name=name, national_id=number,
            employer="x", target=target.pk, reason="new work",
        )  # fmt: skip
        assert answer.status_code == 422
        found = re.findall(r'role="alert">(.*?)</div>', answer.content.decode(), re.DOTALL)
        pages.add(tuple(found))
    assert len(pages) == 1


def test_a_membership_is_changed_with_day_and_reason(cast: Cast):
    held = member(cast, on=date(2024, 5, 1))
    qiao = browser(cast.qiao)
    url = step("membership", held.pk, "change")
    answer = press(qiao, url, to="retained", on="2025-01-01", reason="seconded abroad")
    assert answer.status_code == 302, answer.content.decode()
    assert press(qiao, url, to="withdrawn", on="2024-12-31", reason="asked").status_code == 422
    assert press(qiao, url, to="transferred", on="2025-02-01", reason="asked").status_code == 422
    held.refresh_from_db()
    assert held.state == MembershipState.RETAINED
    page = qiao.get(row("membership", held.pk)).content.decode()
    assert "seconded abroad" in page
    assert buttons(browser(cast.shi), "membership", held.pk) == {}


def test_further_fields_are_edited_on_the_persons_page(cast: Cast):
    url = reverse("admin:members_person_do", args=[cast.lin_person.pk, "profile"])
    qiao = browser(cast.qiao)
    answer = press(qiao, url, ethnicity="蒙古族", education="bachelor", hukou_type="local_urban")
    assert answer.status_code == 302, answer.content.decode()
    profile = MemberProfile.objects.get(person=cast.lin_person)
    assert (profile.ethnicity, profile.education) == ("蒙古族", "bachelor")
    wrong = press(qiao, url, ethnicity="蒙古族", hukou_type="local_urban", is_farmer_worker="on")
    assert wrong.status_code == 422
    assert qiao.get(url).context["form"].initial["ethnicity"] == "蒙古族"
    assert browser(cast.shi).get(url).status_code == 403


def test_a_union_is_described_reported_counted_and_printed(cast: Cast):
    member(cast)
    qiao = browser(cast.qiao)
    year = TODAY().year
    answer = press(
        qiao, on_list("unionprofile", "describe-union"), organization=cast.tree.union.pk,
        employer_nature="170", industry="G", committee_on="2024-05-01",
        committee_until="2027-04-30",
    )  # fmt: skip
    assert answer.status_code == 302, answer.content.decode()
    profile = UnionProfile.objects.get()
    wrong = press(
        qiao, step("unionprofile", profile.pk, "describe"), committee_on="2024-05-01",
        committee_until="2031-01-01",
    )  # fmt: skip
    assert wrong.status_code == 422
    figures = {"workers_count": 30, "women_count": 12, "farmer_workers_count": 5, "cadres_count": 1}
    answer = press(
        qiao, on_list("unionyear", "report-year"), organization=cast.tree.union.pk, year=year,
        dues_fen="1234.50", **figures,
    )  # fmt: skip
    assert answer.status_code == 302, answer.content.decode()
    report = UnionYear.objects.get()
    assert report.dues_fen == 123_450
    wrong = press(qiao, step("unionyear", report.pk, "correct"), **{**figures, "women_count": 31})
    assert wrong.status_code == 422
    shi = browser(cast.shi)
    answer = press(
        shi, on_list("yearstatistics", "count"), organization=cast.tree.county.pk, year=year
    )
    assert answer.status_code == 302, answer.content.decode()
    queue.run_waiting()
    kept = YearStatistics.objects.get()
    page = shi.get(row("yearstatistics", kept.pk)).content.decode()
    assert "¥1,234.50" in page and page.count("<svg") >= 3
    assert cast.tree.union.name in page
    assert qiao.get(row("yearstatistics", kept.pk)).status_code == 404
    for who in (shi, browser(cast.officer)):
        assert press(who, step("yearstatistics", kept.pk, "xlsx")).status_code == 302
    queue.run_waiting()
    runs = ReportRun.objects.filter(kind="union_statistics_xlsx")
    assert sorted(runs.values_list("version", "state")) == [(1, "ready"), (2, "ready")]
    assert "Download" in shi.get(row("yearstatistics", kept.pk)).content.decode()
    file = runs.get(version=1).file_id
    assert shi.get(reverse("portal:file", args=[file])).status_code == 200


def test_the_tree_is_walked_down_from_a_unions_fields(cast: Cast):
    member(cast)
    for union in (cast.tree.county, cast.tree.union):
        unions.describe(organization=union, by=cast.officer, today=TODAY(), office="x")
    page = browser(cast.shi).get(
        row("unionprofile", UnionProfile.objects.get(organization=cast.tree.county).pk)
    )
    text = page.content.decode()
    assert row("unionprofile", cast.tree.union.profile.pk) in text
    assert (
        reverse("admin:union_portal_organization_change", args=[cast.tree.sibling_union.pk]) in text
    )
    [panel, _years] = page.context["panels"]
    assert [line[2] for line in panel.rows] == [1, 0]


def test_only_unions_without_fields_are_offered_for_new_ones(cast: Cast):
    qiao = browser(cast.qiao)
    url = on_list("unionprofile", "describe-union")
    press(qiao, url, organization=cast.tree.union.pk)
    assert list(qiao.get(url).context["form"].fields["organization"].queryset) == []


@pytest.mark.parametrize("model", ["membership", "unionprofile"])
def test_a_list_leaves_only_with_the_right_and_is_logged(cast: Cast, model: str):
    member(cast, make_person(cast.tree.union))
    url = on_list(model, "export")
    assert browser(cast.qiao).get(url).status_code == 403
    answer = press(browser(cast.shi), url, kind="xlsx")
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content)[:2] == b"PK"
    assert AuditEntry.objects.filter(action=f"{model}.export", actor_id=cast.shi.pk).exists()


@pytest.mark.parametrize(
    "model",
    [
        "membership", "joinapplication", "membershiptransfer", "unionprofile", "unionyear",
        "yearstatistics",
    ],
)  # fmt: skip
def test_an_empty_list_says_what_to_do_and_no_list_grows_with_its_rows(
    cast: Cast, model: str, django_assert_max_num_queries
):
    client = browser(cast.gao)
    assert client.get(listed(model)).status_code == 200
    for seed in range(4):
        apply(cast, applicant(cast, seed).typed)
        held = member(cast, make_person(cast.tree.union))
        transfers.request(
            membership=held, target=cast.tree.sibling_union, employer="x", reason="new work",
            by=clerk(cast.tree.sibling_union, f"c{seed}"),
        )  # fmt: skip
    with django_assert_max_num_queries(40):
        assert client.get(listed(model)).status_code == 200
