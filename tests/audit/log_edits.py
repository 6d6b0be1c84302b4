"""Edits of the sealed log: any column, rows taken out, slipped in, moved, chains recomputed.

Each takes a source of chance and changes something; `verify_audit` must find every one. What is
not sealed yet (the last minute) is not promised.
"""

import random
from collections.abc import Callable
from typing import Final

from tests.audit import rows
from union_portal import audit

ENTRY, BLOCK = "union_portal_auditentry", "union_portal_auditblock"
SEALED: Final = "block IS NOT NULL"
_COPIED = (
    "at, actor_id, actor, action, subject_type, subject_id, organization_path, reason, detail,"
    " request_id"
)
Edit = Callable[[random.Random], int]


def kinds() -> dict[str, Edit]:
    """Every kind of edit by its name: one for each column of both tables, and the others."""
    of_columns: dict[str, Edit] = {
        f"{what} {column.name}": _change_of(column, where)
        for what, table, where in (("entry", ENTRY, SEALED), ("block", BLOCK, "true"))
        for column in rows.columns(table)
    }
    return of_columns | WHOLE


def _change_of(column: rows.Column, where: str) -> Edit:
    if column.name == "id":
        return renumber
    if column.name == "number":
        return renumber_block
    return lambda rng: rows.change(column, rng, where)


# -- entries ----------------------------------------------------------------------------------


def renumber(rng: random.Random) -> int:
    """An entry gets a number that nobody has."""
    return rows.execute(
        f"UPDATE {ENTRY} SET id = (SELECT max(id) + 1 FROM {ENTRY}) WHERE id = %s", _entry(rng)
    )


def remove(rng: random.Random) -> int:
    return rows.execute(f"DELETE FROM {ENTRY} WHERE id = %s", _entry(rng))


def insert_a_copy(rng: random.Random) -> int:
    return rows.execute(
        f"INSERT INTO {ENTRY} ({_COPIED}, block) SELECT {_COPIED}, block FROM {ENTRY}"
        " WHERE id = %s",
        _entry(rng),
    )


def insert_a_forgery(rng: random.Random) -> int:
    """Something that never happened, by somebody else, in a block that is sealed."""
    return rows.execute(
        f"INSERT INTO {ENTRY} (id, {_COPIED}, block) SELECT -id, at, 7, 'Shi', 'person.reveal',"
        f" subject_type, subject_id, organization_path, '', '{{}}', '', block FROM {ENTRY}"
        " WHERE id = %s",
        _entry(rng),
    )


def swap_contents(rng: random.Random) -> int:
    """Two entries exchange what they tell."""
    one, other = _two(rng, f"SELECT array_agg(id ORDER BY id) FROM {ENTRY} WHERE {SEALED}")
    return rows.execute(
        f"UPDATE {ENTRY} a SET ({_COPIED}) = (SELECT {_COPIED} FROM {ENTRY} b WHERE b.id ="
        " %s - a.id) WHERE a.id IN (%s, %s)",
        one + other, one, other,
    )  # fmt: skip


def swap_numbers(rng: random.Random) -> int:
    """Two entries exchange their numbers: the order of events is another."""
    one, other = _two(rng, f"SELECT array_agg(id ORDER BY id) FROM {ENTRY} WHERE {SEALED}")
    moved = "UPDATE union_portal_auditentry SET id = %s WHERE id = %s"
    rows.execute(moved, -one, one)
    rows.execute(moved, one, other)
    return rows.execute(moved, other, -one)


def unseal(rng: random.Random) -> int:
    """An entry counts as not sealed yet, so that it may be changed at leisure."""
    return rows.execute(f"UPDATE {ENTRY} SET block = NULL WHERE id = %s", _entry(rng))


def move_to_a_neighbour(rng: random.Random) -> int:
    return rows.execute(
        f"UPDATE {ENTRY} SET block = CASE block WHEN 1 THEN 2 ELSE block - 1 END WHERE id = %s",
        _entry(rng),
    )


# -- blocks -----------------------------------------------------------------------------------


def renumber_block(rng: random.Random) -> int:
    """A block and its entries get a number that nobody has."""
    number, free = _block(rng), _last() + rng.randrange(1, 5)
    rows.execute(f"UPDATE {ENTRY} SET block = %s WHERE block = %s", free, number)
    return rows.execute(f"UPDATE {BLOCK} SET number = %s WHERE number = %s", free, number)


def swap_blocks(rng: random.Random) -> int:
    """Two blocks change places with all their entries, the chain recomputed from the first on."""
    one, other = sorted(_two(rng, f"SELECT array_agg(number ORDER BY number) FROM {BLOCK}"))
    for table, column in ((ENTRY, "block"), (BLOCK, "number")):
        moved = f"UPDATE {table} SET {column} = %s WHERE {column} = %s"
        for new, old in ((-1, one), (one, other), (other, -1)):
            rows.execute(moved, new, old)
    return rechain(one)


