"""A number that somebody looks for stands in no address: not in history, not in a link, no log."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.urls import reverse
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser

from tests.architecture.sources import ROOT
from tests.awards.roster import model_worker
from tests.cast import Cast
from tests.web.awards_play import browser

pytestmark = pytest.mark.django_db
PEOPLE = "admin:members_person_changelist"


def look(client: Any, page: str, typed: str, **narrowed: str) -> Any:
    """Press the button of the search, and follow."""
    query = "&".join(f"{name}={value}" for name, value in narrowed.items())
    return client.post(f"{reverse(page)}?{query}", {"q": typed}, follow=True)


def addresses(answer: Any) -> str:
    """Where the search led, and every link of the page."""
    text = answer.content.decode()
    links = [piece.split('"')[0] for piece in text.split('href="')[1:]]
    return " ".join([*(url for url, _code in answer.redirect_chain), *links])


@pytest.mark.parametrize("page", [PEOPLE, "admin:awards_modelworker_changelist"])
@pytest.mark.parametrize("column", ["national_id", "phone"])
def test_a_whole_number_finds_its_person_and_stands_in_no_address(
    cast: Cast, page: str, column: str
):
    model_worker(cast, cast.lin_person)
    number = str(getattr(cast.lin_person, column))
    answer = look(browser(cast.officer), page, f" {number[:6]} {number[6:]} ", o="1", p="3")
    found = list(answer.context["cl"].result_list)
    assert [getattr(row, "person", row) for row in found] == [cast.lin_person]
    shown = addresses(answer) + answer.content.decode()
    assert number not in re.sub(r"[+ ]|%20", "", shown)
    assert "o=1" in answer.redirect_chain[-1][0] and "p=3" not in answer.redirect_chain[-1][0]


def test_a_name_is_searched_for_as_before(cast: Cast):
    answer = look(browser(cast.officer), PEOPLE, cast.lin_person.name)
    assert cast.lin_person in answer.context["cl"].result_list
    assert f'value="{cast.lin_person.name}"' in answer.content.decode()


def test_who_is_out_of_reach_is_found_by_no_address(cast: Cast):
    found = look(browser(cast.officer), PEOPLE, str(cast.lin_person.national_id))
    there = found.redirect_chain[-1][0]
    assert browser(cast.lin).get(there).status_code in {302, 403}
    forged = there[:-4] + "0000"
    assert not browser(cast.officer).get(forged).context["cl"].result_list


def test_a_search_may_be_sent_again_and_changed(cast: Cast):
    client = browser(cast.officer)
    for typed in (cast.lin_person.name, "nobody", cast.lin_person.name):
        answer = client.post(reverse(PEOPLE), {"q": typed, "once_key": "k" * 24})
        assert answer.status_code == 302


def test_the_form_of_a_search_is_sent_not_asked(cast: Cast):
    text = browser(cast.officer).get(reverse(PEOPLE)).content.decode()
    form = text.split('id="changelist-search"')[1].split("</form>")[0]
    assert 'method="post"' in form and "csrfmiddlewaretoken" in form


def test_a_search_longer_than_an_address_holds_is_refused_in_words(cast: Cast):
    client = browser(cast.officer)
    answer = look(client, PEOPLE, "工" * 500, o="1")
    assert answer.status_code == 200
    assert "80" in str(next(iter(answer.context["messages"])))
    assert "q=" not in answer.redirect_chain[-1][0] and "o=1" in answer.redirect_chain[-1][0]
    assert 'maxlength="80"' in answer.content.decode()
    assert not list(look(client, PEOPLE, "工" * 80).context["messages"])


def test_blanks_are_no_search(cast: Cast):
    answer = look(browser(cast.officer), PEOPLE, "   ", o="1")
    assert answer.redirect_chain[-1][0].endswith("?o=1&q=")
    assert look(browser(cast.officer), PEOPLE, f" {cast.lin_person.name} ").context["cl"].query == (
        cast.lin_person.name
    )


@pytest.mark.parametrize("narrowed", ["nonsense=1", "died_on__isempty=weird", "waits=letters"])
def test_a_list_that_knows_no_such_filter_says_that_it_shows_all(cast: Cast, narrowed: str):
    answer = browser(cast.officer).get(f"{reverse(PEOPLE)}?q=nobody&{narrowed}", follow=True)
    assert cast.lin_person in answer.context["cl"].result_list
    assert "no such filter" in str(next(iter(answer.context["messages"])))
    assert not list(browser(cast.officer).get(reverse(PEOPLE)).context["messages"])


@pytest.mark.parametrize("page", ["members:offer-list", "awards:honours-roll"])
def test_the_server_takes_an_address_of_five_hundred_characters_and_the_page_answers(
    client: Any, page: str
):
    line = f"{reverse(page)}?{urlencode({'q': '工' * 500})}"
    text = (ROOT / "union_portal/webserver.py").read_text("utf-8")
    known = Config()
    known.set("limit_request_line", int(text.partition("limit_request_line = ")[2].split()[0]))
    asked = f"GET {line} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    request = next(RequestParser(known, iter([asked]), ("127.0.0.1", 1)))
    assert f"{request.path}?{request.query}" == line
    assert client.get(line).status_code == 200
