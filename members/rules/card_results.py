"""What becomes of one row of a bank's answer. Pure: the row, what is known, a verdict."""

from dataclasses import dataclass
from enum import StrEnum

from union_portal.kit.bank_card import luhn_is_valid
from union_portal.kit.names import PersonNameError, read_name

SHORTEST, LONGEST = 16, 19


class Verdict(StrEnum):
    """The codes of `members.models.CardVerdict`."""

    ISSUED = "issued"
    REFUSED = "refused"
    REPEAT = "repeat"
    UNKNOWN = "unknown"
    OTHER_PERSON = "other_person"
    BAD_NUMBER = "bad_number"
    NUMBER_TAKEN = "number_taken"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Said:
    """One row: whom it names, what it says, and what its number is among all numbers.

    `number_print` is the keyed hash of a sound card number; None for one that is none.
    """

    is_issued: bool
    name: str | None
    identity_print: str | None
    number_print: str | None
    is_number_taken: bool = False
    is_told_before_in_file: bool = False


@dataclass(frozen=True, slots=True)
class Application:
    """What is known of the application that a row names."""

    name: str
    identity_print: str
    number_print: str | None
    is_with_bank: bool
    is_refused_before: bool = False


def judge(said: Said, known: Application | None) -> Verdict:
    """The verdict on a row. Only ISSUED and REFUSED change the card; the rest is for a person.

    The person is compared first: a row that names somebody else is not believed in anything.
    """
    if known is None:
        return Verdict.UNKNOWN
    if not _is_same_person(said, known):
        return Verdict.OTHER_PERSON
    return _of_issue(said, known) if said.is_issued else _of_refusal(said, known)


def _of_issue(said: Said, known: Application) -> Verdict:
    if said.number_print is None:
        return Verdict.BAD_NUMBER
    if said.is_told_before_in_file or known.number_print == said.number_print:
        return Verdict.REPEAT
    if not known.is_with_bank:
        return Verdict.LATE
    return Verdict.NUMBER_TAKEN if said.is_number_taken else Verdict.ISSUED


def _of_refusal(said: Said, known: Application) -> Verdict:
    if said.is_told_before_in_file:
        return Verdict.REPEAT
    if known.is_with_bank:
        return Verdict.REFUSED
    return Verdict.REPEAT if known.is_refused_before else Verdict.LATE


def is_card_number(number: str, prefixes: str) -> bool:
    """Whether the digits can be a card of a bank: 16 to 19 of them, Luhn, its first digits."""
    if not (number.isascii() and number.isdigit() and SHORTEST <= len(number) <= LONGEST):
        return False
    beginnings = tuple(prefixes.replace(",", " ").split())
    return luhn_is_valid(number) and (not beginnings or number.startswith(beginnings))


def _is_same_person(said: Said, known: Application) -> bool:
    if said.identity_print is not None and said.identity_print != known.identity_print:
        return False
    return said.name is None or _spelling(said.name) == _spelling(known.name)


def _spelling(name: str) -> str:
    """The one spelling of a name; whatever is none stays as it is and equals nothing."""
    try:
        return read_name(name)
    except PersonNameError:
        return name
