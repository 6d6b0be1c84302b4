"""What no line of the product may do, each rule shown to catch a planted offence.

A rule is a function from a parsed file to the nodes that offend. Where one place has to, it is
named here with its reason; a name that is no longer needed fails too, so the lists stay true.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, python_files, tree

Finder = Callable[[ast.Module], Iterator[ast.AST]]


@dataclass(frozen=True)
class Rule:
    """What is looked for, an offence that must be found, and who may, with the reason."""

    finds: Finder
    planted: tuple[str, ...]
    harmless: tuple[str, ...] = ()
    allowed: Mapping[str, str] = field(default_factory=dict)


def _calls(module: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    """Every call with the dotted name of what is called, as far as it is written out."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func) if _is_dotted(node.func) else _last(node.func)


def _is_dotted(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) or (
        isinstance(node, ast.Attribute) and _is_dotted(node.value)
    )


def _last(node: ast.AST) -> str:
    return f"….{node.attr}" if isinstance(node, ast.Attribute) else ""


def _imported(module: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node, node.module
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


def puts_the_sign_before_an_amount(module: ast.Module) -> Iterator[ast.AST]:
    """A sign that is joined to a number: the minus of a negative one would stand behind it."""
    for node in ast.walk(module):
        parts = node.values if isinstance(node, ast.JoinedStr) else []
        if isinstance(node, ast.BinOp):
            parts = [node.left]
        if any(isinstance(part, ast.Constant) and "¥" in str(part.value) for part in parts):
            yield node


def rings_past_the_queue(module: ast.Module) -> Iterator[ast.AST]:
    """Work goes through a job row; a message of Celery's alone can be lost."""
    for node, name in _calls(module):
        if name.rpartition(".")[2] in {"delay", "apply_async", "send_task", "chord"}:
            yield node


def takes_a_lock_outside_the_database(module: ast.Module) -> Iterator[ast.AST]:
    """A lock in a cache ends when it pleases the cache; rows are locked in PostgreSQL."""
    for node, name in _calls(module):
        owner, _dot, verb = name.rpartition(".")
        if verb in {"lock", "setnx"} and re.search(r"cache|redis|client|broker", owner, re.I):
            yield node
    for node, name in _imported(module):
        if name.startswith(("redis.lock", "redlock", "celery_once", "django_redis")):
            yield node


def calls_text_safe(module: ast.Module) -> Iterator[ast.AST]:
    """What a page shows is escaped; `format_html` builds what is not text."""
    for node, name in _calls(module):
        if name.rpartition(".")[2] in {"mark_safe", "SafeString", "SafeText", "safe"}:
            yield node
        if name.rpartition(".")[2] == "Context" and "autoescape" in ast.unparse(node):
            yield node
        written = _WRITTEN_DOWN.get(name.rpartition(".")[2], 0)
        if not all(map(_is_plain, node.args[:written])):
            yield node


# How many of their first arguments are taken as they stand.
_WRITTEN_DOWN = {"format_html": 1, "format_html_join": 2}


def _is_plain(node: ast.AST) -> bool:
    """Written down here: a constant, or constants put together."""
    if isinstance(node, ast.BinOp):
        return _is_plain(node.left) and (_is_plain(node.right) or isinstance(node.op, ast.Mult))
    return isinstance(node, ast.Constant)


def speaks_sql(module: ast.Module) -> Iterator[ast.AST]:
    """SQL of our own stands in rooms where it is looked for."""
    for node, name in _calls(module):
        if name.rpartition(".")[2] in {
            "execute", "executemany", "copy_expert", "RawSQL", "RunSQL", "raw", "extra", "callproc",
        }:  # fmt: skip
            yield node


def fetches_addresses(module: ast.Module) -> Iterator[ast.AST]:
    """Only gateways speak to other machines: nothing a visitor writes becomes a request."""
    for node, name in _imported(module):
        if re.match(r"(requests|httpx|aiohttp|urllib3|urllib\.request|http\.client|ftplib|smtplib"
                    r"|telnetlib|paramiko|django\.core\.mail)\b", name):  # fmt: skip
            yield node


def draws_pdf(module: ast.Module) -> Iterator[ast.AST]:
    """WeasyPrint fetches whatever a page names: only the kit starts it, with its own fetcher."""
    for node, name in _imported(module):
        if name.split(".")[0] == "weasyprint":
            yield node
    for node, name in _calls(module):
        is_page = name in {"HTML", "CSS"} or name.endswith((".HTML", ".CSS"))
        if is_page and not any(keyword.arg == "url_fetcher" for keyword in node.keywords):
            yield node


def runs_data(module: ast.Module) -> Iterator[ast.AST]:
    """Data is read, never run."""
    for node, name in _imported(module):
        if name.split(".")[0] in {
            "pickle", "marshal", "shelve", "dill", "yaml", "code", "jsonpickle", "xmlrpc",
        }:  # fmt: skip
            yield node
    for node, name in _calls(module):
        if name in {"eval", "exec", "compile", "__import__", "os.system", "os.popen"} or any(
            keyword.arg == "shell" and ast.unparse(keyword.value) != "False"
            for keyword in node.keywords
        ):
            yield node
        # One text is taken apart by whoever runs it; a list of words is not.
        if name.startswith("subprocess.") and node.args and isinstance(node.args[0], ast.JoinedStr):
            yield node


def draws_lots(module: ast.Module) -> Iterator[ast.AST]:
    """`random` can be foretold: secrets come from `secrets`, fictional people alone from it."""
    for node, name in _imported(module):
        if name.split(".")[0] == "random":
            yield node


def divides_money(module: ast.Module) -> Iterator[ast.AST]:
    """Fen are integers: a true division or a rounding makes a float of them."""
    for node in ast.walk(module):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and _names_fen(node):
            yield node
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"float", "round"} and any(
            _names_fen(one) for one in node.args
        ):  # fmt: skip
            yield node


