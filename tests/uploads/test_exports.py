"""Forty texts that mean harm in every export: reopened, and each of them dead."""

from __future__ import annotations

import ast
import csv
import io
import itertools
import re
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from members.actions import statistics
from members.models import (
    BankAccount,
    BenefitOffer,
    ImportRun,
    Merchant,
    Person,
    Redemption,
    UnionProfile,
)
from members.rules import card_files
from members.rules.card_files import CardLine
from members.rules.card_layouts import SAMPLES, CardLayout
from tests.architecture.sources import ROOT, python_files, tree
from tests.cast import NOW, TODAY, Cast, make_payee, make_rule_set
from tests.disbursement.conftest import Office, make_office
from tests.members.benefits import category, credit_code
from tests.members.card_office import make_card_office
from tests.members.joining import member as membership
from tests.members.sheets import HEADERS, as_csv, make_rows
from tests.members.street import make_street
from tests.uploads.payloads import PAYLOADS
from tests.web.awards_play import browser
from union_portal import figure_reports, figures, files, queue, reports
from union_portal.access import Role
from union_portal.kit.sheets import escape_csv_cell, writing
from union_portal.models import Account, AccountReview, Organization, ReportRun, ReviewedRole
from welfare.actions import settlements
from welfare.disbursement import batches
from welfare.disbursement.models import PayoutBatch
from welfare.models import MerchantStatement
from welfare.sample_rules import MERCHANTS

# Written independently of what it checks.
UNSEEN = " \u00a0\u3000\t\r\n'\"\u200b\u200e\u2060\ufeff\u202e\x00"
STARTS = tuple("=+-@|%＝＋－＠−﹦")
AMOUNT = re.compile(r"-?\d+(\.\d+)?")
# As people, unions and banks are called here: by its number each is known apart, whatever of its
# beginning a file or its reader takes away. PostgreSQL holds no NUL.
NUMBERED = tuple(f"{one} {number}".replace("\x00", "") for number, one in enumerate(PAYLOADS))
# The most that the name of a category of offers holds.
A_NAME = 40
NO_EXPORTS = {
    "union_portal.kit.delimited_text.joined": (
        "the bank's file: its format is the bank's, an apostrophe would send money astray"
    ),
    "welfare.disbursement.returns._write_rows": "COPY into the database",
    "welfare.disbursement.simulator._joined": "stands for the bank",
    "union_portal.demo.roster.write_roster": "the demo's own input",
    "union_portal.demo.card_desk._written": "what the demo's bank answers",
}


