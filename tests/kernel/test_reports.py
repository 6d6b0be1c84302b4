"""Reports: asked for by permission, rendered by a worker, versioned, kept, downloaded."""

import pytest
from django.conf import settings as django_settings
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import translation

from tests.disbursement.conftest import make_office
from tests.kernel.attacks import refused_by
from tests.kernel.test_row_security import page_of
from union_portal import figures, files, queue, reports
from union_portal.access import Permission
from union_portal.models import Job, ReportRun, StoredFile
from union_portal.states import JobState, ReportState

pytestmark = pytest.mark.django_db
mood = {"refuse": False, "fail": False}


@reports.report("tests.list", title="名单", permission=Permission.REPORT_DISBURSEMENT)
def produce(run, report, out):
    run.progress(1, 2, "first page")
    if mood["refuse"]:
        raise queue.Refused("The batch is not closed.")
    if mood["fail"]:
        raise KeyError("column")
    path = out / "list.csv"
    path.write_text(f"{report.version},{report.parameters}")
    return reports.Produced(
        path=path, pages=3, digest="d" * 64, name="list.csv", content_type="text/csv"
    )


reports.report("tests.figures", title="数字", permission=Permission.BENEFIT_VIEW)(produce)


@pytest.fixture(autouse=True)
def _well():
    mood.update(refuse=False, fail=False)


def request(cast, **more):
    given = {"by": cast.feng, "organization": cast.tree.city, "kind": "tests.list"}
    return reports.request(subject=cast.tree.city, **(given | more))


def rendered(run):
    queue.run_job(run.job_id)
    return ReportRun.objects.get(pk=run.pk)


def test_a_report_is_rendered_by_a_worker_and_kept_with_its_digest(cast):
    run = request(cast, year=2026)
    assert (run.state, run.version) == (ReportState.REQUESTED, 1)
    run = rendered(run)
    assert (run.state, run.pages, run.digest) == (ReportState.READY, 3, "d" * 64)
    with files.open_for(run.file) as stream:
        assert stream.read() == b"1,{'year': 2026}"
    assert (run.file.name, run.file.content_type) == ("list.csv", "text/csv")


def test_asking_again_makes_a_new_version_and_keeps_the_old(cast):
    first, second = rendered(request(cast)), rendered(request(cast))
    assert (first.version, second.version) == (1, 2)
    assert first.file != second.file
    files.open_for(first.file).close()


def test_only_who_may_asks_and_only_within_their_reach(cast):
    for by in (cast.qiao, cast.officer, cast.wei):
        with pytest.raises(PermissionDenied):
            request(cast, by=by)
    with pytest.raises(LookupError):
        reports.request(
            kind="tests.unheard_of",
            subject=cast.tree.city,
            by=cast.feng,
            organization=cast.tree.city,
        )


def test_who_may_ask_may_fetch(cast):
    run = rendered(request(cast))
    assert files.may_fetch(cast.gao, run.file)
    assert files.may_fetch(cast.feng_releaser, run.file)
    for other in (cast.qiao, cast.shi, cast.lin, cast.wei):
        assert not files.may_fetch(other, run.file)


def test_who_sees_no_people_is_shown_the_report_they_asked_for(cast):
    """The merchants' desk prints statements and figures: the database held the file back."""
    run = rendered(request(cast, by=cast.benefits, kind="tests.figures"))
    with page_of(cast.benefits.pk):
        assert StoredFile.objects.filter(pk=run.file_id).exists()
    with page_of(cast.wei.pk):
        assert not StoredFile.objects.filter(pk=run.file_id).exists()


def test_the_next_version_counts_those_of_colleagues_too(cast):
    """They are not shown to each other: the second to ask was told of a fault."""
    rendered(request(cast, by=cast.benefits, kind="tests.figures"))
    with page_of(cast.officer.pk):
        assert request(cast, by=cast.officer, kind="tests.figures").version == 2


@pytest.mark.parametrize(
    ("how", "told"), [("refuse", "The batch is not closed."), ("fail", "KeyError: 'column'")]
)
def test_a_report_that_fails_says_why_and_may_be_tried_again(cast, how, told):
    mood[how] = True
    run = rendered(request(cast))
    assert (run.state, run.error) == (ReportState.FAILED, told)
    mood[how] = False
    queue.retry(job=run.job, by=cast.feng)
    run = rendered(run)
    assert (run.state, run.error) == (ReportState.READY, "")


