"""A federation of any size: members with sealed numbers, accounts, unions, and a long log."""

import json
import random
from collections.abc import Iterator
from datetime import date
from io import StringIO
from itertools import islice

from django.db import connection

from tests.cast import Cast, explained
from tests.disbursement.conftest import SCHEME, Office
from union_portal import audit
from union_portal.fields import keyring
from union_portal.kit import fictional, masks, names
from union_portal.kit.fictional import FictionalPerson

CHUNK = 20_000
# So many members have one union.
IN_A_UNION = 250
# One of so many is owed something in a period.
OWED_OF = 10
BLOCKS = 50


def settle(cast: Cast, count: int, seed: int) -> None:
    """So many members in the unions of twelve counties, with an account each, and two entries
    of the log for each of them, sealed into blocks."""
    unions = _make_unions(cast, max(1, count // IN_A_UNION))
    rng = random.Random(f"members {seed}")
    people = fictional.make_people(
        rng, count, divisions=list(unions), first=date(1962, 1, 1), last=date(2004, 12, 31)
    )
    while chunk := list(islice(people, CHUNK)):
        _write(chunk, [rng.choice(unions[person.division]) for person in chunk], cast)
    _execute("ANALYZE")
    for part in range(BLOCKS):
        _write_log(2 * count // BLOCKS, "person.imported", part)
    _execute("ANALYZE")


def owe(office: Office, period: str, amount_fen: int, *, modulus: int) -> int:
    """A clear decision and an entitlement for one member of `modulus`; how many there are."""
    from django.db.models import F

    from union_portal.models import Decision
    from welfare.disbursement import entitlements

    _execute(
        "INSERT INTO union_portal_decision (scheme, period, rule_set_id, outcome, amount_fen,"
        " steps, reason, subject_type, subject_id, organization_id, decided_by_id, decided_at,"
        " decided_on, state) SELECT %s, %s, %s, 'granted', %s, %s, '', 'tests.case', p.id,"
        " p.organization_id, %s, now(), '2026-03-02', 'made' FROM members_person p"
        " JOIN members_bankaccount a ON a.person_id = p.id WHERE p.id %% %s = 0",
        SCHEME, period, office.rule_set.pk, amount_fen, json.dumps([explained(amount_fen)]),
        office.cast.decider.pk, modulus,
    )  # fmt: skip
    _execute("UPDATE union_portal_decision SET state = 'clear' WHERE state = 'made'")
    owed = Decision.objects.filter(scheme=SCHEME, period=period).values(
        decision_id=F("id"), person_id=F("subject_id")
    )
    return entitlements.grant_set(rows=owed, fund=office.fund, by=office.cast.officer)


def a_day_goes_by(count: int) -> None:
    """What a busy day writes: a member in ten is corrected, and everybody leaves an entry."""
    _execute("UPDATE members_person SET employer = employer || '（改）' WHERE id % 10 = 3")
    _write_log(count, "person.corrected", 0)


def a_lone_entry() -> None:
    """One entry in an idle night."""
    _write_log(1, "person.corrected", 1)


def _make_unions(cast: Cast, count: int) -> dict[str, list[int]]:
    """Unions by the division code of their county."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO union_portal_organization (name, short_name, level, parent_id, path,"
            " division_code, phone, address, is_active) SELECT '第' || n || '工会委员会', '',"
            " 'grassroots', c.id, '', c.division_code, '', '', true FROM generate_series(1, %s) n"
            " JOIN LATERAL (SELECT id, division_code FROM union_portal_organization"
            "  WHERE level = 'county' ORDER BY id OFFSET (n %% 12) LIMIT 1) c ON true"
            " RETURNING division_code, id",
            [max(count, len(cast.tree.counties))],
        )
        made: dict[str, list[int]] = {}
        for division, union in cursor.fetchall():
            made.setdefault(division, []).append(union)
        return made


def _write(people: list[FictionalPerson], unions: list[int], cast: Cast) -> None:
    """One chunk of members and their confirmed accounts, by COPY, keys given beforehand."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval('members_person_id_seq') FROM generate_series(1, %s)", [len(people)]
        )
        keys = [key for (key,) in cursor.fetchall()]
        cursor.copy_expert(
            "COPY members_person (id, name, pinyin, initials, sex, born_on, national_id,"
            " national_id_index, national_id_shown, phone, phone_index, phone_shown, address,"
            " employer, organization_id, created_at, updated_at) FROM STDIN",
            _lines(_persons(people, keys, unions)),
        )
        cursor.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS fresh (person_id bigint, holder text,"
            " number bytea, fingerprint text, last_four text)"
        )
        cursor.execute("TRUNCATE fresh")
        cursor.copy_expert("COPY fresh FROM STDIN", _lines(_accounts(people, keys)))
        cursor.execute(
            "INSERT INTO members_bankaccount (person_id, holder, number, fingerprint, last_four,"
            " bank_name, bank_code, reason, entered_by_id, entered_at, state)"
            " SELECT person_id, holder, number, fingerprint, last_four, '榆林示范银行', '', '',"
            " %s, now(), 'proposed' FROM fresh",
            [cast.qiao.pk],
        )
        cursor.execute(
            "UPDATE members_bankaccount SET state = 'confirmed', confirmed_by_id = %s,"
            " confirmed_at = now() WHERE person_id IN (SELECT person_id FROM fresh)",
            [cast.shi.pk],
        )


def _persons(
    people: list[FictionalPerson], keys: list[int], unions: list[int]
) -> Iterator[tuple[object, ...]]:
    ring = keyring()
    numbers, phones = [p.national_id for p in people], [p.mobile for p in people]
    columns = zip(
        people, keys, unions,
        ring.seal_many("national_id", numbers), ring.fingerprint_many("national_id", numbers),
        ring.seal_many("phone", phones), ring.fingerprint_many("phone", phones),
        ring.seal_many("address", (f"榆林市{p.division}长城路{p.mobile[-4:]}号" for p in people)),
        strict=True,
    )  # fmt: skip
    for person, key, union, number, number_index, phone, phone_index, address in columns:
        yield (
            key, person.name, names.pinyin(person.name), names.initials(person.name), person.sex,
            person.born_on, _bytes(number), number_index, masks.mask_id(person.national_id),
            _bytes(phone), phone_index, masks.mask_phone(person.mobile), _bytes(address),
            "驼城运输有限公司", union, "2026-01-05 08:00+08", "2026-01-05 08:00+08",
        )  # fmt: skip


def _accounts(people: list[FictionalPerson], keys: list[int]) -> Iterator[tuple[object, ...]]:
    ring, cards = keyring(), [person.card_number for person in people]
    sealed, prints = (
        ring.seal_many("bank_account", cards),
        ring.fingerprint_many("bank_account", cards),
    )
    for person, key, number, mark in zip(people, keys, sealed, prints, strict=True):
        yield key, person.name, _bytes(number), mark, person.card_number[-4:]


def _write_log(count: int, action: str, part: int) -> None:
    _execute(
        "INSERT INTO union_portal_auditentry (actor_id, actor, action, subject_type, subject_id,"
        " organization_path, reason, detail, request_id) SELECT 7, 'Qiao', %s, 'members.person',"
        " (%s * %s + n)::text, '1/2/', '名册导入', jsonb_build_object('run', %s, 'row', n),"
        " %s::text"
        " FROM generate_series(1, %s) n",
        action, part, count, part, part, count,
    )  # fmt: skip
    audit.seal()


def _lines(rows: Iterator[tuple[object, ...]]) -> StringIO:
    return StringIO("".join("\t".join(map(str, row)) + "\n" for row in rows))


def _bytes(value: bytes) -> str:
    return f"\\\\x{value.hex()}"


def _execute(statement: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
