"""A reader goes with the statement, and is never left on the connection for the next one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import DatabaseError, connection, transaction
from django.db.models.expressions import RawSQL
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory

from members.models import Person
from tests.cast import Cast, make_person
from tests.kernel.pool import Pool
from tests.roles import playing
from tests.web.awards_play import browser
from union_portal.middleware import ReaderMiddleware
from union_portal.privileges import WEB
from union_portal.readers import (
    Door,
    Reader,
    now,
    preamble,
    reading_as,
    seeing,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def web(cast: Cast) -> Iterator[None]:
    with playing(WEB):
        yield


def left() -> str:
    """What the connection still says of a reader, asked past everything of ours."""
    with connection.connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('portal.reader', true)")
        return str(cursor.fetchone()[0] or "")


def seen() -> int:
    return Person.objects.count()


def answered(cast: Cast, who: str | None, view: Any) -> Any:
    request = RequestFactory().get("/")
    request.user = getattr(cast, who) if who else AnonymousUser()
    return ReaderMiddleware(view)(request)


def test_each_request_on_one_connection_sees_as_its_own_reader(cast: Cast):
    make_person(cast.tree.union)
    with playing(WEB):
        counts = [
            answered(cast, who, lambda request: HttpResponse(str(seen()))).content
            for who in ("qiao", None, "lin", "gao", "wei", None)
        ]
    assert counts == [b"2", b"0", b"1", b"2", b"0", b"0"]
    assert left() == ""


def test_nothing_is_left_after_an_error_in_the_middle(cast: Cast, web: None):
    def breaks(request: HttpRequest) -> HttpResponse:
        with transaction.atomic():
            assert seen() == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        answered(cast, "gao", breaks)
    assert (left(), now(), seen()) == ("", Reader(), 0)


def test_a_refused_statement_and_its_savepoint_leave_the_reader_in_place(cast: Cast, web: None):
    with reading_as(cast.gao.pk), transaction.atomic():
        with pytest.raises(DatabaseError, match="division"), transaction.atomic():
            Person.objects.annotate(one=RawSQL("1 / 0", [])).first()
        assert seen() == 1
    assert left() == ""


def test_a_streamed_answer_reads_for_nobody_once_its_request_is_over(cast: Cast, web: None):
    def streams(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(str(seen()) for _once in range(1))

    assert list(answered(cast, "gao", streams)) == [b"0"]
    assert left() == ""


def test_rows_fetched_in_pieces_are_judged_inside_and_outside_a_transaction(cast: Cast, web: None):
    with reading_as(cast.gao.pk):
        with transaction.atomic():
            assert len(list(Person.objects.iterator())) == 1
        assert len(list(Person.objects.iterator())) == 1
    assert left() == ""
    with transaction.atomic():
        assert list(Person.objects.iterator()) == []


def test_many_rows_and_returned_values_arrive_as_without_a_reader(cast: Cast, web: None):
    with reading_as(cast.officer.pk), connection.cursor() as cursor:
        cursor.executemany("SELECT set_config('portal.test', %s, true)", [("a",), ("b",)])
        cursor.execute("UPDATE members_person SET employer = 'x' RETURNING id")
        assert (cursor.rowcount, cursor.fetchall()) == (1, [(cast.lin_person.pk,)])


def test_a_door_is_open_inside_alone(cast: Cast, web: None):
    with reading_as(None):
        assert seen() == 0
        with seeing(Door.FIRST_LOG_IN):
            assert seen() == 1
        assert seen() == 0


def test_a_door_is_closed_again_within_the_same_transaction(cast: Cast, web: None):
    with reading_as(None), transaction.atomic():
        with seeing(Door.FIRST_LOG_IN):
            assert seen() == 1
        assert seen() == 0


def test_whoever_logs_in_or_out_is_the_reader_from_then_on(cast: Cast):
    with reading_as(None):
        user_logged_in.send_robust(sender=type(cast.lin), request=None, user=cast.lin)
        assert now().account == cast.lin.pk
        user_logged_out.send_robust(sender=type(cast.lin), request=None, user=cast.lin)
        assert now().account is None
    assert now() == Reader()


def test_pages_of_two_people_over_one_connection_show_each_their_own(cast: Cast):
    other = make_person(cast.tree.union, account=cast.wei, name="魏明")
    for account, mine, others in (
        (cast.lin, cast.lin_person.name, other.name),
        (cast.wei, other.name, cast.lin_person.name),
    ):
        text = browser(account).get("/me/").content.decode()
        assert mine in text
        assert others not in text
    assert Client().get("/me/").status_code == 302


@pytest.fixture
def pool(cast: Cast) -> Iterator[Pool]:
    """A pool over one connection of a web process."""
    server = connection.get_new_connection(connection.get_connection_params())
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute(f"SET ROLE {WEB}")
    made = Pool(server)
    yield made
    made.close()


def asked(client: Any, sql: str) -> int:
    with client.cursor() as cursor:
        cursor.execute(sql)
        return int(cursor.fetchone()[0])


COUNT = "SELECT count(*) FROM members_person"


def test_a_pool_that_lends_by_the_transaction_mixes_no_readers_up(cast: Cast, pool: Pool):
    gao, nobody = pool.client(), pool.client()
    as_gao = preamble(Reader(cast.gao.pk))
    for _round in range(3):
        assert asked(gao, as_gao + COUNT) == 1
        assert asked(nobody, preamble(Reader()) + COUNT) == 0
        assert asked(nobody, COUNT) == 0
    gao.autocommit = False
    assert asked(gao, as_gao + COUNT) == 1
    gao.commit()
    assert asked(nobody, COUNT) == 0


def test_a_reader_set_for_the_session_would_leak_through_that_pool(cast: Cast, pool: Pool):
    """Why it is not done so; and that the pool above does lend one connection to both."""
    gao, nobody = pool.client(), pool.client()
    with gao.cursor() as cursor:
        cursor.execute(preamble(Reader(cast.gao.pk)).replace("LOCAL ", ""))
    assert asked(nobody, COUNT) == 1
