"""Whatever leaves as a file: by permission, to be saved, under its own type, never cached."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.architecture.sources import ROOT, python_files, tree
from tests.cast import Cast
from tests.disbursement.conftest import make_office
from tests.kernel.test_files import photo
from tests.members.card_office import make_card_office
from tests.members.sheets import as_csv, make_rows, upload
from tests.web.awards_play import browser
from union_portal import files
from union_portal.downloads import POLICY, XLSX, download
from union_portal.models import Account
from welfare.disbursement import claims

ANSWERS = {"FileResponse", "StreamingHttpResponse"}
HEADS = {"Content-Disposition"}


@dataclass(frozen=True)
class Leaving:
    """One way out: who may, how it is asked for, and of what type it is."""

    name: str
    by: Account
    ask: Callable[[Client], object]
    content_type: str


def ways_out(cast: Cast) -> Iterator[Leaving]:
    office = make_office(cast)
    batch = office.released(1)
    claims.wake()
    batch.refresh_from_db()
    run = upload(as_csv(make_rows(cast.tree.union, 1)), by=cast.qiao, organization=cast.tree.union)
    kept = files.store(
        purpose="people_import", name="名单 “x”.csv", content=b"<script>", subject=run,
        organization=cast.tree.union, by=cast.qiao,
    )  # fmt: skip

    def get(name: str, *args: object) -> Callable[[Client], object]:
        return lambda client: client.get(reverse(name, args=args))

    def export(model: str, **asked: str) -> Callable[[Client], object]:
        url = reverse(f"admin:{model}_list_do", args=["export"])
        return lambda client: client.post(url, asked)

    def table(client: Client) -> object:
        return client.post(reverse("admin:members_redemption_summary"), {"kind": "xlsx"})

    imports = "admin:members_importrun_"
    yield Leaving("file", cast.qiao, get("portal:file", kept.pk), "application/octet-stream")
    yield Leaving("template", cast.qiao, get(f"{imports}template"), XLSX)
    yield Leaving("findings", cast.qiao, get(f"{imports}findings", run.pk), XLSX)
    yield Leaving("preview", cast.qiao, get(f"{imports}preview", run.pk), XLSX)
    yield Leaving("people", cast.feng, export("members_person", kind="xlsx"), XLSX)
    yield Leaving("people", cast.feng, export("members_person", kind="csv"), "text/csv")
    yield Leaving("members", cast.feng, export("members_membership", kind="xlsx"), XLSX)
    yield Leaving("members", cast.feng, export("members_membership", kind="csv"), "text/csv")
    yield Leaving("unions", cast.feng, export("members_unionprofile"), XLSX)
    yield Leaving("payments", cast.feng, export("disbursement_payoutline"), XLSX)
    yield Leaving("uses", cast.benefits, table, XLSX)
    yield Leaving("merchants", cast.benefits, export("members_merchant", kind="csv"), "text/csv")
    yield Leaving("offers", cast.benefits, export("members_benefitoffer", kind="xlsx"), XLSX)
    yield Leaving("entitlements", cast.feng, export("disbursement_entitlement"), XLSX)
    url = reverse("admin:disbursement_payoutbatch_do", args=[batch.pk, "bank-file"])

    def fetch(client: Client) -> object:
        page = client.get(url)
        seen = page.context["seen"] if page.context and "seen" in page.context else ""
        return client.post(url, {"seen": seen, "reason": "by hand"})

    yield Leaving("bank file", cast.feng, fetch, "application/octet-stream")
    yield from of_cards(cast)


def of_cards(cast: Cast) -> Iterator[Leaving]:
    """Lists of service cards, and the file that goes to their bank."""
    cards = make_card_office(cast)
    cards.issued()
    batch = cards.sent(1)
    lists = "admin:members_servicecard_list_do"
    url = reverse("admin:members_cardbatch_do", args=[batch.pk, "fetch"])

    def fetch(client: Client) -> object:
        page = client.get(url)
        seen = page.context["seen"] if page.context and "seen" in page.context else ""
        return client.post(url, {"seen": seen, "reason": "by hand"})

    def to_sign(client: Client) -> object:
        return client.post(
            reverse(lists, args=["hand-out-list"]), {"organization": cast.tree.union.pk}
        )

    def export(client: Client) -> object:
        return client.post(reverse(lists, args=["export"]), {"kind": "csv"})

    def counts(client: Client) -> object:
        return client.get(reverse("admin:members_servicecard_counts_file"))

    yield Leaving("card batch", cast.officer, fetch, "application/octet-stream")
    yield Leaving("cards to sign for", cast.qiao, to_sign, XLSX)
    yield Leaving("cards", cast.officer, export, "text/csv")
    yield Leaving("cards issued", cast.officer, counts, XLSX)


@pytest.mark.django_db
def test_every_file_leaves_to_be_saved_and_only_for_who_may(cast: Cast):
    for way in ways_out(cast):
        answer = way.ask(browser(way.by))
        assert answer.status_code == 200, way.name
        assert answer.headers["Content-Disposition"].startswith("attachment; "), way.name
        assert answer.headers["X-Content-Type-Options"] == "nosniff", way.name
        assert {"private", "no-store"} <= {*answer.headers["Cache-Control"].split(", ")}, way.name
        assert answer.headers["Content-Security-Policy"] == POLICY, way.name
        assert answer.headers["Content-Type"].startswith(way.content_type), way.name
        assert b"".join(answer.streaming_content), way.name
        for stranger in (cast.wei, cast.lin):
            refused = way.ask(browser(stranger))
            assert refused.status_code in (302, 403, 404), way.name
            assert "Content-Disposition" not in refused.headers, way.name
        assert "Content-Disposition" not in way.ask(Client()).headers, way.name


@pytest.mark.django_db
def test_only_a_picture_that_was_written_anew_is_shown_in_the_portal(cast: Cast):
    """What was kept as it came is saved, whatever it says it is."""
    files.purpose("tests.shown", label="a file", may=lambda account, file: True)
    files.purpose("tests.kept", label="a file", may=lambda account, file: True, is_issued=True)
    qiao = browser(cast.qiao)
    for purpose, kind, disposition in (
        ("tests.shown", "image/jpeg", "inline"),
        ("tests.kept", "image/jpeg", "attachment"),
        ("tests.kept", "image/svg+xml", "attachment"),
        ("tests.kept", "text/html", "attachment"),
    ):
        kept = files.store(
            purpose=purpose, name="照片.jpg", content=photo(), subject=cast.lin_person,
            organization=cast.tree.union, by=cast.qiao, content_type=kind,
        )  # fmt: skip
        answer = qiao.get(reverse("portal:file", args=[kept.pk]))
        assert answer.headers["Content-Disposition"].startswith(disposition)
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "name",
    ["名单.csv", 'a"b.csv', "a\r\nSet-Cookie: x.csv", "名单;filename=x.html", "a\x00b.csv"],
)
def test_a_name_in_any_script_stays_a_name(name: str):
    head = download(b"x", name=name, content_type="text/csv").headers["Content-Disposition"]
    assert head.startswith("attachment; filename")
    assert not any(mark in head for mark in "\r\n\x00")
    if not name.isascii():
        assert f"filename*=utf-8''{quote(name)}" in head


def test_a_file_is_handed_out_at_one_place_alone():
    """A new download goes through `union_portal.downloads`, and so has its headers."""
    places = {
        str(path.relative_to(ROOT))
        for path in python_files()
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Call) and getattr(node.func, "id", "") in ANSWERS)
        or (isinstance(node, ast.Constant) and node.value in HEADS)
    }
    assert places == {"union_portal/downloads.py"}


def test_every_place_that_hands_out_is_walked_above():
    """By the function that calls it; a new one has to be asked for in `ways_out`."""
    calling = {
        f"{path.relative_to(ROOT)}:{function.name}"
        for path in python_files()
        for function in ast.walk(tree(path))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") in {"download", "download_sheet"}
        and path.name != "downloads.py"
    }
    assert calling == {
        "members/admin/benefit_parts.py:act",
        "members/admin/benefit_parts.py:export_button",
        "members/admin/card_batches.py:_fetch",
        "members/admin/card_lists.py:_export",
        "members/admin/card_lists.py:_hand_out_list",
        "members/admin/cards.py:counts_file",
        "members/admin/imports.py:template_file",
        "members/admin/imports.py:findings_file",
        "members/admin/imports.py:preview_file",
        "members/admin/memberships.py:_export",
        "members/admin/people.py:_export",
        "members/admin/use_table.py:as_sheet",
        "members/admin/unions.py:_export",
        "union_portal/views/files.py:_served",
        "welfare/admin/batch_steps.py:_fetch",
        "welfare/admin/entitlements.py:_export",
        "welfare/admin/lines.py:_export",
    }


def test_no_address_serves_a_folder():
    """Uploads and reports have no public path: only the view with its permission opens them."""

    def patterns(resolver: URLResolver) -> Iterator[URLPattern]:
        for one in resolver.url_patterns:
            yield from patterns(one) if isinstance(one, URLResolver) else [one]

    modules = [one.callback.__module__ for one in patterns(get_resolver())]
    assert len(modules) > 100
    assert "django.views.static" not in modules
