"""`./portal demo` itself: killed on its way, run again, served, and read by a newcomer."""

import json
import re
import shutil
import signal
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from tests.demo.checkout import PEOPLE, Demo
from union_portal.demo import cast
from union_portal.embedded import places
from union_portal.embedded.ports import choose_port

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """A demo that was killed after its first payments and then ran to its end."""
    folder = Path(tempfile.mkdtemp(prefix="portal-test-", dir="/var/tmp"))
    folder.chmod(0o755)
    made = Demo(folder)
    wanted = ("demo", "--no-serve", "--people", str(PEOPLE), "--out", str(made.out))
    try:
        made.cut_short = made.killed_after("demo: payment:", *wanted)
        made.status, made.said = made.run(*wanted)
        yield made
    finally:
        made.run("stop")
        shutil.rmtree(folder)
        shutil.rmtree(places.outside_folder(made.folder), ignore_errors=True)


def test_a_killed_demo_goes_on_where_it_stopped(demo: Demo):
    assert "demo: payment:" in demo.cut_short
    assert demo.status == 0, demo.said
    assert re.search(rf"roster: {PEOPLE} people read", demo.said)


def test_nothing_was_paid_twice(demo: Demo):
    assert demo.paid_by_the_bank()
    assert set(demo.paid_by_the_bank().values()) == {1}


def test_every_answered_batch_has_as_many_paid_and_failed_as_lines(demo: Demo):
    batches = demo.summary()["batches"]
    assert {batch["scheme"] for batch in batches} == {
        "festival_gift",
        "living_allowance",
        "special_hardship",
    }
    for batch in batches:
        assert batch["paid"] + batch["failed"] == batch["lines"] > 0
        assert batch["state"] == "closed"
        for name in (batch["bank_file"], batch["return_file"], batch["report_pdf"]):
            assert (demo.out / name).stat().st_size > 0


def test_one_batch_waits_for_the_checker_and_one_for_release(demo: Demo):
    waiting = demo.summary()["waiting"]
    assert [(batch["state"], batch["paid"]) for batch in waiting] == [("sealed", 0)] * 2


def test_the_parts_of_every_fund_add_up_to_what_was_appropriated(demo: Demo):
    paid = sum(batch["paid_fen"] for batch in demo.summary()["batches"])
    for fund in demo.summary()["funds"]:
        parts = ("reserved_fen", "in_transit_fen", "spent_fen", "available_fen")
        assert sum(fund[part] for part in parts) == fund["appropriated_fen"] > 0
        assert fund["spent_fen"] == paid


def test_the_counts_are_those_that_were_asked_for(demo: Demo):
    counts = demo.summary()["counts"]
    assert counts["people"] == PEOPLE
    assert counts["unions"] > 12
    assert counts["refused"] > 0
    lines = sum(batch["lines"] for batch in demo.summary()["batches"])
    assert lines <= counts["entitlements"] <= 3 * counts["model_workers"]


def test_no_rule_of_the_ledger_is_broken(demo: Demo):
    held = demo.summary()["invariants"]
    assert held["checked"] > 10
    assert held["broken"] == 0


def test_the_seconds_of_every_stage_are_told(demo: Demo):
    seconds = demo.summary()["seconds"]
    for stage in ("servers", "migrate", "roster", "payment", "hardship", "reports"):
        assert seconds[stage] >= 0


@pytest.mark.parametrize(
    ("name", "work"),
    [
        ("qiao", "Home visits to make 1"),
        ("shi", "Applications for the county to review 1"),
        ("lu", "Applications to decide 1"),
        ("he", "Objections to answer 1"),
        ("tang", "Appeals to review 1"),
        ("feng", "Discrepancies with the bank 1"),
        ("jiang", "Batches to check 1"),
        ("mu", "Batches to release 1"),
    ],
)
def test_work_waits_at_every_desk(demo: Demo, name: str, work: str):
    lines = demo.said.splitlines()
    at = next(number for number, line in enumerate(lines) if line.strip().startswith(f"{name} "))
    assert work in lines[at + 1]


def test_the_end_tells_how_to_log_in_without_anybodys_number(demo: Demo):
    for said in ("./portal manage demo_code", "./portal manage demo_member", "portal-demo-"):
        assert said in demo.said
    for member in cast.MEMBERS:
        assert member.identity().national_id not in demo.said


