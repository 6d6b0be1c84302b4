"""Health and figures: for whoever shows the token; for anybody else there is no such address."""

import re

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from tests.cast import Cast
from tests.roles import playing
from union_portal import audit, health, probes, queue, tasks
from union_portal.probes import PROBES
from welfare.disbursement import gate
from welfare.disbursement import probes as probes_of_the_engine
from welfare.disbursement import tasks as tasks_of_the_engine

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-the-monitoring-server"
SHOWN = {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}
READY_BUDGET, METRICS_BUDGET = 9, 12


@pytest.fixture(autouse=True)
def token(settings):
    settings.PROBE_TOKEN = TOKEN


@pytest.fixture
def well(monkeypatch):
    """Everything around the portal is as it should be."""
    health.note_pulse()
    monkeypatch.setattr(health, "FREE_BYTES", 1)


def ready() -> tuple[int, dict]:
    answer = Client().get("/health/ready", **SHOWN)
    return answer.status_code, answer.json()


@pytest.mark.parametrize("address", PROBES)
@pytest.mark.parametrize(
    "shown", [{}, {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}x"}, {"HTTP_AUTHORIZATION": "Bearer "}]
)
def test_without_the_token_there_is_no_such_address(address, shown, settings):
    unknown, asked = Client().get("/no/such/address", **shown), Client().get(address, **shown)
    assert asked.status_code == unknown.status_code == 404
    assert _plain(asked) == _plain(unknown)
    assert _names(asked) == _names(unknown)


def _plain(answer) -> str:
    """The page without what differs from request to request."""
    changing = r"/no/such/address|/health/\w+|/metrics|[0-9a-f-]{36}|(nonce|value)=\"[^\"]*\""
    return re.sub(changing, "", answer.content.decode())


def _names(answer) -> list[str]:
    return sorted(answer.headers)


@pytest.mark.parametrize("address", PROBES)
def test_where_no_token_is_set_nobody_gets_an_answer(address, settings):
    settings.PROBE_TOKEN = ""
    for shown in ({}, {"HTTP_AUTHORIZATION": ""}, {"HTTP_AUTHORIZATION": "Bearer "}, SHOWN):
        assert Client().get(address, **shown).status_code == 404


@pytest.mark.parametrize("address", PROBES)
def test_no_log_in_redirect_or_host_stands_in_the_way(address, settings, well):
    settings.SECURE_SSL_REDIRECT = True
    answer = Client().get(address, HTTP_HOST="10.0.0.7", **SHOWN)
    assert answer.status_code == 200
    assert not answer.cookies
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("address", PROBES)
def test_a_form_sent_there_meets_no_such_address(address):
    assert Client().post(address, **SHOWN).status_code == 404


def test_live_asks_nobody(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert Client().get("/health/live", **SHOWN).json() == {"status": "live"}


def test_all_well_is_ready(well):
    assert ready() == (200, {"status": "ready", "checks": dict.fromkeys(health._checks, "ok")})


def test_asking_costs_few_queries(well, cast: Cast):
    for address, budget in (("/health/ready", READY_BUDGET), ("/metrics", METRICS_BUDGET)):
        with CaptureQueriesContext(connection) as queries:
            Client().get(address, **SHOWN)
        assert len(queries) <= budget, address


def test_without_the_database_no_visitor_is_sent_here(well, monkeypatch):
    def refuse():
        raise DatabaseError("secret of the connection")

    monkeypatch.setattr(connection, "cursor", refuse)
    monkeypatch.setattr(connection, "close", lambda: None)
    status, told = ready()
    assert (status, told["status"]) == (503, "not ready")
    assert told["checks"]["database"] == "DatabaseError"
    assert "secret" not in str(told)


def test_tables_older_than_the_code_are_not_ready(well, monkeypatch):
    known = health._migrations_of_the_code()
    monkeypatch.setattr(health, "_migrations_of_the_code", lambda: known | {("members", "9999")})
    status, told = ready()
    assert (status, told["checks"]["migrations"]) == (503, "1 are not applied")


def test_the_broker_away_is_told(well, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    status, told = ready()
    assert (status, told["status"]) == (200, "degraded")
    assert told["checks"]["broker"] == "ConnectionError"


def test_beat_that_stands_still_is_told(well, settings, monkeypatch):
    now = health.time.time()
    cache.clear()
    assert ready()[1]["checks"]["beat"] == "no worker has heard it yet"
    tasks.ring_lost_jobs()
    assert ready()[1]["checks"]["beat"] == "ok"
    monkeypatch.setattr(health.time, "time", lambda: now + 1000)
    assert re.fullmatch(r"last heard \d+ s ago", ready()[1]["checks"]["beat"])


def test_a_job_that_nobody_takes_is_told(well, monkeypatch):
    queue.enqueue("union_portal.report", by=None)
    assert ready()[1]["checks"]["jobs"] == "ok"
    monkeypatch.setattr(health, "WAITING_SECONDS", -1)
    assert ready()[1]["checks"]["jobs"].startswith("one waits for ")


def test_a_full_or_closed_disk_is_told(well, settings, monkeypatch, tmp_path):
    settings.BANK_DIR = tmp_path / "bank"
    monkeypatch.setattr(health.os, "access", lambda path, mode: False)
    assert "bank is not writable" in ready()[1]["checks"]["disks"]
    monkeypatch.undo()
    monkeypatch.setattr(health, "free_bytes", lambda folder: 0)
    settings.PROBE_TOKEN = TOKEN
    assert "register is nearly full" in health.disks()


def test_safe_mode_and_broken_invariants_are_told(well):
    gate.shut("for the test")
    assert ready()[1]["checks"]["restore gate"].startswith("safe mode")
    cache.set(probes_of_the_engine._INVARIANTS, {"at": 1, "checked": 17, "broken": 2}, None)
    assert ready()[1]["checks"]["invariants"] == "2 broken"


def test_invariants_that_nobody_checks_any_more_are_told(well):
    assert ready()[1]["checks"]["invariants"] == "ok"
    tasks_of_the_engine.check_invariants()
    assert ready()[1]["checks"]["invariants"] == "ok"
    kept = cache.get(probes_of_the_engine._INVARIANTS)
    cache.set(probes_of_the_engine._INVARIANTS, kept | {"at": kept["at"] - 51 * 3600}, None)
    assert ready()[1]["checks"]["invariants"] == "not checked for 51 hours"


def test_the_nightly_check_finds_what_is_broken_and_says_so_in_the_log(well, cast: Cast, caplog):
    entry = audit.record("test.change", cast.tree.city, by=cast.officer)
    audit.seal()
    with playing("none"), connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE union_portal_auditentry SET reason = 'later' WHERE id = %s", [entry.pk]
        )
        cursor.execute("SET session_replication_role = origin")
    tasks_of_the_engine.check_invariants()
    assert "the money does not agree with the books: I12" in caplog.text
    assert ready()[1]["checks"]["invariants"] == "1 broken"


def test_the_command_tells_the_same_and_fails_where_a_need_is_not_met(well, capsys):
    call_command("health", "--need", "beat")
    assert '"status": "ready"' in capsys.readouterr().out
    cache.clear()
    call_command("health")
    with pytest.raises(CommandError, match="not well"):
        call_command("health", "--need", "beat")
    with pytest.raises(CommandError, match="no such check"):
        call_command("health", "--need", "weather")


def figures() -> dict[str, float]:
    text = Client().get("/metrics", **SHOWN).content.decode()
    return {
        ",".join([sample.name, *sorted(sample.labels.values())]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_figures_are_those_of_the_database(well, cast: Cast):
    queue.enqueue("union_portal.report", by=None)
    call_command("check_invariants")
    gate.shut("for the test")
    found = figures()
    assert found["portal_jobs,queued"] == 1
    assert found["portal_gate_shut"] == 1
    assert found["portal_invariants_checked"] > 10
    assert found["portal_invariants_broken"] == 0
    assert found["portal_messages_waiting"] == 0
    assert found["portal_disk_free_bytes,register"] > 0


def test_requests_are_counted_by_the_name_of_their_page(well):
    before = figures().get("portal_requests_total,200,GET,portal:home", 0)
    Client().get("/")
    assert figures()["portal_requests_total,200,GET,portal:home"] == before + 1


def test_figures_name_nobody(well, cast: Cast):
    text = Client().get("/metrics", **SHOWN).content.decode()
    person = cast.lin_person
    for datum in (person.name, person.national_id, person.phone, cast.qiao.username):
        assert datum not in text


def test_the_token_is_compared_in_constant_time(monkeypatch):
    compared = []
    monkeypatch.setattr(
        probes, "constant_time_compare", lambda one, other: compared.append((one, other))
    )
    Client().get("/health/live", **SHOWN)
    assert compared == [(TOKEN, TOKEN)]
