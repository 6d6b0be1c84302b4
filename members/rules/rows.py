"""One row of a sheet of people, read into plain values."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, Final

from django.utils.translation import gettext_noop

from members.rules.columns import Cells, groups
from members.rules.member_cells import MemberCells, read_day, read_member
from union_portal.kit.bank_card import BankAccountError, read_account
from union_portal.kit.dates import DateError, read_date
from union_portal.kit.identity import IdentityError, NationalId, read_national_id
from union_portal.kit.names import read_name
from union_portal.kit.phone import read_mobile
from union_portal.kit.plain_text import halfwidth, has_control_characters, without_invisible
from union_portal.kit.refusals import Refused

FindUnion = Callable[[str, str], int]

EMPLOYER_LONGEST: Final = 120
HOLDER_LONGEST: Final = 60
BANK_LONGEST: Final = 80

_SEXES: Final = {
    "男": "male",
    "男性": "male",
    "male": "male",
    "m": "male",
    "女": "female",
    "女性": "female",
    "female": "female",
    "f": "female",
}


class RowError(Refused):
    """A cell that does not agree with another cell of its row, or can't be used."""


@dataclass(slots=True)
class PersonRow:
    """What a row says. Empty text and None mean: nothing said, keep what is known."""

    row: int
    name: str = ""
    sex: str = ""
    born_on: date | None = None
    national_id: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    employer: str = ""
    organization_id: int | None = None
    died_on: date | None = None
    account_number: str = field(default="", repr=False)
    account_holder: str = ""
    bank_name: str = ""
    member: MemberCells | None = None
    extra: dict[str, Any] | None = None
    is_sound: bool = True


def read_person(number: int, cells: Cells, find_union: FindUnion) -> PersonRow:
    """Read one row; every fault of every cell is in `cells.faults` afterwards."""
    person = PersonRow(number)
    person.name = _name(cells)
    identity = cells.read("national_id", lambda text: _identity(cells, text))
    if identity is not None:
        person.national_id, person.sex = identity.number, identity.sex
        person.born_on = identity.born_on
        _compare(cells, identity)
    person.phone = cells.optional("phone", read_mobile) or ""
    person.employer = cells.optional("employer", read_employer) or ""
    person.organization_id = _union(cells, find_union)
    _read_death(cells, person)
    if cells["account_number"] or cells["bank_name"] or cells["account_holder"]:
        _read_account(cells, person)
    person.member = read_member(cells, person.born_on)
    for group in groups():
        values = group.read(cells)
        if values is not None:
            person.extra = {**(person.extra or {}), group.name: dict(values)}
    person.is_sound = not cells.faults or cells.is_sound
    return person


@lru_cache(maxsize=8192)
def read_employer(text: str) -> str:
    return read_line(text, EMPLOYER_LONGEST)


def read_line(text: str, longest: int) -> str:
    """One line of free text: no control characters, single spaces, not too long."""
    line = " ".join(without_invisible(text).split())
    if has_control_characters(line):
        raise RowError(
            gettext_noop("The text holds a control character."),
            gettext_noop("Type it again instead of pasting it."),
        )
    if len(line) > longest:
        raise RowError(
            gettext_noop("The text is longer than %(longest)s characters."),
            gettext_noop("Shorten it."),
            {"longest": longest},
        )
    return line


def require_own_account(holder: str, name: str) -> None:
    """Money goes to the person's own account (X12). Errors: RowError."""
    if holder != name:
        raise RowError(
            gettext_noop("The account holder differs from the person's name."),
            gettext_noop(
                "Correct the holder. If the account really is another's, leave its cells empty"
                " and enter it by hand with a reason."
            ),
        )


def read_holder(holder: str, merchant: str, reason: str) -> str:
    """Who holds a merchant's account: the business, or for a reason another. Errors: Refused."""
    business = merchant[:HOLDER_LONGEST]
    read = read_line(holder, HOLDER_LONGEST) or business
    if read != business and not reason.strip():
        raise Refused(
            gettext_noop("The account holder differs from the merchant's name."),
            gettext_noop("Correct the holder, or give the reason why another is paid."),
            at="holder",
        )
    return read