def reopened(content: bytes) -> list[str]:
    """Every text of a workbook, after looking for anything alive in it."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        names = package.namelist()
        sheets = b"".join(package.read(name) for name in names if "worksheets/sheet" in name)
        links = b"".join(package.read(name) for name in names if name.endswith(".rels"))
    assert not [name for name in names if re.search("externalLink|vba|embed|connection", name)]
    assert b"<f>" not in sheets and b"<f " not in sheets and b"<hyperlink" not in sheets
    assert b"External" not in links
    cells = [
        cell
        for sheet in openpyxl.load_workbook(io.BytesIO(content))
        for row in sheet.iter_rows()
        for cell in row
    ]
    assert [cell.coordinate for cell in cells if cell.data_type == "f" or cell.hyperlink] == []
    return [cell.value for cell in cells if isinstance(cell.value, str)]


def read_as_csv(content: bytes) -> list[str]:
    """Every cell of a CSV file, whichever separator its reader has set; none of them alive."""
    text = content.decode("utf-8-sig")
    told = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    for separator in ",;\t":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            assert [cell for cell in row if alive(cell)] == []
    return [unescaped(cell) for cell in told]


def alive(cell: str) -> bool:
    """Whether a spreadsheet would look for a formula in the cell."""
    if cell.startswith("'") or AMOUNT.fullmatch(cell):
        return False
    return cell.lstrip(UNSEEN).startswith(STARTS) or cell.startswith(("\t", "\r", "\n"))


def plain(text: str) -> str:
    """A payload as XML can carry it."""
    return re.sub(r"[\x00\r]|_x000D_", "", text).replace("\n", "").strip()


def missing(texts: list[str], payloads: tuple[str, ...]) -> list[str]:
    """The payloads that are no whole cell."""
    whole = set(map(plain, texts))
    return [one for one in payloads if plain(one) not in whole]


@pytest.fixture
def office(cast: Cast) -> Office:
    """People, unions and banks with such names: as if nothing that reads them had been in force."""
    office = make_office(cast)
    for number, text in enumerate(NUMBERED):
        person = make_payee(cast, name=text)
        Person.objects.filter(pk=person.pk).update(employer=text)
        BankAccount.objects.filter(person=person).update(bank_name=text)
        office.owe_one(person)
        membership(cast, person)
        if number < 3:
            Organization.objects.filter(pk=cast.tree.unions[number].pk).update(name=text)
            UnionProfile.objects.create(organization=cast.tree.unions[number], handler=text)
    office.release(batches.seal(batch=office.assemble(), by=office.cast.feng))
    give_cards(cast)
    return office


def give_cards(cast: Cast) -> None:
    """A card, waiting to be collected, to each of those people."""
    cards, named = make_card_office(cast), Person.objects.filter(employer__in=NUMBERED)
    texts = dict(named.values_list("pk", "name"))
    # A bank is never told such names: they come in afterwards.
    named.update(name="张三", employer="")
    for person in Person.objects.filter(pk__in=texts):
        cards.ready(cards.member(person.organization, person=person))
    batch = cards.sent()
    cards.take(batch, cards.says(batch))
    for pk, text in texts.items():
        Person.objects.filter(pk=pk).update(name=text, employer=text)


def exported(account: Any, model: str, **asked: Any) -> bytes:
    """What the button of a list hands out."""
    client = browser(account)
    answer = client.post(reverse(f"admin:{model}_list_do", args=["export"]), asked)
    assert answer.status_code == 200, answer.context["form"].errors
    assert answer.headers["Content-Disposition"].startswith("attachment")
    return b"".join(answer.streaming_content)


def people(office: Office, kind: str) -> bytes:
    return exported(office.cast.feng, "members_person", kind=kind)


def benefits(office: Office, model: str, kind: str) -> bytes:
    """Payloads as names of merchants and titles of their offers."""
    if not Merchant.objects.filter(name=NUMBERED[0]).exists():
        for number, text in enumerate(NUMBERED):
            merchant = Merchant.objects.create(
                name=text, contact=text, uscc=credit_code(), category=category(),
                organization=office.cast.tree.city, contact_phone="13800138000",
                receipt=f"R{number}",
            )  # fmt: skip
            BenefitOffer.objects.create(
                merchant=merchant, category=category(), title=text, text="x", kind="gift",
                valid_from=TODAY, valid_to=TODAY,
            )  # fmt: skip
    return exported(office.cast.benefits, f"members_{model}", kind=kind)


def uses(office: Office, kind: str) -> bytes:
    """Payloads as the categories of what was used."""
    settled(office)
    answer = browser(office.cast.benefits).post(
        reverse("admin:members_redemption_summary"), {"kind": kind}
    )
    return b"".join(answer.streaming_content)


def statement(office: Office) -> bytes:
    """Payloads as the titles of a merchant's offers."""
    return made("merchant_statement_xlsx", settled(office), office.cast.benefits, office)


def settled(office: Office) -> MerchantStatement:
    """One merchant's month: a use of an offer of each such title, in a category of its own."""
    if (kept := MerchantStatement.objects.first()) is not None:
        return kept
    cast, street = office.cast, make_street(office.cast)
    card = street.member()
    make_rule_set(
        cast, MERCHANTS, fund_code="benefits", parameters={"dispute_days": 7}, valid_to=None
    )
    later = timezone.now() + timedelta(days=40)
    offered = [
        street.offer(title=text, category=category(f"named-{number}", name_en=text[:A_NAME]))
        for number, text in enumerate(NUMBERED)
    ]
    Redemption.objects.bulk_create(
        Redemption(
            offer=offer, revision=1, merchant=street.merchant, card=card, person=card.person,
            organization=card.organization, programme=street.programme, ordinal=1,
            code_digest=f"{number:064d}", code_kind="live", subsidy_fen=offer.subsidy_fen,
            redeemed_at=timezone.now(), redeemed_by=street.till,
        )
        for number, offer in enumerate(offered)
    )  # fmt: skip
    settlements.issue(
        month=timezone.localdate(), by=cast.benefits, now=later, today=timezone.localdate(later)
    )
    return MerchantStatement.objects.get()