def _names_fen(node: ast.AST) -> bool:
    return any(
        str(getattr(one, "id", getattr(one, "attr", ""))).endswith("_fen") for one in ast.walk(node)
    )


def prints_or_logs_a_request(module: ast.Module) -> Iterator[ast.AST]:
    """A form's content, a session or a cookie is never put into a line of the log."""
    for node, name in _calls(module):
        if re.match(r"(log|logger|logging)\.\w+$", name) and re.search(
            r"\.(POST|GET|COOKIES|FILES|body|META|headers|session|get_full_path|build_absolute_uri)\b",
            ast.unparse(node),
        ):
            yield node


def keeps_tables_as_their_owner(module: ast.Module) -> Iterator[ast.AST]:
    """ANALYZE by a role that owns no table is passed over with a warning: see `sets.analyse`."""
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and re.match(
            r"\s*(ANALYZE|VACUUM|REINDEX|CLUSTER)\b", str(node.value)
        ):
            yield node


RULES: dict[str, Rule] = {
    "work goes through the queue": Rule(
        rings_past_the_queue,
        ("pay.delay(1)", "task.apply_async(args=[1])", "app.send_task('x')", "chord([a])(b)"),
        ("delay = 1", "queue.enqueue('x', by=None)"),
        {
            "union_portal/queue.py": "rings for a job row, with its number alone",
            "union_portal/tasks.py": "rings again for the rest of the outbox, without arguments",
            "union_portal/demo/messages.py": "the demo does not wait for beat; no arguments",
            "union_portal/demo/comeback.py": "the demo does not wait for beat; no arguments",
            "members/actions/first_login.py": "a code is waited for at the screen; no arguments",
            "welfare/disbursement/bell.py": "rings for batches that stand in rows; no arguments",
        },
    ),
    "locks are the database's": Rule(
        takes_a_lock_outside_the_database,
        ("cache.lock('x')", "redis_client.lock('x')", "from redis.lock import Lock",
         "self.redis.setnx('a', 1)"),
        ("accounts.lock(account=a)", "threading.Lock()"),
    ),
    "text is escaped": Rule(
        calls_text_safe,
        ("mark_safe(text)", "SafeString(text)", "format_html(f'<b>{name}</b>')",
         "format_html('<b>' + name.upper())", "format_html(text)", "format_html('<b>' + text)",
         "format_html_join(text, '{}', rows)", "Context({}, autoescape=False)"),
        ("format_html('<b>{}</b>', name)", "format_html('{}' + ' {}' * n, *names)"),
        {
            "union_portal/templatetags/once.py": "an empty string where there is no token",
            "welfare/disbursement/reporting/pages.py": "quoted for a style sheet",
            "welfare/disbursement/reporting/vouchers.py": "quoted for a style sheet",
        },
    ),
    "only gateways fetch": Rule(
        fetches_addresses,
        ("import requests", "from urllib.request import urlopen", "import http.client",
         "from django.core.mail import send_mail", "from django.core import mail"),
        ("from urllib.parse import urlsplit", "from django.http import HttpRequest"),
        {
            "union_portal/gateways.py": "gateway and mail server: addresses of the settings",
            "union_portal/offline/ask_health.py": "asks the web server of its own container",
            "union_portal/embedded/demo.py": "asks whether its own web server is up",
        },
    ),
    "PDF is drawn by the kit": Rule(
        draws_pdf,
        ("import weasyprint", "from weasyprint import HTML", "HTML(string=x).write_pdf()",
         "weasyprint.CSS(string=x)"),
        ("HTML(string=x, url_fetcher=fetcher)",),
        {
            "union_portal/kit/pdf.py": "the one fetcher: files of the portal's own folders",
            "union_portal/kit/pdf_renderer.py": "warms the library before it forks",
        },
    ),
    "data is not run": Rule(
        runs_data,
        ("import pickle", "from yaml import load", "eval(text)", "exec(text)", "os.system('ls')",
         "import xmlrpc.client", "subprocess.run('ls', shell=True)", "subprocess.Popen(f'ls {x}')"),
        ("re.compile('x')", "model.objects.none()", "subprocess.run(['ls'], shell=False)"),
    ),
    "lots are drawn for fictional people alone": Rule(
        draws_lots,
        ("import random", "from random import choice"),
        ("import secrets",),
        {
            "union_portal/kit/fictional.py": "people who do not exist, the same for the same seed",
            "union_portal/demo/cast.py": "the demo's people",
            "union_portal/demo/federation.py": "the demo's unions",
            "union_portal/demo/lots.py": "the dice of all other parts of the demo",
            "union_portal/demo/roster.py": "the demo's roster",
            "union_portal/embedded/ports.py": "SystemRandom, which can't be foretold",
        },
    ),
    "money is not divided": Rule(
        divides_money,
        ("x = amount_fen / 3", "round(total_fen)", "float(self.amount_fen)", "a / batch.total_fen"),
        ("amount_fen // 3", "divmod(amount_fen, 100)", "ratio = done / total"),
    ),
    "amounts get their sign in one place": Rule(
        puts_the_sign_before_an_amount,
        ("f'¥{money.yuan(fen)}'", "'¥' + money.yuan(fen)", "'¥%s' % sum"),
        ("money.shown(fen)", "text.replace('¥', '')", "f'{fen} yuan'"),
        {"union_portal/kit/money.py": "the one place: a minus stands before the sign"},
    ),
    "tables are kept by their owner": Rule(
        keeps_tables_as_their_owner,
        ("cursor.execute('ANALYZE members_person')", "f'ANALYZE {table}'", "'VACUUM FULL x'"),
        ("sets.analyse('members_person')", "'EXPLAIN ANALYZE SELECT 1'"),
    ),
    "no form is logged": Rule(
        prints_or_logs_a_request,
        ("log.info('%s', request.POST)", "logger.error(request.body)",
         "log.warning('at %s', request.get_full_path())"),
        ("log.info('job %s', job.pk)",),
    ),
}  # fmt: skip

