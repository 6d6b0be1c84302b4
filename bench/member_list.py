"""The staff site's lists of people and of memberships: the product against the stock admin.

    ./portal bench member_list [--people N] [--unions N] [--turns N]

One database with so many members in so many unions. Each question is what the list asks the
database: the change list with its rows, without its template. The stock admin is a ModelAdmin as
the manual shows it (search_fields over the same columns, its own count and pages), read as the
owner of the tables; the product is read as a web process, row security included, by an officer
of the city and by a checker of a county. Interleaved, median of the turns.
"""

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from bench.import_people import ROOT, environment, sql
from bench.measuring import execute, timed
from bench.row_security import prepare

Ask = Callable[[str, dict[str, str]], tuple[int, int]]
SEARCHES: Final = {
    "two-character name": "张伟",
    "three-character name": "王伟明",
    "surname": "黄",
    "pinyin": "wang wei",
    "initials": "ww",
}
# A name that nobody has, of characters that many have.
NOBODY: Final = "伟伟"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--unions", type=int, default=3_000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--child", choices=("prepare", "product", "stock"))
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments)
        return
    name = f"bench_member_list_{os.getpid()}"
    sql(f"CREATE DATABASE {name}")
    try:
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, cwd=ROOT, env=environment(name), check=True)
        owner = environment(name)
        web = urlsplit(os.environ["PORTAL_WEB_DATABASE_URL"])._replace(path=f"/{name}")
        _run("prepare", owner)
        for _turn in range(2):
            _run("product", owner | {"DATABASE_URL": urlunsplit(web)})
            _run("stock", owner)
    finally:
        sql(f"DROP DATABASE {name}")


def _run(part: str, given: dict[str, str]) -> None:
    again = [sys.executable, "-m", "bench.member_list", *sys.argv[1:], "--child", part]
    subprocess.run(again, cwd=ROOT, env=given, check=True)


def child(arguments: argparse.Namespace) -> None:
    import django

    django.setup()
    if arguments.child == "prepare":
        prepare(arguments.people, arguments.unions)
        execute(
            "INSERT INTO members_membership (person_id, organization_id, joined_on,"
            " first_joined_on, channel, created_at, state)"
            " SELECT id, organization_id, '2020-01-01', '2020-01-01', 'import', now(), 'active'"
            " FROM members_person"
        )
        execute("ANALYZE")
        return
    from union_portal.models import Account
    from union_portal.readers import reading_as

    officer, checker = (Account.objects.get(username=name) for name in ("tang", "shi"))
    with reading_as(officer.pk):
        asked = questions()
    if arguments.child == "product":
        asking = {"product, city": product(officer), "product, county": product(checker)}
    else:
        asking = {"stock": stock()}
    for who, ask in asking.items():
        print(f"\n{who}, {arguments.people} people; milliseconds, rows, statements")
        for name, (of, given) in asked.items():
            taken = []
            for _turn in range(arguments.turns + 1):
                (rows, statements), clock = timed(partial(ask, of, given))
                taken.append(1000 * clock["seconds"])
            print(f"  {name:36} {statistics.median(taken[1:]):9.1f} {rows:5} {statements:4}")


def questions() -> dict[str, tuple[str, dict[str, str]]]:
    """Of which model, and what the address of its list asks for, by name."""
    from members.models import Membership, Person

    people, memberships = Person._meta.label, Membership._meta.label
    two = SEARCHES["two-character name"]
    searches = {f"search: {name}": {"q": text} for name, text in SEARCHES.items()}
    alike = {"first page": {}, "last page": {"p": "last"}, **searches}
    return {
        **{name: (people, given) for name, given in alike.items()},
        "search: identity number": (people, {"q": number_of_lin()}),
        "search: surname, of women": (people, {"q": SEARCHES["surname"], "sex__exact": "female"}),
        "search: two characters, of a county": (people, {"q": two, "county": county()}),
        "search: nobody": (people, {"q": NOBODY}),
        "filter: county": (people, {"county": county()}),
        "filter: women": (people, {"sex__exact": "female"}),
        "filter: died": (people, {"died_on__isempty": "0"}),
        **{f"memberships, {name}": (memberships, given) for name, given in alike.items()},
        "memberships, search: two, of active": (memberships, {"q": two, "state__exact": "active"}),
        "memberships, search: two, of women": (
            memberships,
            {"q": two, "person__sex__exact": "female"},
        ),
        "memberships, search: nobody": (memberships, {"q": NOBODY}),
        "memberships, filter: retired": (memberships, {"state__exact": "retired"}),
    }


def number_of_lin() -> str:
    from members.models import Person

    return str(Person.objects.get(account__username="lin").national_id)


def county() -> str:
    from union_portal.models import Organization

    return str(Organization.objects.filter(level="county").order_by("pk")[0].pk)


def product(reader: Any) -> Ask:
    """The lists as one of the staff asks for them."""
    from django.apps import apps
    from django.contrib import admin

    from union_portal.readers import reading_as

    def ask(of: str, given: dict[str, str]) -> tuple[int, int]:
        with reading_as(reader.pk):
            return _asked(admin.site._registry[apps.get_model(of)], reader, given)

    return ask


def stock() -> Ask:
    from django.contrib.admin import (
        AdminSite,
        EmptyFieldListFilter,
        ModelAdmin,
        SimpleListFilter,
    )

    from members.models import Membership, Person
    from union_portal.models import Organization

    counties = Organization.objects.filter(level="county")

    class County(SimpleListFilter):
        title = parameter_name = "county"

        def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
            return [(str(one.pk), one.name) for one in counties.all()]

        def queryset(self, request: Any, queryset: Any) -> Any:
            if self.value() is None:
                return queryset
            path = counties.get(pk=str(self.value())).path
            return queryset.filter(organization__path__startswith=path)

    class People(ModelAdmin):
        list_display = ("name", "national_id_shown", "sex", "born_on", "organization")
        list_per_page = 25
        list_filter = (County, "sex", ("died_on", EmptyFieldListFilter))
        search_fields = ("name", "pinyin", "initials", "national_id_shown")

    class Memberships(ModelAdmin):
        list_display = ("person", "organization", "joined_on", "state")
        list_per_page = 25
        list_filter = ("state", "channel", "person__sex")
        list_select_related = ("person", "organization")
        search_fields = ("person__name", "person__pinyin", "person__initials")

    class Superuser:
        is_active = is_staff = is_superuser = True
        pk = 0

        def has_perm(self, *_given: Any) -> bool:
            return True

    site, anybody = AdminSite("stock"), Superuser()
    pages = {
        Person._meta.label: People(Person, site),
        Membership._meta.label: Memberships(Membership, site),
    }
    return lambda of, given: _asked(pages[of], anybody, given)


def _asked(page: Any, user: Any, given: dict[str, str]) -> tuple[int, int]:
    """Ask for the list; how many rows came, in how many statements."""
    from django.db import connection
    from django.test import RequestFactory
    from django.test.utils import CaptureQueriesContext

    asked = dict(given)
    with CaptureQueriesContext(connection) as statements:
        if asked.get("p") == "last":
            first = RequestFactory().get("/admin/members/person/")
            first.user = user
            asked["p"] = str(page.get_changelist_instance(first).paginator.num_pages)
        request = RequestFactory().get("/admin/members/person/", asked)
        request.user = user
        found = list(page.get_changelist_instance(request).result_list)
        for row in found:
            str(row.organization)
    return len(found), len(statements)


if __name__ == "__main__":
    main()
