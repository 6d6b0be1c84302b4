"""What row security costs: pages and statements with the policies and without, interleaved.

    python -m bench.row_security [--people N] [--unions N] [--turns N]

One database with so many people in so many unions, one process with the rights of a web process.
Every page is asked for with row security and without it: policies switched off, and no reader
sent along. Beside the median of the turns stands the processor time of client and server
together, which other work on the machine disturbs less.
"""

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from bench.import_people import ROOT, environment, sql
from bench.measuring import execute, timed

Ask = Callable[[], Any]
OWNER: Final = "BENCH_OWNER_DATABASE_URL"
# Of which names are made, each as frequent as its neighbours; one in five has no last character.
SURNAMES: Final = "王 wang 李 li 张 zhang 刘 liu 陈 chen 杨 yang 赵 zhao 黄 huang"
GIVEN: Final = "伟 wei 芳 fang 娜 na 敏 min 静 jing 丽 li 强 qiang 磊 lei 军 jun 洋 yang"
LAST: Final = "明 ming 华 hua 国 guo 玲 ling"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--unions", type=int, default=3_000)
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--child", choices=("prepare", "ask"))
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments)
        return
    name = f"bench_row_security_{os.getpid()}"
    sql(f"CREATE DATABASE {name}")
    try:
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, cwd=ROOT, env=environment(name), check=True)
        owner = environment(name)
        web = urlsplit(os.environ["PORTAL_WEB_DATABASE_URL"])._replace(path=f"/{name}")
        as_web = owner | {"DATABASE_URL": urlunsplit(web), OWNER: owner["DATABASE_URL"]}
        for part, given in (("prepare", owner), ("ask", as_web)):
            again = [sys.executable, "-m", "bench.row_security", *sys.argv[1:], "--child", part]
            subprocess.run(again, cwd=ROOT, env=given, check=True)
    finally:
        sql(f"DROP DATABASE {name}")


def child(arguments: argparse.Namespace) -> None:
    import django

    django.setup()
    if arguments.child == "prepare":
        prepare(arguments.people, arguments.unions)
        return
    asked = questions()
    taken: dict[tuple[str, bool], list[dict[str, float]]] = {}
    for turn in range(arguments.turns + 1):
        for is_on in (True, False) if turn % 2 else (False, True):
            with judged() if is_on else unjudged():
                for name, ask in asked.items():
                    result = timed_often(ask)
                    if turn:  # the first turn warms up
                        taken.setdefault((name, is_on), []).append(result)
    print(f"\n{arguments.people} people, {arguments.unions} unions, {arguments.turns} turns")
    print(
        f"{'':34} {'with':>9} {'without':>9} {'ratio':>6} {'with':>9} {'without':>9} {'ratio':>6}"
    )
    print(f"{'milliseconds':34} {'by the clock':>26} {'by processor':>26}")
    for name in asked:
        clock = [median(taken[name, is_on], "seconds") for is_on in (True, False)]
        cpu = [median(taken[name, is_on], "cpu") for is_on in (True, False)]
        share = cpu[0] / cpu[1] if cpu[1] else 1
        row = f"{clock[0]:9.2f} {clock[1]:9.2f} {clock[0] / clock[1]:6.2f}"
        print(f"{name:34} {row} {cpu[0]:9.2f} {cpu[1]:9.2f} {share:6.2f}")


def timed_often(ask: Ask, times: int = 5) -> dict[str, float]:
    """Milliseconds of one asking; processor time is counted in hundredths of a second."""
    _last, taken = timed(lambda: [ask() for _turn in range(times)])
    return {clock: 1000 * value / times for clock, value in taken.items()}


def median(results: list[dict[str, float]], clock: str) -> float:
    return statistics.median(result[clock] for result in results)


@contextmanager
def judged() -> Iterator[None]:
    yield


@contextmanager
def unjudged() -> Iterator[None]:
    """As if there were no policies, and nothing to tell them."""
    from union_portal import readers

    carry, readers._carry = readers._carry, plain
    switch("DISABLE")
    yield
    switch("ENABLE")
    readers._carry = carry


def switch(word: str) -> None:
    """Switch the policies of every guarded table, as the owner."""
    from django.apps import apps

    from union_portal import shown_to

    owner = psycopg2.connect(os.environ[OWNER])
    with owner, owner.cursor() as cursor:
        for label in shown_to.SHOWN:
            table = apps.get_model(label)._meta.db_table
            cursor.execute(f'ALTER TABLE "{table}" {word} ROW LEVEL SECURITY')
    owner.close()