def read_death(died_on: date, born_on: date | None, today: date) -> date:
    """A day of death between birth and today. Errors: DateError."""
    if died_on > today:
        raise DateError(
            gettext_noop("The date of death lies in the future."),
            gettext_noop("Check the date."),
        )
    if born_on is not None and died_on < born_on:
        raise DateError(
            gettext_noop("The date of death lies before the birth."),
            gettext_noop("Check the date and the identity number."),
        )
    return died_on


def _name(cells: Cells) -> str:
    """The name in its one spelling; spaces that were left out are told."""
    text = cells["name"]
    name = cells.read("name", read_name) or ""
    if name and len(name) < len(text) and name == "".join(text.split()) != text.strip():
        cells.fault(
            "name",
            RowError(
                gettext_noop("Spaces within the name were left out."),
                gettext_noop("Nothing needs to be done if that is the name on the card."),
            ),
            is_warning=True,
        )
    return name


def _identity(cells: Cells, text: str) -> NationalId:
    if cells.is_rounded("national_id"):
        raise IdentityError(
            gettext_noop("The spreadsheet has turned the identity number into a rounded number."),
            gettext_noop(
                "Set the column's format to text and enter the numbers again: the last digits"
                " are lost."
            ),
        )
    return read_national_id(text, today=cells.today)


def _compare(cells: Cells, identity: NationalId) -> None:
    """Optional columns that repeat what the number says must agree with it."""
    for warning in identity.warnings:
        cells.fault("national_id", IdentityError(warning), is_warning=True)
    sex = cells["sex"]
    if sex and (read := cells.read("sex", _read_sex)) and read != identity.sex:
        cells.fault(
            "sex",
            RowError(
                gettext_noop("The sex differs from what the identity number says."),
                gettext_noop("Compare both with the card, or leave the sex empty."),
            ),
        )
    born_on = read_day(cells, "born_on") if cells["born_on"] else None
    if born_on is not None and born_on != identity.born_on:
        cells.fault(
            "born_on",
            RowError(
                gettext_noop("The birth date differs from what the identity number says."),
                gettext_noop("Compare both with the card, or leave the birth date empty."),
            ),
        )


def _read_sex(text: str) -> str:
    sex = _SEXES.get(halfwidth(text).strip().casefold())
    if sex is None:
        raise RowError(
            gettext_noop("This is no sex the identity card knows."),
            gettext_noop("Enter 男 or 女, or leave the cell empty."),
        )
    return sex


def _union(cells: Cells, find_union: FindUnion) -> int | None:
    key = "union_code" if cells["union_code"] else "union_name"
    return cells.read(key, lambda _text: find_union(cells["union_code"], cells["union_name"]))


def _read_death(cells: Cells, person: PersonRow) -> None:
    if cells["died_on"]:
        person.died_on = cells.read(
            "died_on", lambda text: read_death(read_date(text), person.born_on, cells.today)
        )


def _read_account(cells: Cells, person: PersonRow) -> None:
    if cells.is_rounded("account_number"):
        cells.fault(
            "account_number",
            BankAccountError(
                gettext_noop(
                    "The spreadsheet has turned the account number into a rounded number."
                ),
                gettext_noop(
                    "Set the column's format to text and enter the numbers again: the last digits"
                    " are lost."
                ),
            ),
        )
    else:
        person.account_number = cells.read("account_number", read_account) or ""
    person.bank_name = cells.read("bank_name", read_bank) or ""
    holder = cells.optional("account_holder", read_name) or person.name
    person.account_holder = holder
    if cells["account_holder"] and person.name and holder != person.name:
        cells.read("account_holder", lambda _text: require_own_account(holder, person.name))


@lru_cache(maxsize=1024)
def read_bank(text: str) -> str:
    """The bank's name as people write it."""
    name = read_line(text, BANK_LONGEST)
    if not name:
        raise RowError(
            gettext_noop("The bank of the account is missing."),
            gettext_noop("Enter the bank's name, with its branch where known."),
        )
    return name