# Where SQL of our own may stand, and why there.
ROOMS_OF_SQL: dict[str, str] = {
    "welfare/disbursement/": "the engine: set-based, locked, fenced, compared by the database",
    "members/actions/": "imports and exports move a hundred thousand rows in one statement",
    "awards/actions/": "a whole round is judged and granted in one statement",
    "awards/queries/": "the roster is asked by compiled rules, in one statement",
    "union_portal/embedded/postgres.py": "makes the private server's roles and database",
    "union_portal/management/commands/audit_pack.py": "the log as the database prints it",
    "union_portal/management/commands/backup.py": "how far the server's log is written",
    "union_portal/audit.py": "the chain is hashed from PostgreSQL's own text of each entry",
    "union_portal/checks.py": "asks who this process is to the database",
    "members/queries/people.py": "names are looked up by a function that looks past the policies",
    "members/duplicates.py": "pairs of rows that look alike, over a whole city in one statement",
    "members/invariants.py": "questions to the whole register, as the nightly check asks them",
    "members/merging.py": "hangs the rows of one person onto another, a statement a table",
    "welfare/actions/settlements.py": "a month's statements of all merchants in two statements",
    "union_portal/api/repeats.py": "a repeated call waits for the first by the row that it inserts",
    "union_portal/api/throttles.py": "counts a call in one statement",
    "union_portal/admin/paging.py": "what the database estimates a table to hold",
    "union_portal/guards.py": "compares the guards in the database with those of the models",
    "union_portal/health.py": "the age of waiting work by the database's clock",
    "union_portal/history.py": "digests kept tables row by row as the database prints them",
    "union_portal/keys.py": "seals rows anew under their locks, past the models",
    "union_portal/lifecycle.py": "moves a set of states, with its entry, in one statement",
    "union_portal/metrics.py": "counts for monitoring",
    "union_portal/notifications.py": "the database's clock",
    "union_portal/once.py": "an insert that waits for its rival",
    "union_portal/privileges.py": "grants and revokes",
    "union_portal/queue.py": "claims by the database's clock, skipping what is locked",
    "union_portal/readers.py": "sends the reader along with a statement",
    "union_portal/row_security.py": "makes and compares policies",
    "union_portal/sets.py": "INSERT … SELECT from a queryset",
    "union_portal/tries.py": "counts a try in one statement",
    "union_portal/turns.py": "takes turns by the database's locks",
}


