"""From the page of a job back to where the work was begun, for whoever may go there."""

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from members.actions import imports, statistics
from members.models import ImportRun
from tests.cast import TODAY, Cast, make_account
from tests.members.cards import make_card
from tests.web.awards_play import browser
from tests.welfare.shop import make_shop
from tests.welfare.test_settlements import issued
from union_portal import figure_reports, queue, reports

pytestmark = pytest.mark.django_db


def way_back(client: Client, job: Any) -> str:
    """Where the link of a job's page leads; empty without one."""
    answer = client.get(reverse("portal:job", args=[job.pk]))
    assert answer.status_code == 200
    way = answer.context["way_back"]
    assert way is None or f'href="{way.url}"' in answer.content.decode()
    return way.url if way else ""


def imported(cast: Cast) -> ImportRun:
    content = ContentFile(b"a,b\n1,2\n", "people.csv")
    return imports.upload(
        content=content, name="people.csv", organization=cast.tree.union, by=cast.qiao
    )


def test_an_import_s_job_leads_back_to_the_import(cast: Cast):
    run = imported(cast)
    page = reverse("admin:members_importrun_change", args=[run.pk])
    assert way_back(browser(cast.qiao), run.job) == page
    assert browser(cast.qiao).get(page).status_code == 200


def test_the_staff_s_page_of_a_job_leads_there_too(cast: Cast):
    run = imported(cast)
    answer = browser(cast.qiao).get(reverse("admin:union_portal_job_change", args=[run.job.pk]))
    assert reverse("admin:members_importrun_change", args=[run.pk]) in answer.content.decode()


def test_a_list_is_led_back_to_where_no_row_is_there_yet(cast: Cast):
    job = statistics.request(organization=cast.tree.city, year=2026, by=cast.officer)
    assert way_back(browser(cast.officer), job) == reverse(
        "admin:members_yearstatistics_changelist"
    )


def test_whoever_may_not_open_the_page_is_not_led_to_it(cast: Cast):
    """A job asked for while one held the role."""
    stranger = make_account("stranger")
    job = queue.enqueue("members.count_year", by=stranger, organization=1, year=2026)
    assert way_back(browser(stranger), job) == ""


def test_work_that_began_on_no_page_leads_nowhere(cast: Cast):
    assert way_back(browser(cast.qiao), queue.enqueue("test.nothing", by=cast.qiao)) == ""


def test_a_report_leads_back_to_the_page_of_its_subject_or_its_own(cast: Cast):
    figures = figure_reports.ask(kind=figure_reports.PDF_KIND, day=TODAY, by=cast.officer)
    assert way_back(browser(cast.officer), figures.job) == reverse(
        "admin:union_portal_countedfigure_changelist"
    )
    copy = reports.request(
        kind="my_data_pdf", subject=cast.lin_person, by=cast.lin,
        organization=cast.tree.union, language="en",
    )  # fmt: skip
    assert way_back(browser(cast.lin), copy.job) == reverse("members:my-data")
    # Whoever watches all jobs has another page of that name.
    assert way_back(browser(cast.account_admin), copy.job) == ""


def test_a_statement_leads_staff_to_their_page_and_the_merchant_to_its_own(cast: Cast):
    shop, card = make_shop(cast), make_card(cast.lin_person)
    statement = issued(shop, card)
    desk = reverse("admin:welfare_merchantstatement_change", args=[statement.pk])
    own = reverse("welfare:statement", args=[statement.pk])
    for who, page in ((shop.officer, desk), (shop.till, own)):
        paper = reports.request(
            kind="merchant_statement_pdf", subject=statement, by=who,
            organization=statement.organization,
        )  # fmt: skip
        assert way_back(browser(who), paper.job) == page