def test_a_stopped_report_is_no_report_in_waiting(cast):
    run = request(cast)
    queue.cancel(job=run.job, by=cast.feng)
    run.refresh_from_db()
    assert run.state == ReportState.FAILED


def test_a_second_bell_renders_nothing_twice(cast):
    run = rendered(request(cast))
    Job.objects.filter(pk=run.job_id).update(lease_until=None)
    reports.render(queue.Run(run.job), report=run.pk)
    assert ReportRun.objects.get().file == run.file


def test_a_worker_that_lost_its_lease_delivers_no_report(cast, tmp_path):
    run = request(cast)
    worker = queue.Run(queue._claim(run.job_id))
    Job.objects.filter(pk=run.job_id).update(fence=99)
    with pytest.raises(queue.LeaseLost):
        reports.render(worker, report=run.pk)
    run.refresh_from_db()
    assert (run.state, run.file) == (ReportState.REQUESTED, None)


def test_the_database_wants_a_file_and_a_digest_of_a_ready_report(cast):
    request(cast)
    refused_by("report_ready_has_file", "UPDATE union_portal_reportrun SET state = 'ready'")


# -- the page of the job -------------------------------------------------------------------


@pytest.fixture
def feng(cast, client, monkeypatch):
    monkeypatch.setattr("union_portal.middleware.has_second_factor", lambda account: True)
    client.force_login(cast.feng, backend=django_settings.AUTHENTICATION_BACKENDS[1])
    client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


def test_the_page_shows_progress_then_the_download(cast, feng):
    run = request(cast)
    url = reverse("portal:job", args=[run.job_id])
    Job.objects.filter(pk=run.job_id).update(done_count=1, total_count=4, note="second page")
    page = feng.get(url).content.decode()
    assert "1 of 4" in page
    assert "second page" in page
    assert "hx-get" in page and "the work goes on" in page
    part = feng.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    rendered(run)
    page = feng.get(url).content.decode()
    run.refresh_from_db()
    assert reverse("portal:file", args=[run.file_id]) in page
    assert "hx-get" not in page and "the work goes on" not in page


def test_a_title_is_said_in_the_readers_language(cast):
    feng = {"by": cast.feng, "organization": cast.tree.city}
    batch = make_office(cast).sealed(1)
    run = reports.request(kind="disbursement_xlsx", subject=batch, **feng)
    with translation.override("zh-hans"):
        assert str(run.job) == f"资金发放报告（电子表格） {batch}"
    assert str(run.job) == f"Disbursement report (spreadsheet) {batch}"
    assert str(run) == f"Disbursement report (spreadsheet) {batch} v1"
    assert str(Job(title="people.csv")) == "people.csv"


def test_only_who_asked_stops_or_repeats_and_strangers_see_nothing(cast, feng, client):
    run = request(cast)
    stop = reverse("portal:job-cancel", args=[run.job_id])
    client.force_login(cast.feng_checker, backend=django_settings.AUTHENTICATION_BACKENDS[1])
    assert client.post(stop).status_code == 404
    assert client.get(reverse("portal:job", args=[run.job_id])).status_code == 200
    client.force_login(cast.shi, backend=django_settings.AUTHENTICATION_BACKENDS[1])
    assert client.get(reverse("portal:job", args=[run.job_id])).status_code == 404
    client.force_login(cast.feng, backend=django_settings.AUTHENTICATION_BACKENDS[1])
    assert client.post(stop).status_code == 302
    assert Job.objects.get(pk=run.job_id).state == JobState.CANCELLED
    client.post(reverse("portal:job-retry", args=[run.job_id]))
    assert Job.objects.get(pk=run.job_id).state == JobState.QUEUED


# -- figures -------------------------------------------------------------------------------


def test_figures_are_counted_when_they_are_asked_for(capsys):
    from django.core.management import call_command

    rows = [1]
    figures.figure("tests_rows", title="Rows")(lambda day: len(rows))
    rows.append(2)
    try:
        assert figures.value("tests_rows") == figures.values()["tests_rows"] == 2
        with pytest.raises(ValueError, match="already"):
            figures.figure("tests_rows", title="Rows")(lambda day: 0)
        call_command("figures", "--json")
        assert '"tests_rows": 2' in capsys.readouterr().out
    finally:
        figures._figures.pop("tests_rows")
