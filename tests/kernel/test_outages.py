"""Scheduled work outlives the database going away, and hides no other error."""

import pytest
from django.db import DataError, InterfaceError, OperationalError, connection, transaction

from union_portal import outages


def terminate() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")  # whose session it is, and who alone may end it
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_ends_is_outlived():
    with outages.outlived():
        terminate()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_a_closed_connection_and_one_that_broke_off_are_outages():
    for lost in (InterfaceError("connection already closed"), OperationalError("cut")):
        with outages.outlived():
            raise lost


@pytest.mark.django_db
def test_an_error_of_ours_is_not_hidden():
    with (
        pytest.raises(DataError),
        outages.outlived(),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT 1 / 0")
