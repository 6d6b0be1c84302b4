"""The token of a QR code and the twelve digits: what is refused, and why."""

from __future__ import annotations

import hmac
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.rules import card_tokens
from members.rules.card_tokens import Fault, TokenRefused, grouped, is_code, issue, make_code, read

NOW = datetime(2026, 11, 28, 10, 0, tzinfo=UTC)
DRAWN = st.integers(min_value=0, max_value=10**11 - 1)


def sign(text: str) -> str:
    return hmac.digest(b"a key", text.encode(), "sha256").hex()


def code_of(number: int) -> str:
    return make_code(lambda below: number % below)


def fault(text: str, *, now: datetime = NOW) -> Fault:
    with pytest.raises(TokenRefused) as caught:
        read(text, now=now, sign=sign)
    return caught.value.fault


CODE = code_of(12345678901)
TOKEN = issue(CODE, at=NOW, sign=sign)


@given(DRAWN)
def test_a_code_is_twelve_digits_that_fit(number):
    code = code_of(number)
    assert len(code) == 12
    assert is_code(code)


@given(DRAWN, st.integers(0, 11), st.integers(1, 9))
def test_a_mistyped_digit_is_always_noticed(number, place, more):
    code = code_of(number)
    wrong = str((int(code[place]) + more) % 10)
    assert not is_code(code[:place] + wrong + code[place + 1 :])


@given(DRAWN, st.integers(0, 10))
def test_two_swapped_neighbours_are_always_noticed(number, place):
    code = code_of(number)
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert is_code(swapped) is (swapped == code)


@pytest.mark.parametrize(
    "typed",
    [CODE, grouped(CODE), f" {CODE[:4]}-{CODE[4:8]}-{CODE[8:]} ", CODE.translate(
        {ord("0") + n: 0xFF10 + n for n in range(10)}
    )],
)  # fmt: skip
def test_digits_are_read_however_they_are_typed(typed):
    assert read(typed, now=NOW, sign=sign) == CODE


def test_a_token_holds_the_code_the_instant_and_a_signature_and_no_more():
    version, code, instant, signature = TOKEN.split("-")
    assert (version, code, int(instant)) == ("UP1", CODE, int(NOW.timestamp()))
    assert len(signature) == 16


def test_a_token_counts_for_sixty_seconds():
    for seconds in (0, 59, 60):
        assert read(TOKEN, now=NOW + timedelta(seconds=seconds), sign=sign) == CODE
    assert fault(TOKEN, now=NOW + timedelta(seconds=61)) == Fault.EXPIRED


def test_a_token_of_a_clock_ahead_is_refused_but_for_a_moment():
    assert read(TOKEN, now=NOW - timedelta(seconds=4), sign=sign) == CODE
    assert fault(TOKEN, now=NOW - timedelta(minutes=10)) == Fault.AHEAD


@given(st.integers(0, len(TOKEN) - 1), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"))
def test_a_token_changed_anywhere_is_none(place, sign_):
    changed = TOKEN[:place] + sign_ + TOKEN[place + 1 :]
    if changed != TOKEN:
        assert fault(changed) in {Fault.FORGED, Fault.MALFORMED}


def test_a_token_signed_by_others_is_forged_however_old_it_is():
    theirs = issue(CODE, at=NOW - timedelta(days=1), sign=lambda text: sign(text + "x"))
    assert fault(theirs) == Fault.FORGED


@pytest.mark.parametrize(
    "text", ["", "abc", "123", CODE + "0", "UP", "UP1-", "UP2" + TOKEN[3:], TOKEN + "A", "１２"]
)
def test_what_is_no_code_is_called_so(text):
    assert fault(text) in {Fault.MALFORMED, Fault.FORGED}


@given(st.text(max_size=120))
def test_whatever_is_scanned_is_answered(text):
    with suppress(TokenRefused):
        assert is_code(read(text, now=NOW, sign=sign))


def test_a_token_of_another_version_is_not_taken_for_ours():
    body = f"UP2-{CODE}-{int(NOW.timestamp())}"
    token = f"{body}-{card_tokens._signature(body, sign)}"
    assert fault(token) == Fault.MALFORMED
