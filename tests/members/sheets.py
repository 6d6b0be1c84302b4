"""Files of people for the tests: rows by header, written as CSV or XLSX."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Sequence
from datetime import date
from typing import Any

import xlsxwriter
from django.core.files.base import ContentFile

from members.actions import imports
from members.models import ImportFinding, ImportRun
from tests.cast import NOW, TODAY
from union_portal.kit import fictional
from union_portal.models import Account, Organization

HEADERS = (
    "姓名", "证件号码", "性别", "出生日期", "手机号", "工会名称", "工会编号", "工作单位",
    "开户银行", "银行账号", "户名", "去世日期",
)  # fmt: skip

MEMBER_HEADERS = (
    "民族", "学历", "政治面貌", "户籍类型", "就业状况", "技能等级", "是否农民工",
    "入会日期", "会籍状态",
)  # fmt: skip
MEMBER = {
    "民族": "汉族",
    "学历": "大专",
    "政治面貌": "中共党员",
    "户籍类型": "本地农业",
    "就业状况": "在岗",
    "技能等级": "高级工",
    "是否农民工": "是",
    "入会日期": "2019-03-01",
    "会籍状态": "正常",
}


def members_csv(rows: Sequence[dict[str, str]]) -> bytes:
    """A sheet that has the membership columns too."""
    return as_csv(rows, headers=(*HEADERS, *MEMBER_HEADERS))


def make_rows(union: Organization, count: int, *, seed: int = 1) -> list[dict[str, str]]:
    """Rows of made-up people of one union, each with a phone and a bank account."""
    rng = random.Random(seed)
    people = fictional.make_people(
        rng,
        count,
        divisions=[union.division_code],
        first=date(1950, 1, 1),
        last=date(1999, 12, 31),
    )
    return [
        {
            "姓名": person.name,
            "证件号码": person.national_id,
            "手机号": person.mobile,
            "工会名称": union.name,
            "工作单位": "驼城运输有限公司",
            "开户银行": "榆林示范银行",
            "银行账号": person.card_number,
        }
        for person in people
    ]


def as_csv(
    rows: Sequence[dict[str, str]],
    *,
    headers: Sequence[str] = HEADERS,
    encoding: str = "utf-8-sig",
) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, headers, restval="", extrasaction="raise")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def as_xlsx(
    rows: Sequence[dict[str, Any]], *, headers: Sequence[str] = HEADERS, formulas: bool = False
) -> bytes:
    """An XLSX file; numbers become number cells, and `=…` formulas if asked for."""
    content = io.BytesIO()
    options = {"strings_to_formulas": formulas, "strings_to_numbers": False}
    with xlsxwriter.Workbook(content, options) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, headers)
        for number, row in enumerate(rows, start=1):
            for place, header in enumerate(headers):
                sheet.write(number, place, row.get(header, ""))
    return content.getvalue()


def upload(
    content: bytes, *, by: Account, organization: Organization, name: str = "people.csv"
) -> ImportRun:
    """Upload and check a file as the worker would."""
    run = imports.upload(
        content=ContentFile(content, name), name=name, organization=organization, by=by
    )
    imports.check(run=run, today=TODAY, now=NOW, progress=lambda _done, _total: None)
    run.refresh_from_db()
    return run


def bring_in(
    content: bytes, *, by: Account, organization: Organization, without_conflicts: bool = False
) -> ImportRun:
    """Upload, check, confirm and write a file."""
    run = upload(content, by=by, organization=organization)
    imports.confirm(run=run, by=by, now=NOW, without_conflicts=without_conflicts)
    run.refresh_from_db()
    assert imports.apply(run=run, today=TODAY, now=NOW)
    run.refresh_from_db()
    return run


def told(run: ImportRun) -> list[tuple[int, str, str, str]]:
    """What was found: row, column, severity, message."""
    return [
        (found.row, found.column, found.severity, found.message)
        for found in ImportFinding.objects.filter(run=run).order_by("row", "id")
    ]