def cut_one_out(rng: random.Random) -> int:
    return _cut("= %s", _block(rng))


def cut_off_the_end(rng: random.Random) -> int:
    """The last blocks were never there."""
    return _cut(">= %s", rng.randrange(1, _last() + 1))


def cut_off_the_beginning(rng: random.Random) -> int:
    return _cut("<= %s", _block(rng))


def unseal_the_end(rng: random.Random) -> int:
    """The last blocks go, their entries wait to be sealed once more, and are."""
    first = _block(rng)
    rows.execute(f"DELETE FROM {BLOCK} WHERE number >= %s", first)
    moved = rows.execute(f"UPDATE {ENTRY} SET block = NULL WHERE block >= %s", first)
    audit.seal()
    return moved


def seal_the_end_as_one(rng: random.Random) -> int:
    """The last blocks become one, under the number of their first."""
    first = _block(rng)
    rows.execute(f"DELETE FROM {BLOCK} WHERE number > %s", first)
    rows.execute(f"UPDATE {ENTRY} SET block = %s WHERE block > %s", first, first)
    return rechain(first)


def merge_two(rng: random.Random) -> int:
    """The last block joins the one before, all digests recomputed."""
    last = _last()
    rows.execute(f"DELETE FROM {BLOCK} WHERE number = %s", last)
    rows.execute(f"UPDATE {ENTRY} SET block = %s WHERE block = %s", last - 1, last)
    return rechain(last - 1)


def seal_again(rng: random.Random) -> int:
    """An entry is edited and its block's own root and digest recomputed."""
    number = _edited(rng)
    rechain(number, number)
    return 1


def rewrite_from_here(rng: random.Random) -> int:
    """An entry is edited and all digests from there on recomputed: only a witness knows."""
    return rechain(_edited(rng))


def rewrite_without(rng: random.Random) -> int:
    """An entry is removed and every digest from there on recomputed."""
    entry = _entry(rng)
    number = rows.value(f"SELECT block FROM {ENTRY} WHERE id = %s", entry)
    rows.execute(f"DELETE FROM {ENTRY} WHERE id = %s", entry)
    return rechain(number)


def empty_everything(rng: random.Random) -> int:
    return _cut(">= %s", 1)


WHOLE: Final[dict[str, Edit]] = {
    edit.__name__.replace("_", " "): edit
    for edit in (
        remove, insert_a_copy, insert_a_forgery, swap_contents, swap_numbers, unseal,
        move_to_a_neighbour, swap_blocks, cut_one_out, cut_off_the_end, cut_off_the_beginning,
        unseal_the_end, seal_the_end_as_one, merge_two, seal_again, rewrite_from_here,
        rewrite_without, empty_everything,
    )
}  # fmt: skip


def rechain(first: int, last: int | None = None) -> int:
    """Recompute root, count, link and digest of blocks as `audit.seal` does; how many."""
    before = rows.value(f"SELECT max(digest) FROM {BLOCK} WHERE number = %s", first - 1)
    before = before or audit.GENESIS
    final = last or _last()
    for number in range(first, final + 1):
        root, count = rows.row(
            f"SELECT coalesce({audit.ROOT}, ''), count(*) FROM {ENTRY} WHERE block = %s", number
        )
        at = rows.value(f"SELECT sealed_at FROM {BLOCK} WHERE number = %s", number)
        digest = audit.block_digest(number, at, count, before, root)
        rows.execute(
            f"UPDATE {BLOCK} SET root = %s, entries = %s, previous = %s, digest = %s"
            " WHERE number = %s",
            root, count, before, digest, number,
        )  # fmt: skip
        before = digest
    return final - first + 1


def _edited(rng: random.Random) -> int:
    """Edit some entry; the number of its block."""
    entry = _entry(rng)
    rows.execute(f"UPDATE {ENTRY} SET actor = actor || '?' WHERE id = %s", entry)
    return int(rows.value(f"SELECT block FROM {ENTRY} WHERE id = %s", entry))


def _cut(which: str, number: int) -> int:
    rows.execute(f"DELETE FROM {ENTRY} WHERE block {which}", number)
    return rows.execute(f"DELETE FROM {BLOCK} WHERE number {which}", number)


def _entry(rng: random.Random) -> int:
    return int(
        rng.choice(rows.value(f"SELECT array_agg(id ORDER BY id) FROM {ENTRY} WHERE {SEALED}"))
    )


def _block(rng: random.Random) -> int:
    """A block that is not the last."""
    return rng.randrange(1, _last())


def _last() -> int:
    return int(rows.value(f"SELECT max(number) FROM {BLOCK}"))


def _two(rng: random.Random, question: str) -> list[int]:
    return rng.sample(rows.value(question), 2)
