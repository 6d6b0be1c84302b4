"""From rows of a file to the staging table: read, compare, seal what is new, COPY."""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import islice
from operator import attrgetter
from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext_noop

from members.models import ImportFinding, ImportRun, Severity, StagedPerson
from members.rules.columns import Cells, Fault, Layout
from members.rules.member_cells import MemberCells
from members.rules.rows import FindUnion, PersonRow, RowError, read_person
from union_portal.fields import keyring
from union_portal.kit import masks, names
from union_portal.kit.credit_code import read_credit_code
from union_portal.kit.crypto import Keyring
from union_portal.kit.plain_text import halfwidth
from union_portal.kit.refusals import Refused
from union_portal.kit.sheets import Row
from union_portal.models import Organization, OrganizationLevel

CHUNK: Final = 5_000
_NULL: Final = r"\N"
_NO_ACCOUNT: Final = f"{_NULL}\t{_NULL}\t\t\t"
_NO_MEMBER: Final = f"f{chr(9) * 7}{_NULL}\t{_NULL}\t"
_ABOVE: Final = (OrganizationLevel.FEDERATION, OrganizationLevel.COUNTY)
_STAGED: Final = (
    "run_id, row, is_sound, name, pinyin, initials, sex, born_on, national_id,"
    " national_id_index, national_id_shown, phone, phone_index, phone_shown, employer,"
    " organization_id, died_on, account_number, account_index, account_last_four,"
    " account_holder, bank_name, is_member, ethnicity, education, political_status, hukou_type,"
    " employment, technical_grade, is_farmer_worker, joined_on, membership_state, extra,"
    " changed_groups"
)
_FINDINGS: Final = """
INSERT INTO members_importfinding
    (run_id, row, "column", shown, severity, message_id, remedy_id, params)
SELECT %s, f.* FROM unnest(%s::integer[], %s::text[], %s::text[], %s::text[], %s::text[],
                           %s::text[], %s::jsonb[]) AS f
"""
_KNOWN: Final = """
SELECT p.national_id_index, p.phone_index,
       ARRAY(SELECT b.fingerprint FROM members_bankaccount b WHERE b.person_id = p.id)
FROM members_person p WHERE p.national_id_index = ANY(%s)
"""


@dataclass(frozen=True)
class _Known:
    """What a person with the row's number has already, as fingerprints."""

    phone_index: str | None
    accounts: Sequence[str]


@dataclass(frozen=True)
class _Sealed:
    """Numbers of one kind in one chunk: every one's fingerprint, ciphertext where needed."""

    prints: dict[str, str]
    blobs: dict[str, bytes]

    def columns(self, number: str) -> str:
        """Ciphertext and fingerprint as two columns of a COPY."""
        blob = self.blobs.get(number)
        sealed = _NULL if blob is None else f"\\\\x{blob.hex()}"
        return f"{sealed}\t{self.prints.get(number, _NULL)}"


def clear(run: ImportRun) -> None:
    """Forget what an earlier check of this run left behind."""
    StagedPerson.objects.filter(run=run).delete()
    ImportFinding.objects.filter(run=run).delete()


def stage(
    *,
    run: ImportRun,
    rows: Iterator[Row],
    layout: Layout,
    today: date,
    progress: Callable[[int], None],
) -> int:
    """Read every row and write it to staging with its faults; return how many there were.

    Memory is bounded by one chunk. Personal numbers are sealed before they are written.
    """
    find_union = union_finder(run)
    count = 0
    while chunk := list(islice(rows, CHUNK)):
        people, faults = [], []
        for row in chunk:
            cells = Cells(row.cells, layout, today, row.precision_lost)
            person = read_person(row.number, cells, find_union)
            if row.fault is not None:
                cells.faults.append(Fault("", "", row.fault))
                person.is_sound = False
            people.append(person)
            faults += [(row.number, fault) for fault in cells.faults]
        _copy("members_stagedperson", _STAGED, _staged_lines(run.pk, people))
        add_findings(run, faults)
        count += len(chunk)
        progress(count)
    return count


def add_findings(run: ImportRun, faults: Iterable[tuple[int, Fault]]) -> None:
    """Write findings of rows, message ids and all.

    Not by COPY, which does not write where rows are judged one by one.
    """
    found = [_finding(*each) for each in faults]
    if found:
        with connection.cursor() as cursor:
            cursor.execute(_FINDINGS, [run.pk, *map(list, zip(*found, strict=True))])


def union_finder(run: ImportRun) -> FindUnion:
    """A function from (credit code, name) to the id of a union within the run's reach.

    A row that names none goes to the run's own union, unless that is a federation.
    """
    reach = tuple(run.reach)
    by_code: dict[str, int] = {}
    by_name: dict[str, list[int]] = {}
    unions = Organization.objects.filter(is_active=True).values_list("pk", "name", "uscc", "path")
    for pk, name, code, path in unions.iterator():
        if path.startswith(reach):
            by_name.setdefault(_spelling(name), []).append(pk)
            if code:
                by_code[code] = pk
    own = None if run.organization.level in _ABOVE else run.organization_id

    @cache
    def find(code: str, name: str) -> int:
        if code:
            return _by_code(code, by_code)
        if not name and own is not None:
            return own
        return _by_name(name, by_name)

    return find


def _spelling(name: str) -> str:
    return "".join(halfwidth(name).split())


