"""Whoever takes the same key comes after; two keys are always taken in one order."""

import threading

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from union_portal import turns


@pytest.mark.django_db
def test_keys_are_taken_in_one_order_and_once_each():
    with CaptureQueriesContext(connection) as asked, transaction.atomic():
        turns.take("mulberry", "apricot", "mulberry")
    held = [one["sql"] for one in asked if "advisory_xact_lock" in one["sql"]]
    assert ["apricot" in sql for sql in held] == [True, False]


@pytest.mark.django_db(transaction=True)
def test_whoever_takes_the_same_key_waits_for_the_end_of_the_transaction():
    told: list[str] = []
    started = threading.Event()

    def second() -> None:
        try:
            with transaction.atomic():
                started.set()
                turns.take("mulberry")
                told.append("second")
        finally:
            connection.close()

    other = threading.Thread(target=second)
    with transaction.atomic():
        turns.take("mulberry")
        other.start()
        assert started.wait(10)
        other.join(0.3)
        told.append("first")
    other.join(10)
    assert told == ["first", "second"]
