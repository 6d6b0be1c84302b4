"""What becomes of a person's rows when the person turns out to be another one's second row.

Each foreign key to a person says here, once, whether its rows move to the person who stays or
stay where they are, and why; apps above register theirs (an architecture test finds one that
says nothing). What is alive moves. What is frozen stays: what money has passed through, what was
used, what was decided of the merge itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from django.apps import apps
from django.db import connection
from django.db.models import Field

from members.models import Person
from union_portal.kit.refusals import Refused

Obstacle = Callable[[Person, Person], Refused | None]


@dataclass(frozen=True)
class Rule:
    """`unless` is a condition on a row `t` (its table) that stays though the others move."""

    moves: bool
    why: str
    unless: str = ""


_rules: dict[str, Rule] = {}
_obstacles: list[Obstacle] = []
_holds: list[Callable[[], None]] = []


def moves(field: str, *, why: str, unless: str = "") -> None:
    """Rows follow to the person who stays; `field` is `app.model.field`."""
    _rules[field] = Rule(True, why, unless)


def stays(field: str, *, why: str) -> None:
    """Rows remain with the row that goes."""
    _rules[field] = Rule(False, why)


def obstacle(function: Obstacle) -> Obstacle:
    """Register what may stand against a merge: called with who stays and who goes."""
    _obstacles.append(function)
    return function


def hold(function: Callable[[], None]) -> Callable[[], None]:
    """Register a lock that a merge takes before those of its two people."""
    _holds.append(function)
    return function


def rules() -> dict[str, Rule]:
    return dict(_rules)


def take_locks() -> None:
    """Take the locks of the apps above, in the order in which their own acts do."""
    for function in _holds:
        function()


def obstacles(kept: Person, merged: Person) -> Iterator[Refused]:
    """Everything that stands against it now."""
    for function in _obstacles:
        if refusal := function(kept, merged):
            yield refusal


def move(kept: Person, merged: Person) -> dict[str, int]:
    """Hang what moves onto the person who stays; how many rows, by table."""
    moved: dict[str, int] = {}
    with connection.cursor() as cursor:
        for name, rule in _rules.items():
            if not rule.moves:
                continue
            column = field_of(name)
            table = column.model._meta.db_table
            unless = f" AND NOT ({rule.unless})" if rule.unless else ""
            cursor.execute(
                f'UPDATE "{table}" t SET "{column.column}" = %(kept)s'  # noqa: S608
                f' WHERE t."{column.column}" = %(merged)s{unless}',
                {"kept": kept.pk, "merged": merged.pk},
            )
            if cursor.rowcount:
                moved[column.model._meta.label_lower] = cursor.rowcount
    return moved


def field_of(name: str) -> "Field[object, object]":
    """The field that `app.model.field` names."""
    label, _dot, field = name.rpartition(".")
    found: Field[object, object] = apps.get_model(label)._meta.get_field(field)
    return found


_KEPT_HAS: Final = "EXISTS (SELECT 1 FROM {table} k WHERE k.person_id = %(kept)s{and_})"


def kept_has(table: str, condition: str = "") -> str:
    """The person who stays has such a row `k` already: the condition for `unless`."""
    return _KEPT_HAS.format(table=table, and_=f" AND {condition}" if condition else "")


moves("members.membership.person", why="one human's memberships are one history")
moves("members.servicecard.person", why="the card is in the same hand")
moves(
    "members.bankaccount.person",
    why="what was proposed may still be confirmed; a confirmed one is entered and checked anew",
    unless="t.state <> 'proposed' OR "
    + kept_has(
        "members_bankaccount",
        "k.fingerprint = t.fingerprint AND k.state IN ('proposed', 'confirmed')",
    ),
)
moves(
    "members.memberprofile.person",
    why="known fields are kept, those of the person who stays before the others",
    unless=kept_has("members_memberprofile"),
)
moves(
    "members.consent.person",
    why="who agreed is the same human",
    unless="t.withdrawn_at IS NULL AND "
    + kept_has("members_consent", "k.text_id = t.text_id AND k.withdrawn_at IS NULL"),
)
moves(
    "members.familymember.person",
    why="the family is one",
    unless=kept_has("members_familymember", "k.national_id_index = t.national_id_index"),
)
moves(
    "members.correction.person",
    why="what was asked for is still to be answered",
    unless="t.state = 'asked' AND "
    + kept_has("members_correction", "k.field = t.field AND k.state = 'asked'"),
)
moves(
    "members.favourite.person",
    why="what the member keeps at hand",
    unless=kept_has("members_favourite", "k.offer_id = t.offer_id"),
)
moves("members.merchantcomplaint.person", why="the answer is owed to the same human")
moves("members.person.merged_into", why="who was merged before goes on to the one who stays")
stays("members.redemption.person", why="what was used is settled and never edited")
stays("members.personmerge.kept", why="which rows were merged is never edited")
stays("members.personmerge.merged", why="which rows were merged is never edited")
stays("members.logincode.person", why="a code of the row that went opens nothing any more")