def plain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    return execute(sql, params, many, context)


def prepare(people: int, unions: int) -> None:
    """A federation, and its people by SQL."""
    from tests.cast import make_cast, make_tree

    make_cast(make_tree())
    execute(
        "INSERT INTO union_portal_organization (name, short_name, level, parent_id, path,"
        " division_code, phone, address, is_active)"
        " SELECT '基层工会 ' || n, '', 'grassroots', c.id, '', '', '', '', true"
        " FROM generate_series(1, %s) n JOIN LATERAL (SELECT id FROM union_portal_organization"
        " WHERE level = 'county' ORDER BY id OFFSET n %% 12 LIMIT 1) c ON true",
        unions,
    )
    execute(
        "INSERT INTO members_person (name, pinyin, initials, sex, born_on, national_id,"
        " national_id_index, national_id_shown, phone_shown, employer, organization_id,"
        " created_at, updated_at)"
        " SELECT s.hanzi || g.hanzi || coalesce(l.hanzi, ''),"
        " concat_ws(' ', s.pinyin, g.pinyin, l.pinyin),"
        " left(s.pinyin, 1) || left(g.pinyin, 1) || coalesce(left(l.pinyin, 1), ''),"
        " (ARRAY['male','female'])[1 + n %% 2], '1970-01-01',"
        " p.national_id, md5('a' || n) || md5('b' || n),"
        " '610***********123X', '', '榆林', u.id, now(), now()"
        " FROM generate_series(1, %s) n"
        f" JOIN ({_syllables(SURNAMES)}) s ON s.place = 1 + n %% 8"
        f" JOIN ({_syllables(GIVEN)}) g ON g.place = 1 + n / 8 %% 10"
        f" LEFT JOIN ({_syllables(LAST)}) l ON l.place = n / 80 %% 5"
        " JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS many"
        "       FROM union_portal_organization WHERE level = 'grassroots') u"
        " ON u.place = n %% u.many"
        " CROSS JOIN (SELECT national_id FROM members_person LIMIT 1) p",
        people,
    )
    execute("ANALYZE")


def _syllables(spelled: str) -> str:
    """Characters and their pinyin as a table of SQL: "王 wang 李 li" and so on, from place 1."""
    words = spelled.split()
    rows = ", ".join(
        f"({place}, '{hanzi}', '{pinyin}')"
        for place, (hanzi, pinyin) in enumerate(zip(words[::2], words[1::2], strict=True), start=1)
    )
    return f"SELECT * FROM (VALUES {rows}) v (place, hanzi, pinyin)"


def questions() -> dict[str, Ask]:
    """What is asked for, by name."""
    from django.conf import settings

    settings.SECURE_SSL_REDIRECT = False
    from tests.web.awards_play import browser
    from union_portal.models import Account

    def held(name: str) -> Account:
        return Account.objects.get(username=name)

    staff = {"city": held("tang"), "county": held("shi"), "union": held("qiao")}
    clients = {name: browser(account) for name, account in staff.items()}
    member = browser(held("lin"))
    asked: dict[str, Ask] = {"a member's own page": lambda: page(member, "/me/")}
    for name, client in clients.items():
        asked[f"list of people, {name}"] = _page(client, "/admin/members/person/")
        asked[f"search 张伟, {name}"] = _page(client, "/admin/members/person/?q=张伟")
    asked["statement: SELECT 1"] = statement(staff["city"].pk, "SELECT 1")
    asked["statement: a person by number"] = statement(
        staff["city"].pk, "SELECT name FROM members_person WHERE id = 1"
    )
    asked["statement: count all people"] = statement(
        staff["city"].pk, "SELECT count(*) FROM members_person"
    )
    return asked


def page(client: Any, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)


def _page(client: Any, address: str) -> Ask:
    return lambda: page(client, address)


def statement(account: int, text: str) -> Ask:
    """A hundred times, as a page of the account sends it."""
    from union_portal.readers import reading_as

    def ask() -> None:
        with reading_as(account):
            for _time in range(100 if "count" not in text else 1):
                execute(text)

    return ask


if __name__ == "__main__":
    main()
