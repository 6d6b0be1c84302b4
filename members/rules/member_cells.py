"""The membership columns of a row: what offices write in them, read into the register's words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from django.utils.translation import gettext_noop

from members.rules.columns import MEMBERSHIP, Cells
from union_portal.kit.dates import DateError, read_date, read_day_number
from union_portal.kit.ethnicities import read_ethnicity
from union_portal.kit.plain_text import halfwidth, without_invisible
from union_portal.kit.refusals import Refused

KEYS: Final = tuple(column.key for column in MEMBERSHIP)
# Labour law, art. 15: nobody below sixteen is employed.
YOUNGEST: Final = 16
_LONGEST_DAY_NUMBER: Final = 9
RURAL: Final = ("local_rural", "other_rural")


class MemberCellError(Refused):
    """A membership cell that can't be used, or does not agree with another one."""


@dataclass(slots=True)
class MemberCells:
    """What a row says of the membership. Empty text and None: nothing said."""

    ethnicity: str = ""
    education: str = ""
    political_status: str = ""
    hukou_type: str = ""
    employment: str = ""
    technical_grade: str = ""
    is_farmer_worker: bool | None = None
    joined_on: date | None = None
    membership_state: str = ""


EDUCATION: Final = {
    **dict.fromkeys(("小学及以下", "小学", "文盲", "primary"), "primary"),
    **dict.fromkeys(("初中", "junior"), "junior"),
    **dict.fromkeys(("高中", "中专", "职高", "技校", "中技", "senior"), "senior"),
    **dict.fromkeys(("大专", "专科", "大学专科", "高职", "college"), "college"),
    **dict.fromkeys(("本科", "大学本科", "大学", "bachelor"), "bachelor"),
    **dict.fromkeys(("硕士", "硕士研究生", "研究生", "master"), "master"),
    **dict.fromkeys(("博士", "博士研究生", "doctor"), "doctor"),
}
POLITICAL_STATUS: Final = {
    **dict.fromkeys(("群众", "无党派人士", "masses"), "masses"),
    **dict.fromkeys(("共青团员", "团员", "league"), "league"),
    **dict.fromkeys(("中共党员", "党员", "party"), "party"),
    **dict.fromkeys(("中共预备党员", "预备党员", "probationary"), "probationary"),
    **dict.fromkeys(("民主党派", "民主党派成员", "democratic"), "democratic"),
}
HUKOU: Final = {
    **dict.fromkeys(("本地非农业", "本地城镇", "本市城镇", "local_urban"), "local_urban"),
    **dict.fromkeys(("本地农业", "本地农村", "本市农村", "local_rural"), "local_rural"),
    **dict.fromkeys(("外地非农业", "外地城镇", "other_urban"), "other_urban"),
    **dict.fromkeys(("外地农业", "外地农村", "other_rural"), "other_rural"),
}
EMPLOYMENT: Final = {
    **dict.fromkeys(("在岗", "在职", "就业", "employed"), "employed"),
    **dict.fromkeys(("灵活就业", "flexible"), "flexible"),
    **dict.fromkeys(("待岗", "下岗", "内退", "laid_off"), "laid_off"),
    **dict.fromkeys(("失业", "unemployed"), "unemployed"),
    **dict.fromkeys(("退休", "离休", "retired"), "retired"),
}
TECHNICAL_GRADE: Final = {
    **dict.fromkeys(("无", "无等级", "none"), "none"),
    **dict.fromkeys(("初级工", "初级", "五级", "junior"), "junior"),
    **dict.fromkeys(("中级工", "中级", "四级", "intermediate"), "intermediate"),
    **dict.fromkeys(("高级工", "高级", "三级", "senior"), "senior"),
    **dict.fromkeys(("技师", "二级", "technician"), "technician"),
    **dict.fromkeys(("高级技师", "一级", "senior_technician"), "senior_technician"),
}
FARMER_WORKER: Final = {"是": True, "否": False, "yes": True, "no": False}
STATE: Final = {
    **dict.fromkeys(("正常", "在会", "会员", "active"), "active"),
    **dict.fromkeys(("保留会籍", "保留", "retained"), "retained"),
    **dict.fromkeys(("退休", "退休会员", "retired"), "retired"),
}
ENDED: Final = frozenset({"退会", "已退会", "转出", "已转出", "注销", "死亡", "去世", "除名"})
CHOICES: Final[Mapping[str, Mapping[str, str]]] = {
    "education": EDUCATION,
    "political_status": POLITICAL_STATUS,
    "hukou_type": HUKOU,
    "employment": EMPLOYMENT,
    "technical_grade": TECHNICAL_GRADE,
}


