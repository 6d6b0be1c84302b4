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
    """A demo that was killed amid its payments and amid its uses, and then ran to its end."""
    folder = Path(tempfile.mkdtemp(prefix="portal-test-", dir="/var/tmp"))
    folder.chmod(0o755)
    made = Demo(folder)
    wanted = ("demo", "--no-serve", "--people", str(PEOPLE), "--out", str(made.out))
    try:
        made.cut_short = made.killed_after("demo: payment:", *wanted)
        made.cut_again = made.killed_after("demo: merchants:", *wanted)
        made.status, made.said = made.run(*wanted)
        yield made
    finally:
        made.run("stop")
        shutil.rmtree(folder)
        shutil.rmtree(places.outside_folder(made.folder), ignore_errors=True)


def test_a_killed_demo_goes_on_where_it_stopped(demo: Demo):
    assert "demo: payment:" in demo.cut_short
    assert "demo: merchants:" in demo.cut_again
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
        "merchant_settlement",
    }
    for batch in batches:
        assert batch["paid"] + batch["failed"] == batch["lines"] > 0
        assert batch["state"] == "closed"
        for name in (batch["bank_file"], batch["return_file"], batch["report_pdf"]):
            assert (demo.out / name).is_file()
            assert (demo.out / name).stat().st_size > 0


def test_one_batch_waits_for_the_checker_and_one_for_release(demo: Demo):
    waiting = demo.summary()["waiting"]
    assert [(batch["state"], batch["paid"]) for batch in waiting] == [("sealed", 0)] * 2


def test_the_parts_of_every_fund_add_up_to_what_was_appropriated(demo: Demo):
    paid = sum(batch["paid_fen"] for batch in demo.summary()["batches"])
    for fund in demo.summary()["funds"]:
        parts = ("reserved_fen", "in_transit_fen", "spent_fen", "available_fen")
        assert sum(fund[part] for part in parts) == fund["appropriated_fen"] > 0
        assert fund["spent_fen"] > 0
    assert sum(fund["spent_fen"] for fund in demo.summary()["funds"]) == paid


def test_the_counts_are_those_that_were_asked_for(demo: Demo):
    counts = demo.summary()["counts"]
    assert counts["people"] == PEOPLE
    assert counts["unions"] > 12
    assert counts["refused"] > 0
    lines = sum(batch["lines"] for batch in demo.summary()["batches"])
    most = 3 * counts["model_workers"] + counts["statements"]
    assert lines <= counts["entitlements"] <= most


# As the newspaper tells them: almost 13,000, 16, 95, more than 80, more than 800,000 yuan.
TOLD = {
    "cards_issued": range(12_500, 13_001),
    "benefit_categories": range(16, 17),
    "benefit_offers": range(95, 96),
    "merchants": range(80, 90),
    "benefit_spend_fen": range(80_000_000, 90_000_000),
}


def test_the_newspapers_figures_stand_beside_the_summary_and_come_from_the_rows(demo: Demo):
    told, recounted = demo.figures(), demo.recounted()["figures"]
    assert told == recounted
    printed = demo.manage("figures", "--json")
    assert json.loads(printed[printed.index("{") :]) == told
    for key, expected in TOLD.items():
        assert told[key] in expected, key


def test_what_was_taken_over_is_sound_in_itself(demo: Demo):
    faults = demo.recounted()["faults"]
    assert len(faults) > 5
    assert faults == dict.fromkeys(faults, 0)


def test_every_state_of_the_programme_is_there_to_be_seen(demo: Demo):
    lists = demo.recounted()["lists"]
    assert set(lists["cards"]) == {
        "draft", "union_review", "city_review", "ready", "sent_to_bank", "issued", "collected",
        "active", "suspended", "lost", "replaced", "cancelled",
    }  # fmt: skip
    assert set(lists["card_changes"]) >= {
        "union_review draft", "active lost", "lost active", "active suspended",
        "suspended active", "lost replaced", "active cancelled", "sent_to_bank city_review",
    }  # fmt: skip
    assert set(lists["merchant_states"]) >= {
        "applied", "reviewed", "approved", "suspended", "refused", "ended",
    }  # fmt: skip
    assert set(lists["offer_states"]) >= {"draft", "submitted", "published"}
    assert set(lists["statements"]) == {"issued", "approved"}
    assert set(lists["joining"]) == {"applied", "checked", "returned", "refused", "approved"}
    assert set(lists["complaints"]) == {"open", "answered"}
    assert len(lists["counties"]) >= 12
    assert len(lists["months"]) >= 12
    assert len(lists["needs"]) >= 4


def test_no_rule_of_the_ledger_is_broken(demo: Demo):
    held = demo.summary()["invariants"]
    assert held["checked"] > 10
    assert held["broken"] == 0


def test_the_seconds_of_every_stage_are_told(demo: Demo):
    seconds = demo.summary()["seconds"]
    for stage in ("servers", "migrate", "roster", "payment", "hardship", "members", "figures"):
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
        ("hui", "Complaints to answer 1"),
        ("hui", "Disputed lines to answer 1"),
        ("lu", "Offers to publish 1"),
        ("he", "Merges to judge 1"),
        ("qiao", "Members to release 1"),
    ],
)
def test_work_waits_at_every_desk(demo: Demo, name: str, work: str):
    lines = demo.said.splitlines()
    at = next(number for number, line in enumerate(lines) if line.strip().startswith(f"{name} "))
    assert work in lines[at + 1]


def test_the_end_tells_how_to_log_in_without_anybodys_number(demo: Demo):
    for said in ("./portal manage demo_code", "./portal manage demo_member", "portal-demo-"):
        assert said in demo.said
    assert "As kong" in demo.said
    assert "As till" in demo.said
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
        grown = urllib.request.urlopen(f"{site}/figures/").read().decode()
        assert f"{demo.figures()['cards_issued']:,}" in grown
        assert grown.count("<table") > 4
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


# A demo holds tens of thousands of data: only those whose beginning stands there are searched.
BEGINNING = 6


def _found_in(logs: str, data: set[str]) -> list[str]:
    beginnings = {logs[at : at + BEGINNING] for at in range(len(logs))}
    return [
        one
        for one in data
        for form in _as_logged(one)
        if (len(form) < BEGINNING or form[:BEGINNING] in beginnings) and form in logs
    ]


def test_a_datum_in_a_log_is_found_in_whatever_form():
    for form in _as_logged("林秀兰"):
        assert _found_in(f"GET /people/?q={form} 200", {"林秀兰", "王建国"}) == ["林秀兰"]
    assert _found_in("abc", {"ab", "bcd"}) == ["ab"]
    assert _found_in("", {"ab"}) == []


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
    assert _found_in(everything, data) == []
    assert {name: CHINESE.search(text) for name, text in logs.items()} == dict.fromkeys(logs)
    assert [one[:4] for one in held["secrets"] if one in everything] == []
    assert held["secrets_found"] == []
