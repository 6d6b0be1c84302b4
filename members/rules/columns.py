"""The columns of a sheet of people, and the groups that higher apps add to them."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal, TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext_noop

from union_portal.kit.masks import mask_account, mask_id, mask_phone
from union_portal.kit.refusals import Refused
from union_portal.kit.sheets import SheetError

Read = TypeVar("Read")
Shown = Literal["plain", "national_id", "phone", "account"]

_LONGEST_SHOWN: Final = 30
_TELLING_DIGITS: Final = 6
_DAY_FIRST: Final = re.compile(r"[0-9]{1,2}([-/.])[0-9]{1,2}\1[0-9]{2,4}")
_MASKS: Final[dict[Shown, Callable[[str], str]]] = {
    "national_id": mask_id,
    "phone": mask_phone,
    "account": mask_account,
}


@dataclass(frozen=True)
class Column:
    """One column: `header` as Chinese offices write it, `english` beside it.

    `choices` are what a drop-down offers; `shown` says how a faulty value is masked.
    """

    key: str
    header: str
    english: str
    aliases: Sequence[str] = ()
    example: str = ""
    choices: Sequence[str] = ()
    note: str = ""
    is_required: bool = False
    as_text: bool = False
    shown: Shown = "plain"
    width: int = 16

    @property
    def names(self) -> tuple[str, ...]:
        return (self.header, self.english, *self.aliases)


@dataclass(frozen=True)
class Fault:
    """What is wrong in one cell; the value is masked already."""

    column: str
    shown: str
    refusal: Refused
    is_warning: bool = False


@dataclass(frozen=True)
class Found:
    """What a set-based check of a column group found in a staged row."""

    row: int
    column: str
    refusal: Refused
    shown: str = ""
    is_warning: bool = False


class Cells(dict[str, str]):
    """One row by column key; what is not there is empty.

    Reading collects faults instead of stopping at the first.
    """

    __slots__ = ("_layout", "faults", "rounded", "today")

    def __init__(
        self,
        texts: Mapping[str, str],
        layout: "Layout",
        today: date,
        rounded: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(layout.blank)
        found = map(texts.__getitem__, layout.headers.values())
        self.update(zip(layout.headers, found, strict=True))
        self._layout = layout
        self.rounded = rounded
        self.today = today
        self.faults: list[Fault] = []

    def is_rounded(self, key: str) -> bool:
        """Whether the spreadsheet has cut the digits of this number."""
        return bool(self.rounded) and self._layout.headers.get(key) in self.rounded

    def read(self, key: str, reader: Callable[[str], Read]) -> Read | None:
        """The cell through a reader; its refusal becomes a fault of the row."""
        try:
            return reader(self[key])
        except Refused as refusal:
            self.fault(key, refusal)
            return None

    def optional(self, key: str, reader: Callable[[str], Read]) -> Read | None:
        """The same for a cell that may be empty."""
        return self.read(key, reader) if self[key] else None

    def fault(self, key: str, refusal: Refused, *, is_warning: bool = False) -> None:
        column = self._layout.shown[key]
        header = self._layout.headers.get(key, column.header)
        self.faults.append(Fault(header, masked(column, self[key]), refusal, is_warning))

    @property
    def is_sound(self) -> bool:
        return all(fault.is_warning for fault in self.faults)


@dataclass(frozen=True)
class ColumnGroup:
    """Columns that belong together, how a row is read, and what becomes of the values.

    `label` names the whole group where a preview says what would change.

    `read` gives JSON values to stage, or None where the row holds nothing of the group.
    The other three take the run's sound rows as a queryset of `StagedRow`, whose `extra`
    holds those values under the group's name: `check` yields what is wrong or odd in the
    set, `differing` narrows to rows of known people that would change something, `write`
    writes them (people are there by then) and returns how many it changed.
    """

    name: str
    label: str | Promise
    columns: tuple[Column, ...]
    read: Callable[[Cells], Mapping[str, Any] | None]
    check: Callable[[Any], Iterable[Found]]
    differing: Callable[[Any], Any]
    write: Callable[..., int]


_groups: dict[str, ColumnGroup] = {}


def register(group: ColumnGroup) -> None:
    """Add a group of columns to every import and template."""
    _groups[group.name] = group


def groups() -> tuple[ColumnGroup, ...]:
    return tuple(_groups.values())


PEOPLE: Final[tuple[Column, ...]] = (
    Column(
        "name",
        "姓名",
        "Name",
        example="张三",
        is_required=True,
        note=gettext_noop("Exactly as on the identity card."),
    ),
    Column(
        "national_id",
        "证件号码",
        "Identity number",
        aliases=("身份证号", "身份证号码", "公民身份号码", "ID number"),
        example="11010519491231002X",
        is_required=True,
        as_text=True,
        shown="national_id",
        width=22,
        note=gettext_noop(
            "18 characters. Identity card, residence permit for Hong Kong, Macao and Taiwan"
            " residents, or foreigner's permanent residence card."
        ),
    ),
    Column(
        "sex",
        "性别",
        "Sex",
        example="女",
        choices=("男", "女"),
        width=8,
        note=gettext_noop("May be empty: the identity number tells it. Compared if given."),
    ),
    Column(
        "born_on",
        "出生日期",
        "Birth date",
        aliases=("出生年月日", "Born on"),
        example="1949-12-31",
        note=gettext_noop("May be empty: the identity number tells it. Compared if given."),
    ),
    Column(
        "phone",
        "手机号",
        "Phone",
        aliases=("手机号码", "联系电话", "移动电话", "Mobile"),
        example="19900000000",
        as_text=True,
        shown="phone",
        note=gettext_noop("Mobile number; codes and messages go there. May be empty."),
    ),
    Column(
        "union_name",
        "工会名称",
        "Union",
        aliases=("所属工会", "Union name"),
        width=30,
        note=gettext_noop("Full name as in the list of unions; or give the credit code instead."),
    ),
    Column(
        "union_code",
        "工会编号",
        "Union credit code",
        aliases=("工会统一社会信用代码", "统一社会信用代码", "USCC"),
        as_text=True,
        width=22,
        note=gettext_noop("18 characters; needed where two unions have one name."),
    ),
    Column("employer", "工作单位", "Employer", aliases=("单位名称",), width=30),
    Column(
        "bank_name",
        "开户银行",
        "Bank",
        aliases=("开户行",),
        width=24,
        note=gettext_noop("Needed with an account number."),
    ),
    Column(
        "account_number",
        "银行账号",
        "Account number",
        aliases=("银行卡号", "账号", "Bank account"),
        as_text=True,
        shown="account",
        width=24,
        note=gettext_noop("The person's own card. Another colleague confirms it before use."),
    ),
    Column(
        "account_holder",
        "户名",
        "Account holder",
        aliases=("开户名", "账户名"),
        note=gettext_noop("May be empty: it is the person's name. It can't be another's."),
    ),
    Column(
        "died_on",
        "去世日期",
        "Died on",
        aliases=("死亡日期",),
        note=gettext_noop("Only for people who have died."),
    ),
)

_YES_NO: Final = ("是", "否")

MEMBERSHIP: Final[tuple[Column, ...]] = (
    Column(
        "ethnicity",
        "民族",
        "Ethnicity",
        example="汉族",
        note=gettext_noop("Whoever has one of the columns from here on becomes a member."),
    ),
    Column(
        "education",
        "学历",
        "Education",
        aliases=("文化程度",),
        choices=("小学及以下", "初中", "高中", "中专", "大专", "本科", "硕士", "博士"),
    ),
    Column(
        "political_status",
        "政治面貌",
        "Political status",
        choices=("群众", "共青团员", "中共党员", "中共预备党员", "民主党派"),
    ),
    Column(
        "hukou_type",
        "户籍类型",
        "Hukou",
        aliases=("户口类型", "户口性质", "户籍性质"),
        choices=("本地非农业", "本地农业", "外地非农业", "外地农业"),
    ),
    Column(
        "employment",
        "就业状况",
        "Employment",
        aliases=("就业状态",),
        choices=("在岗", "灵活就业", "待岗", "失业", "退休"),
    ),
    Column(
        "technical_grade",
        "技能等级",
        "Technical grade",
        aliases=("职业技能等级",),
        choices=("无", "初级工", "中级工", "高级工", "技师", "高级技师"),
    ),
    Column("is_farmer_worker", "是否农民工", "Farmer worker", aliases=("农民工",), choices=_YES_NO),
    Column(
        "joined_on",
        "入会日期",
        "Member since",
        aliases=("入会时间", "加入工会日期"),
        example="2019-03-01",
        note=gettext_noop("Day of joining a union. Left empty: the day of the import."),
    ),
    Column(
        "membership_state",
        "会籍状态",
        "State of the membership",
        choices=("正常", "保留会籍", "退休"),
        note=gettext_noop("May be empty. A membership is ended at the person, not by a sheet."),
    ),
)


def all_columns() -> Iterator[Column]:
    """The people's own columns, those of their membership, then every group's."""
    yield from PEOPLE
    yield from MEMBERSHIP
    for group in groups():
        yield from group.columns


@dataclass(frozen=True)
class Layout:
    """Which header of the file holds which column."""

    headers: Mapping[str, str]
    shown: Mapping[str, Column]
    unknown: tuple[str, ...] = ()
    blank: Mapping[str, str] = field(default_factory=dict)


def lay_out(headers: Sequence[str]) -> Layout:
    """Match the headers of a file to the columns.

    Errors: SheetError for a missing required column, or for two headers of one column.
    """
    columns = {column.key: column for column in all_columns()}
    by_name = {_plain(name): column.key for column in columns.values() for name in column.names}
    found: dict[str, str] = {}
    unknown = []
    for header in headers:
        key = by_name.get(_plain(header))
        if key is None:
            unknown.append(header)
        elif key in found:
            raise SheetError(
                gettext_noop('The columns "%(one)s" and "%(other)s" mean the same.'),
                gettext_noop("Delete one of them."),
                {"one": found[key], "other": header},
            )
        else:
            found[key] = header
    missing = [c.header for c in columns.values() if c.is_required and c.key not in found]
    if missing:
        raise SheetError(
            gettext_noop("These columns are missing: %(columns)s."),
            gettext_noop("Start from the template; its headers must not be renamed."),
            {"columns": "、".join(missing)},
        )
    return Layout(found, columns, tuple(unknown), dict.fromkeys(columns, ""))


def expected_headers() -> list[str]:
    """Every name a column may have, for finding the header row."""
    return [name for column in all_columns() for name in column.names]


def masked(column: Column, text: str) -> str:
    """A faulty value as it may be shown: personal numbers masked, wherever they stand."""
    mask = _MASKS.get(column.shown)
    if mask is not None:
        return mask(text)[:_LONGEST_SHOWN]
    digits = sum(character.isdigit() for character in text)
    if digits > 8 or (digits >= _TELLING_DIGITS and not _is_datelike(text)):
        return mask_id(text)[:_LONGEST_SHOWN]
    return text[:_LONGEST_SHOWN]


def _is_datelike(text: str) -> bool:
    """A day, whatever comes first in it: whoever mends 3/1/2024 has to see it."""
    is_year_first = text[:2] in ("19", "20", "18", "21")
    return len(text) <= 12 and (is_year_first or _DAY_FIRST.fullmatch(text) is not None)


def _plain(header: str) -> str:
    return "".join(header.split()).rstrip("*＊").casefold()