def read_member(cells: Cells, born_on: date | None) -> MemberCells | None:
    """The membership columns, or None where all are empty. Faults go to the cells."""
    if not any(map(cells.__getitem__, KEYS)):
        return None
    said = MemberCells()
    said.ethnicity = cells.optional("ethnicity", _ethnicity) or ""
    for key, reader in _READERS.items():
        if cells[key]:
            setattr(said, key, cells.read(key, reader) or "")
    said.is_farmer_worker = cells.optional("is_farmer_worker", _farmer_worker)
    said.membership_state = cells.optional("membership_state", _state) or ""
    if cells["joined_on"]:
        said.joined_on = _joined(cells, born_on)
    if said.is_farmer_worker and said.hukou_type and said.hukou_type not in RURAL:
        cells.fault(
            "is_farmer_worker",
            MemberCellError(
                gettext_noop("A farmer worker has an agricultural hukou."),
                gettext_noop("Correct the hukou, or take the mark of a farmer worker off."),
            ),
        )
    return said


def read_day(cells: Cells, key: str) -> date | None:
    """A day as people write it. A spreadsheet's day number is read too, and told."""
    text = cells[key]
    serial = read_day_number(text) if len(text) < _LONGEST_DAY_NUMBER else None
    if serial is None:
        return cells.read(key, _day)
    cells.fault(
        key,
        DateError(
            gettext_noop("The spreadsheet's day number was read as %(day)s."),
            gettext_noop("If that is another day, format the column as a date and upload again."),
            {"day": serial.isoformat()},
        ),
        is_warning=True,
    )
    return serial


@lru_cache(maxsize=16_384)
def _day(text: str) -> date:
    """The same days come by again and again in a roster."""
    return read_date(text)


def _joined(cells: Cells, born_on: date | None) -> date | None:
    """The day of joining: not in the future, and not before working age."""
    joined_on = read_day(cells, "joined_on")
    if joined_on is None:
        return None
    if joined_on > cells.today:
        cells.fault(
            "joined_on",
            MemberCellError(
                gettext_noop("The day of joining lies in the future."),
                gettext_noop("Check the date; whoever joins later is entered then."),
            ),
        )
    elif born_on is not None and _years(born_on, joined_on) < YOUNGEST:
        cells.fault(
            "joined_on",
            MemberCellError(
                gettext_noop("Nobody joins a union before the age of %(years)s."),
                gettext_noop("Check the date and the identity number."),
                {"years": YOUNGEST},
            ),
        )
    return joined_on


def _years(born_on: date, on: date) -> int:
    had_birthday = (on.month, on.day) >= (born_on.month, born_on.day)
    return on.year - born_on.year - (not had_birthday)


@lru_cache(maxsize=256)
def _ethnicity(text: str) -> str:
    return read_ethnicity(text)


def _one_of(choices: Mapping[str, str]) -> Callable[[str], str]:
    offered = "、".join(key for key in choices if not key.isascii())

    @lru_cache(maxsize=256)
    def reader(text: str) -> str:
        found = choices.get(text) or choices.get(_plain(text))
        if found is None:
            raise MemberCellError(
                gettext_noop("“%(text)s” is not one of the choices."),
                gettext_noop("Choose one of: %(choices)s."),
                {"text": text[:20], "choices": offered},
            )
        return found

    return reader


_READERS: Final = {key: _one_of(choices) for key, choices in CHOICES.items()}
_READ_STATE: Final = _one_of(STATE)


def _farmer_worker(text: str) -> bool:
    found = FARMER_WORKER.get(_plain(text))
    if found is None:
        raise MemberCellError(
            gettext_noop("Neither yes nor no."),
            gettext_noop("Enter 是 or 否, or leave the cell empty."),
        )
    return found


def _state(text: str) -> str:
    if _plain(text) in ENDED:
        raise MemberCellError(
            gettext_noop("A sheet ends no membership."),
            gettext_noop("Leave the row out, and end the membership at the person."),
        )
    return _READ_STATE(text)


def _plain(text: str) -> str:
    """Without spaces and brackets such as in 初级工（五级）."""
    typed = "".join(without_invisible(halfwidth(text)).split()).casefold()
    return typed.partition("(")[0]