def _files() -> Iterator[tuple[str, ast.Module]]:
    for path in python_files():
        yield str(path.relative_to(ROOT)), tree(path)


@pytest.mark.parametrize("name", RULES)
def test_nobody_does_it_but_who_is_named(name: str):
    rule = RULES[name]
    found = {path for path, module in _files() if any(rule.finds(module))}
    assert found == set(rule.allowed)


@pytest.mark.parametrize(("name", "code"), [(n, c) for n, r in RULES.items() for c in r.planted])
def test_an_offence_is_found(name: str, code: str):
    assert list(RULES[name].finds(ast.parse(code))) != []


@pytest.mark.parametrize(("name", "code"), [(n, c) for n, r in RULES.items() for c in r.harmless])
def test_what_is_harmless_is_left_alone(name: str, code: str):
    assert list(RULES[name].finds(ast.parse(code))) == []


def test_sql_stands_in_its_rooms():
    speaking = {path for path, module in _files() if any(speaks_sql(module))}
    outside = {path for path in speaking if not path.startswith(tuple(ROOMS_OF_SQL))}
    assert outside == set()
    empty = [room for room in ROOMS_OF_SQL if not any(path.startswith(room) for path in speaking)]
    assert empty == []


@pytest.mark.parametrize(
    "code",
    ["cursor.execute('x')", "Person.objects.raw('x')", "rows.extra(where=['x'])", "RawSQL('x', [])",
     "cursor.copy_expert('x', file)"],
)  # fmt: skip
def test_sql_is_found(code: str):
    assert list(speaks_sql(ast.parse(code))) != []


def test_a_bell_carries_nothing_but_the_number_of_a_job():
    offenders = []
    for path, module in _files():
        for node in rings_past_the_queue(module):
            assert isinstance(node, ast.Call)
            given = {keyword.arg for keyword in node.keywords} - {"retry"}
            wanted = {"kwargs"} if path == "union_portal/queue.py" else set()
            if given != wanted or len(node.args) > 1:
                offenders.append(f"{path}:{node.lineno}")
    assert offenders == []


def test_style_sheets_are_quoted_where_they_are_called_safe():
    for name in ("pages", "vouchers"):
        path = ROOT / "welfare" / "disbursement" / "reporting" / f"{name}.py"
        for node in calls_text_safe(tree(path)):
            assert "css_text(" in ast.unparse(node), path


UNSAFE = re.compile(
    r"\|\s*safe(?:seq)?\b|\{%\s*autoescape\s+off|\|\s*escapejs\b|\bjavascript:", re.I
)


# Django documents help texts as HTML: its own list of password rules is one, and no row is in any.
HELP_TEXT = "{{ field.help_text|safe }}"


@pytest.mark.parametrize(
    "text", ["{{ name|safe }}", "{{ x | safeseq }}", "{% autoescape off %}", "javascript:alert()"]
)
def test_an_unescaped_template_is_found(text: str):
    assert UNSAFE.search(text)


def test_no_template_shows_text_unescaped():
    offenders = [
        str(path.relative_to(ROOT / "templates"))
        for path in sorted((ROOT / "templates").rglob("*.*"))
        if UNSAFE.search(path.read_text(encoding="utf-8").replace(HELP_TEXT, ""))
    ]
    assert offenders == []


def test_the_walk_sees_every_room():
    """A rule over no files would always hold."""
    assert len(list(_files())) > 200
    assert {Path(path).parts[0] for path, _module in _files()} >= {"union_portal", "welfare"}