def _by_code(typed: str, known: dict[str, int]) -> int:
    code = _spelling(typed).upper()
    if code not in known:
        read_credit_code(code)  # a mistyped code is told its own fault
        raise RowError(
            gettext_noop("No union with this credit code lies in your area."),
            gettext_noop("Compare with the list of unions."),
        )
    return known[code]


def _by_name(typed: str, known: dict[str, list[int]]) -> int:
    if not typed:
        raise RowError(
            gettext_noop("The union is missing."),
            gettext_noop("Enter the union's full name or its credit code."),
        )
    found = known.get(_spelling(typed), [])
    if not found:
        raise RowError(
            gettext_noop("No union of this name lies in your area."),
            gettext_noop("Enter its full name as in the list of unions, or its credit code."),
        )
    if len(found) > 1:
        raise RowError(
            gettext_noop("%(count)s unions in your area have this name."),
            gettext_noop("Enter the union's credit code instead."),
            {"count": len(found)},
        )
    return found[0]


def _staged_lines(run_id: int, people: Sequence[PersonRow]) -> Iterator[str]:
    ring = keyring()
    prints = {
        kind: _prints(ring, kind, [number for person in people if (number := pick(person))])
        for kind, pick in _NUMBERS.items()
    }
    marks = prints["national_id"]
    known = _known(list(marks.values()))
    sealed = {}
    for kind, pick in _NUMBERS.items():
        needed = [
            number
            for person in people
            if (number := pick(person))
            and person.is_sound
            and _is_needed(kind, prints[kind][number], known.get(marks.get(person.national_id, "")))
        ]
        blobs = dict(zip(needed, ring.seal_many(kind, needed), strict=True))
        sealed[kind] = _Sealed(prints[kind], blobs)
    for person in people:
        is_new = marks.get(person.national_id) not in known
        yield _staged_line(run_id, person, is_new, sealed)


def _staged_line(
    run_id: int, person: PersonRow, is_new: bool, sealed: Mapping[str, _Sealed]
) -> str:
    # A known person keeps name and pinyin: only a new one needs them made.
    syllables = names.pinyin(person.name) if is_new and person.name else ""
    initials = "".join([syllable[0] for syllable in syllables.split()])
    extra = _escaped(json.dumps(person.extra, ensure_ascii=False)) if person.extra else _NULL
    return (
        f"{run_id}\t{person.row}\t{'t' if person.is_sound else 'f'}\t{_escaped(person.name)}\t"
        f"{syllables}\t{initials}\t{person.sex}\t{person.born_on or _NULL}\t"
        f"{sealed['national_id'].columns(person.national_id)}\t"
        f"{masks.mask_id(person.national_id)}\t"
        f"{sealed['phone'].columns(person.phone)}\t"
        f"{masks.mask_phone(person.phone)}\t{_escaped(person.employer)}\t"
        f"{person.organization_id or _NULL}\t{person.died_on or _NULL}\t"
        f"{_account(person, sealed['bank_account'])}\t{_member(person.member)}\t{extra}\t{{}}\n"
    )


def _member(said: MemberCells | None) -> str:
    """The membership columns; they are words of our own, save the group's name, which prints."""
    if said is None:
        return _NO_MEMBER
    farmer = _NULL if said.is_farmer_worker is None else "ft"[said.is_farmer_worker]
    return (
        f"t\t{said.ethnicity}\t{said.education}\t{said.political_status}\t{said.hukou_type}\t"
        f"{said.employment}\t{said.technical_grade}\t{farmer}\t{said.joined_on or _NULL}\t"
        f"{said.membership_state}"
    )


def _account(person: PersonRow, sealed: _Sealed) -> str:
    number = person.account_number
    if not number:
        return _NO_ACCOUNT
    holder, bank = _escaped(person.account_holder), _escaped(person.bank_name)
    return f"{sealed.columns(number)}\t{number[-4:]}\t{holder}\t{bank}"


_NUMBERS: Final[dict[str, Callable[[PersonRow], str]]] = {
    "national_id": attrgetter("national_id"),
    "phone": attrgetter("phone"),
    "bank_account": attrgetter("account_number"),
}


def _prints(ring: Keyring, kind: str, numbers: list[str]) -> dict[str, str]:
    return dict(zip(numbers, ring.fingerprint_many(kind, numbers), strict=True))


def _is_needed(kind: str, mark: str, known: _Known | None) -> bool:
    """A number that the person has already is not sealed once more."""
    if known is None:
        return True
    if kind == "phone":
        return mark != known.phone_index
    return kind == "bank_account" and mark not in known.accounts


def _known(indexes: list[str]) -> dict[str, _Known]:
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [indexes])
        return {row[0]: _Known(row[1], row[2]) for row in cursor.fetchall()}


def _finding(row: int, fault: Fault) -> tuple[int, str, str, str, str, str, str]:
    refusal: Refused = fault.refusal
    severity = Severity.WARNING if fault.is_warning else Severity.ERROR
    params: dict[str, Any] = refusal.params
    texts = (fault.column, fault.shown, severity, refusal.message_id, refusal.remedy_id)
    column, shown, kind, message, remedy = map(str, texts)
    return row, column, shown, kind, message, remedy, json.dumps(params, ensure_ascii=False)


def _copy(table: str, columns: str, lines: Iterable[str]) -> None:
    text = "".join(lines)
    if text:
        with connection.cursor() as cursor:
            cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN", io.StringIO(text))


_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _escaped(text: str) -> str:
    """Text for COPY; names and words that print hold nothing to escape but a backslash."""
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPES)
