"""What a line may not hold is taken out, and what it must keep stays."""

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from union_portal.kit import fictional
from union_portal.kit.scrub import DETAILS, NUMBER, QUERY, SECRET, TEXT, Scrubber

SCRUBBER = Scrubber()


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("payee 林秀兰 has no account", f"payee {TEXT} has no account"),
        ("欧阳·明 and 李四", f"{TEXT} and {TEXT}"),
        (r"\u6797\u79c0\u5170", TEXT),
        (r"b'\xe6\x9e\x97\xe7\xa7\x80'", f"b'{TEXT}'"),
        ("%E6%9E%97%E7%A7%80", TEXT),
        ("of 610802198501011234.", f"of {NUMBER}."),
        ("of 61080219850101123X", f"of {NUMBER}"),
        ("of 610802850101123", f"of {NUMBER}"),
        ("tel13800138000", f"tel{NUMBER}"),
        ("138-0013-8000, 138 0013 8000", f"{NUMBER}, {NUMBER}"),
        ("１３８００１３８０００", NUMBER),
        ("6222 0212 3456 7890 123", NUMBER),
        ("GET /admin/people/?q=abc&p=2 HTTP/1.1", f"GET /admin/people/?{QUERY} HTTP/1.1"),
        ("redis://:abc@127.0.0.1:1/0", f"redis://{SECRET}@127.0.0.1:1/0"),
        ("postgres://union:p%40w@db/union", f"postgres://{SECRET}@db/union"),
        ("Authorization: Bearer abc.def", f"Authorization: {SECRET}"),
        ("{'password': 'a b', 'n': 1}", f"{{'password': {SECRET}, 'n': 1}}"),
        ("{'name': 'Alice Smith'}", f"{{'name': {TEXT}}}"),
        ("Key (name)=(Alice) already exists.", f"{DETAILS} already exists."),
        ("Failing row contains (1, Alice, null).", DETAILS),
    ],
)
def test_what_a_line_may_not_hold(line: str, left: str) -> None:
    assert SCRUBBER.text(line) == left


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-28 07:08:45,123 INFO job 12 of 345 done",
        "job 0b1c2d3e-1234-4567-8901-123456789012 was taken over",
        "batch P20260000012 is held, line P20260000012-000003",
        f"file {'1234567890' * 6}abcd",
        "127.0.0.1:54321 took 0.0123456789012 s",
        "Not Found: /admin/members/person/17/change/",
    ],
)
def test_what_a_line_keeps(line: str) -> None:
    assert SCRUBBER.text(line) == line


def test_details_of_postgresql_go_to_the_end_of_the_error() -> None:
    told = (
        'IntegrityError: duplicate key value violates unique constraint "one"\n'
        "DETAIL:  Key (pinyin)=(lin\nxiu lan) already exists.\n\n"
        "The above exception was the direct cause of the following exception:\n\n"
        "Traceback (most recent call last):"
    )
    left = SCRUBBER.text(told)
    assert "xiu" not in left
    assert left.startswith("IntegrityError: duplicate key")
    assert left.endswith("Traceback (most recent call last):")


def test_secrets_of_the_process_go_wherever_they_stand() -> None:
    mine = Scrubber()
    mine.hide(["correct-horse", "short", ""])
    assert mine.text("xcorrect-horsey short") == f"x{SECRET}y short"


def test_fields_are_scrubbed_by_their_names_too() -> None:
    value = SCRUBBER.value
    assert value("payee_name", "Alice") == TEXT
    assert value("Token", "abc") == SECRET
    assert value("data", {"phone": "1", "ids": [1, 13800138000]}) == {
        "phone": TEXT, "ids": [1, NUMBER],
    }  # fmt: skip
    assert [value("status", one) for one in (200, True, None)] == [200, True, None]


@given(seed=st.integers(0, 10**6), before=st.text(max_size=8), after=st.text(max_size=8))
def test_no_datum_passes_whatever_stands_around_it(seed: int, before: str, after: str) -> None:
    rng = random.Random(seed)
    born_on = fictional.make_birth_date(rng, first=date(1940, 1, 1), last=date(2008, 1, 1))
    for datum in (
        fictional.make_national_id(rng, born_on, "female", "610802"),
        fictional.make_mobile(rng),
        fictional.make_card_number(rng),
        fictional.make_name(rng, "male"),
    ):
        assert datum not in SCRUBBER.text(f"{before} {datum} {after}")


def test_a_secret_that_was_named_stays_hidden_when_others_are_named():
    scrubber = Scrubber()
    scrubber.hide(["first-secret-of-all"])
    scrubber.hide(["second-secret-of-all"])
    told = scrubber.text("first-secret-of-all and second-secret-of-all")
    assert "secret-of-all" not in told