def payments(office: Office) -> bytes:
    return exported(office.cast.feng, "disbursement_payoutline")


def report(office: Office) -> bytes:
    return made("disbursement_xlsx", PayoutBatch.objects.get(), office.cast.feng, office)


def review(office: Office) -> bytes:
    """Payloads as reasons of reviewed roles."""
    cast = office.cast
    opened = AccountReview.objects.create(
        opened_on=TODAY, due_on=TODAY + timedelta(days=9), opened_by=cast.security_admin
    )
    held = itertools.product(Organization.objects.all(), Role)
    ReviewedRole.objects.bulk_create(
        ReviewedRole(
            review=opened, account=cast.qiao, role=role, organization=union,
            reason=text,
        )
        for text, (union, role) in zip(NUMBERED, held, strict=False)
    )  # fmt: skip
    return made("account_review", opened, cast.gao, office)


def made(kind: str, subject: Model, by: Account, office: Office) -> bytes:
    """A report as its worker makes it."""
    return written(
        reports.request(kind=kind, subject=subject, by=by, organization=office.cast.tree.city)
    )


def written(run: ReportRun) -> bytes:
    queue.run_job(run.job.pk)
    run.refresh_from_db()
    with files.open_for(run.file) as stream:
        return stream.read()


def imported(office: Office, name: str) -> bytes:
    """Payloads in every cell of an uploaded sheet, and what the portal says about it."""
    cast = office.cast
    rows = []
    for number, payload in enumerate(PAYLOADS):
        base = make_rows(cast.tree.sibling_union, 1, seed=number)[0]
        text = payload.replace("\x00", "")
        rows.append({**base, "姓名": text, "工作单位": text, "开户银行": text, "户名": text})
        rows.append({**dict.fromkeys(HEADERS, text)})
    client = browser(cast.qiao)
    sent = client.post(
        reverse("admin:members_importrun_list_do", args=["upload"]),
        {
            "content": SimpleUploadedFile("people.csv", as_csv(rows)),
            "organization": cast.tree.union.pk,
        },
    )
    assert sent.status_code == 302
    queue.run_waiting()
    run = ImportRun.objects.latest("pk")
    answer = client.get(reverse(f"admin:members_importrun_{name}", args=[run.pk]))
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def memberships(office: Office, kind: str) -> bytes:
    return exported(office.cast.feng, "members_membership", kind=kind)


def unions(office: Office) -> bytes:
    return exported(office.cast.feng, "members_unionprofile")


def counted(office: Office) -> bytes:
    """A county's unions by their names."""
    kept = statistics.count(organization=office.cast.tree.county, year=TODAY.year, now=NOW)
    return made("union_statistics_xlsx", kept, office.cast.feng, office)


def in_figures(office: Office) -> bytes:
    figures.keep(today=TODAY)
    run = figure_reports.ask(kind=figure_reports.XLSX_KIND, day=TODAY, by=office.cast.officer)
    return written(run)


def template(office: Office) -> bytes:
    answer = browser(office.cast.qiao).get(reverse("admin:members_importrun_template"))
    return b"".join(answer.streaming_content)


def to_sign(office: Office) -> bytes:
    """The list on which members sign for their cards."""
    answer = browser(office.cast.qiao).post(
        reverse("admin:members_servicecard_list_do", args=["hand-out-list"]),
        {"organization": office.cast.tree.union.pk},
    )
    return b"".join(answer.streaming_content)


def counted_cards(office: Office) -> bytes:
    answer = browser(office.cast.officer).get(reverse("admin:members_servicecard_counts_file"))
    return b"".join(answer.streaming_content)


def to_the_bank(office: Office) -> bytes:
    """The same people in a workbook for their bank."""
    layout = CardLayout.from_config(SAMPLES["sample-workbook"])
    lines = [
        CardLine(number, f"C{number:08d}", text, "1", "1", text)
        for number, text in enumerate(NUMBERED, start=1)
    ]
    return card_files.build(layout, lines)


