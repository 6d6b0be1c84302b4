"""Log lines: made for machines, with who and for what, and never with anybody's data."""

import io
import json
import logging
import subprocess
import sys
import threading

import pytest
from django.conf import settings as configured
from django.db import IntegrityError, transaction
from django.test import Client, RequestFactory
from django.urls import reverse
from django.views.debug import get_default_exception_reporter_filter

from members.models import Person
from tests.cast import Cast
from tests.processes import surroundings
from tests.roles import playing
from tests.web.awards_play import browser
from union_portal import logs, queue
from union_portal.celery import app

pytestmark = pytest.mark.django_db


class Lines:
    """What one form wrote."""

    def __init__(self, form: logging.Formatter) -> None:
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(form)
        self.handler.addFilter(logs.Around())

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def objects(self) -> list[dict]:
        return [json.loads(line) for line in self.text.splitlines()]

    def of(self, logger: str) -> list[dict]:
        return [line for line in self.objects() if line["logger"] == logger]


@pytest.fixture(params=[logs.JsonLines, logs.PlainLines])
def either(request):
    yield from _listening(Lines(request.param()))


@pytest.fixture
def lines():
    yield from _listening(Lines(logs.JsonLines()))


def _listening(made: Lines):
    root = logging.getLogger()
    root.addHandler(made.handler)
    yield made
    root.removeHandler(made.handler)


def test_a_request_is_one_line_with_page_account_status_and_number(cast: Cast, lines: Lines):
    answer = browser(cast.qiao).get(reverse("portal:home"), {"q": "林秀兰"})
    (line,) = lines.of("union_portal.request")
    assert line["request"] == answer["X-Request-ID"]
    assert (line["action"], line["method"], line["status"]) == ("portal:home", "GET", 200)
    assert line["account"] == cast.qiao.pk
    assert line["ms"] >= 0
    assert "林" not in lines.text
    assert cast.qiao.username not in lines.text


def test_a_form_leaves_nothing_of_its_content(cast: Cast, either: Lines):
    number = cast.lin_person.national_id
    Client().post(reverse("members:first-login"), {"name": "林秀兰", "national_id": number})
    Client().post(reverse("account_login"), {"login": "someone", "password": "a-very-long-secret"})
    assert "members:first-login" in either.text
    for datum in ("林秀兰", number, "someone", "a-very-long-secret"):
        assert datum not in either.text


def test_a_job_is_one_line_with_its_number_and_how_it_ended(lines: Lines, monkeypatch):
    monkeypatch.setitem(queue._works, "test.nothing", queue.Work(lambda run: None, None))
    job = queue.enqueue("test.nothing", by=None)
    queue.run_job(job.pk)
    (line,) = lines.of("union_portal.queue")
    assert (line["request"], line["action"]) == (str(job.pk), "test.nothing")
    assert (line["status"], line["attempt"]) == ("done", 1)
    assert line["ms"] >= 0


def test_fields_stand_behind_the_sentence_and_frames_end_with_their_error():
    said = "it failed\nTraceback (most recent call last):\nKeyError"
    record = logging.makeLogRecord({"msg": said, "page": 7})
    sentence, *frames = logs.PlainLines().format(record).splitlines()
    assert sentence.endswith("it failed page=7")
    assert frames == ["Traceback (most recent call last):", "KeyError"]


def test_a_task_is_one_line_without_its_arguments(lines: Lines):
    @app.task(name="test.told")
    def told(name: str) -> str:
        return name

    told.apply(kwargs={"name": "Alice"})
    (line,) = lines.of("union_portal.task")
    assert (line["action"], line["status"]) == ("test.told", "SUCCESS")
    assert "Alice" not in lines.text


def test_a_refused_row_leaves_neither_its_values_nor_its_statement(cast: Cast, either: Lines):
    """The owner is told the row; behind row security PostgreSQL keeps it to itself."""
    person = cast.lin_person
    try:
        with transaction.atomic(), playing("none"):
            Person.objects.filter(pk=person.pk).update(pinyin="lin xiulan", organization=None)
    except IntegrityError as error:
        assert "lin xiulan" in str(error)
        logging.getLogger("anything").exception("it broke: %s", error)
    assert "IntegrityError" in either.text
    for datum in (person.name, "lin xiulan", person.national_id, person.phone, "DETAIL"):
        assert datum not in either.text


def test_a_line_that_can_not_be_written_shows_no_values(either: Lines):
    sentence = "of %s and %s"
    logging.getLogger("anything").info(sentence, "Alice")
    assert "Alice" not in either.text
    assert "a line that can't be written" in either.text


def test_statements_are_not_logged_at_any_level(settings):
    made = logs.configuration(form="json", level="DEBUG")
    assert made["loggers"]["django.db.backends"]["level"] == "INFO"


def test_what_nobody_catches_goes_through_the_log(lines: Lines, monkeypatch):
    monkeypatch.setattr(sys, "__excepthook__", None)
    try:
        raise ValueError("林秀兰")
    except ValueError:
        logs._uncaught(*sys.exc_info())
    thread = threading.Thread(target=lambda: int("13800138000x"))
    monkeypatch.setattr(threading, "excepthook", logs._uncaught_in_thread)
    thread.start()
    thread.join()
    assert [line["level"] for line in lines.of("uncaught")] == ["CRITICAL"] * 2
    assert "ValueError" in lines.text
    assert "林" not in lines.text
    assert "13800138000" not in lines.text


def test_every_logger_ends_at_the_one_handler_that_scrubs():
    """In a process of its own, as it is set up there: web, worker and commands alike."""
    code = (
        "import django, logging; django.setup();"
        "import union_portal.celery as c; c.app.log.setup();"
        "names = ['', *logging.root.manager.loggerDict];"
        "print([(n, type(h.formatter).__name__) for n in names"
        " for h in logging.getLogger(n).handlers if type(h) is not logging.NullHandler])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=surroundings(PORTAL_LOG_FORM="json"), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[('', 'JsonLines')]"


def test_the_secrets_of_this_process_stand_in_no_line(either: Lines):
    password = configured.DATABASES["default"]["PASSWORD"]
    for secret in (configured.SECRET_KEY, configured.PORTAL_INDEX_KEY, password):
        assert len(secret) > 20
        logging.getLogger("anything").error("could not use %s", secret)
        assert secret not in either.text
    logging.getLogger("anything").error("keys %s", configured.PORTAL_KEYRING)
    assert configured.PORTAL_KEYRING.split(":")[-1] not in either.text


def test_djangos_report_of_a_fault_shows_no_secret_and_no_datum(settings):
    settings.DEBUG = True
    request = RequestFactory().post("/", {"remark": "林秀兰"})
    told = get_default_exception_reporter_filter()
    shown = str(told.get_safe_settings()) + str(told.get_post_parameters(request))
    try:
        datum = "13800138000"
        raise ValueError
    except ValueError:
        frame = sys.exc_info()[2].tb_frame
        shown += str(told.get_traceback_frame_variables(request, frame))
    assert "datum" in shown
    for secret in (
        configured.SECRET_KEY, configured.PORTAL_KEYRING, configured.PORTAL_INDEX_KEY,
        configured.DATABASES["default"]["PASSWORD"], configured.REDIS_URL, "林秀兰", datum,
    ):  # fmt: skip
        assert secret not in shown