def test_a_newcomer_finds_everything_as_it_was_and_logs_in_as_lin(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(demo.environment, "PORTAL_BEAT_SECONDS", "2")
    port = choose_port()
    site = f"http://localhost:{port}"
    before = demo.summary()["batches"]
    process = demo.start("demo", "--port", str(port), "--out", str(demo.out))
    try:
        said = _until("Ctrl-C", process)
        assert "played to its end before" in said
        assert demo.summary()["batches"] == before
        assert f"{site}/first-login/" in said
        page = _first_log_in(demo, site)
        assert "300.00" in page
        assert "林秀兰" in page
        # An address may hold anything: no log may hold the address.
        urllib.request.urlopen(f"{site}/notices/?{urllib.parse.urlencode({'q': '林秀兰'})}")
        _wait_for("Sending due task", demo, "beat.log")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    with pytest.raises(OSError):
        urllib.request.urlopen(f"{site}/", timeout=5)


def _wait_for(words: str, demo: Demo, log: str) -> None:
    """Until a process has written what the proof of the logs asks for below."""
    deadline = time.monotonic() + 120
    while words not in demo.logs().get(log, ""):
        assert time.monotonic() < deadline, f"{log} never said: {words}"
        time.sleep(0.5)


def _until(line: str, process) -> str:
    said = ""
    for told in process.stdout:
        said += told
        if line in told:
            return said
    raise AssertionError(said)


def _first_log_in(demo: Demo, site: str) -> str:
    """Name, number, the code that was sent, a password of one's own: the member's page."""
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
    )
    number = demo.manage("demo_member", "lin").split()[-1]
    page = opener.open(f"{site}/first-login/").read().decode()
    page = _send(opener, f"{site}/first-login/", page, name="林秀兰", national_id=number)
    word = "a-newcomers-own-sentence"
    fields = {"code": _code(demo), "password": word, "again": word}
    return _send(opener, f"{site}/first-login/code/", page, **fields)


def _code(demo: Demo) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = re.search(r"\b\d{6}\b", demo.manage("demo_member", "lin").partition("\n")[2])
        if found:
            return found[0]
    raise AssertionError("no code was sent")


def _send(opener, address: str, page: str, **fields: str) -> str:
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None
    data = urllib.parse.urlencode({"csrfmiddlewaretoken": token[1], **fields}).encode()
    request = urllib.request.Request(address, data, headers={"Referer": address})
    return opener.open(request).read().decode()


CHINESE = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")


def _as_logged(datum: str) -> set[str]:
    """The forms in which a text could stand in a log."""
    bare = repr(datum.encode())[2:-1]
    return {datum, urllib.parse.quote(datum), json.dumps(datum)[1:-1], bare}


def test_no_log_holds_anybodys_datum_and_neither_log_nor_table_a_secret(demo: Demo):
    """After the visit above: web, worker, beat, and both servers have logged all they log."""
    held, logs = demo.personal(), demo.logs()
    assert {"web.log", "worker.log", "beat.log", "postgres.log", "valkey.log"} <= set(logs)
    # Each wrote what it had to write, or nothing would prove nothing.
    for name, said in (
        ("web.log", "action=members:first-login"), ("web.log", "action=portal:notice-list"),
        ("worker.log", "action=disbursement.wake"), ("beat.log", "Sending due task"),
        ("postgres.log", "null value in column"),
    ):  # fmt: skip
        assert said in logs[name], name
    for kind in (
        "members.Person.national_id", "members.Person.phone", "members.Person.name",
        "members.BankAccount.number", "awards.SubsidyCase.details", "awards.HomeVisit.findings",
        "disbursement.PayoutLine.account_number", "union_portal.Message.address",
    ):  # fmt: skip
        assert held["data"][kind], kind
    everything = "\n".join(logs.values())
    data = {datum for values in held["data"].values() for datum in values}
    assert len(data) > 3 * PEOPLE
    assert [one for one in data if any(form in everything for form in _as_logged(one))] == []
    assert {name: CHINESE.search(text) for name, text in logs.items()} == dict.fromkeys(logs)
    assert [one[:4] for one in held["secrets"] if one in everything] == []
    assert held["secrets_found"] == []