ALL, NONE = NUMBERED, ()
NAMES = tuple(one for one in ALL if len(one) <= A_NAME)
# By the function that writes it: how it is asked for, and which payloads it has to hold.
EXPORTS: dict[str, list[tuple[Callable[[Office], bytes], tuple[str, ...]]]] = {
    "members.resources.write_people": [
        (lambda office: people(office, "xlsx"), ALL),
        (lambda office: people(office, "csv"), ALL),
    ],
    "members.resources.write_memberships": [
        (lambda office: memberships(office, "xlsx"), ALL),
        (lambda office: memberships(office, "csv"), ALL),
    ],
    "members.resources.write_unions": [(unions, NUMBERED[:3])],
    "members.reports.statistics.union_statistics_xlsx": [(counted, NUMBERED[:2])],
    "union_portal.figure_reports.figures_xlsx": [(in_figures, NONE)],
    "members.resources.write_findings": [(lambda office: imported(office, "findings"), NONE)],
    "members.resources.write_preview": [(lambda office: imported(office, "preview"), NONE)],
    "members.resources.write_template": [(template, NONE)],
    "members.resources_benefits._write": [
        (lambda office: benefits(office, "merchant", "xlsx"), ALL),
        (lambda office: benefits(office, "merchant", "csv"), ALL),
        (lambda office: benefits(office, "benefitoffer", "xlsx"), ALL),
        (lambda office: benefits(office, "benefitoffer", "csv"), ALL),
        (lambda office: uses(office, "xlsx"), NAMES),
        (lambda office: uses(office, "csv"), NAMES),
    ],
    "welfare.reports.statement_xlsx": [(statement, ALL)],
    "welfare.admin.lines._export": [(payments, ALL)],
    "welfare.admin.entitlements._export": [
        (lambda office: exported(office.cast.feng, "disbursement_entitlement"), ALL)
    ],
    "welfare.disbursement.reporting.sheet.write": [(report, ALL)],
    "union_portal.review_sheet.account_review": [(review, ALL)],
    "members.admin.card_sheets.write_cards": [
        (lambda office: exported(office.cast.officer, "members_servicecard", kind="xlsx"), ALL),
        (lambda office: exported(office.cast.officer, "members_servicecard", kind="csv"), ALL),
    ],
    "members.admin.card_sheets.write_hand_out": [(to_sign, ALL)],
    "members.admin.card_sheets.write_counts": [(counted_cards, NONE)],
    # The bank's own file: its name column is what a bank reads, and no payload is a name.
    "members.rules.card_files.build": [(to_the_bank, ALL)],
}


@pytest.mark.django_db
def test_no_payload_lives_in_any_export(office: Office):
    """All in one office: it takes longer to furnish than to leave."""
    for name, cases in EXPORTS.items():
        for export, within in cases:
            content = export(office)
            texts = reopened(content) if content.startswith(b"PK") else read_as_csv(content)
            assert len(texts) > 4, name
            assert (name, missing(texts, within)) == (name, [])


def test_every_function_that_writes_a_sheet_is_a_known_export():
    """A new export is written by the kit, and is tried with every payload above."""
    writers = {"write_xlsx", "write_csv", "write_template", "write_sheet_template", "Workbook",
               "writer", "DictWriter", "open_workbook"}  # fmt: skip
    found = {
        f"{'.'.join(path.relative_to(ROOT).with_suffix('').parts)}.{function.name}"
        for path in python_files()
        if "kit/sheets" not in str(path)
        for function in ast.walk(tree(path))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", "")) in writers
    }
    passing = {name for name in found if name.startswith("members.admin.imports.")}
    assert found - set(EXPORTS) - set(NO_EXPORTS) - passing == set()
    assert set(EXPORTS) - found == set()


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_is_escaped_and_comes_back_as_it_was(payload: str):
    parts = re.split("[;\t\r\n]", escape_csv_cell(payload))
    assert [part for part in (escape_csv_cell(payload), *parts) if alive(part)] == []
    assert unescaped(escape_csv_cell(payload)) == payload


@given(st.text(alphabet=st.sampled_from("=+-@'\"; \t\r\n\u200bax1,"), max_size=12))
def test_the_escape_can_be_taken_back(text: str):
    assert unescaped(escape_csv_cell(text)) == text


def unescaped(cell: str) -> str:
    """The rule of the docstring: away with each apostrophe in front of what would get one."""
    outer = cell[1:] if cell.startswith("'") and writing._FORMULA.match(cell[1:]) else cell
    return re.sub(rf"([;\t\r\n])'(?={writing._FORMULA_AHEAD})", r"\1", outer)
