"""What one may see of service cards, scoped to who looks; and what the programme counts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db.models import (
    CharField,
    Count,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import TruncMonth

from members import queries
from members.models import (
    Consent,
    ConsentPurpose,
    Employment,
    Membership,
    Person,
    ServiceCard,
)
from members.queries.privacy import text_in_force
from members.rules.card_applicants import Applicant
from members.states import LIVE_CARDS, LIVE_MEMBERSHIPS, CardState
from union_portal import access
from union_portal.access import Permission
from union_portal.fields import fingerprint
from union_portal.kit.plain_text import digits_as_typed
from union_portal.models import Account, Organization, OrganizationLevel

# Where a card's holder belongs now: whose staff look after it.
PLACE: Final = "person__organization__path"
_FOREIGN: Final = "9"
_LAST_FOUR: Final = re.compile(r"[0-9]{4}")
_NUMBER: Final = re.compile(r"[0-9]{16,19}")
_REFERENCE: Final = re.compile(r"[Cc]0*([0-9]{1,18})")
# What stands for a card's number in an address: its keyed hash alone.
_MARK: Final = re.compile(r"~c([0-9a-f]{64})")


def cards_for(account: Account, permission: Permission) -> QuerySet[ServiceCard]:
    """The cards of people within the account's reach; none by default."""
    return ServiceCard.objects.filter(access.scope(account, permission, PLACE))


def waiting_for(account: Account, permission: Permission, state: CardState) -> QuerySet[Any]:
    """What waits in a state for somebody who may take the next step, not entered by themselves."""
    own = {"applied_by": account} if state == CardState.UNION_REVIEW else {"checked_by": account}
    return cards_for(account, permission).filter(state=state).exclude(**own)


def card_of(person: Person | int) -> ServiceCard | None:
    """The card, or the application for one, that counts for a person now: live, else lost."""
    cards = ServiceCard.objects.filter(person=person).select_related("bank", "organization")
    live = cards.filter(state__in=LIVE_CARDS).first()
    return live or cards.filter(state=CardState.LOST).first()


def lost_card_of(person: Person) -> ServiceCard | None:
    """The newest card reported lost that none has replaced yet."""
    lost = ServiceCard.objects.filter(person=person, state=CardState.LOST)
    return lost.select_related("bank", "organization").first()


def last_card_of(person: Person) -> ServiceCard | None:
    """The newest card, or application for one, whatever became of it."""
    cards = ServiceCard.objects.filter(person=person)
    return cards.select_related("bank", "organization").first()


# -- who may have one ---------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Facts:
    """A person's number, the union of the live membership (0: none), what the rules ask."""

    person: int
    organization: int
    applicant: Applicant


def consented(on: date) -> Exists:
    """Whether the person of a card agrees to that text on a day."""
    text = text_in_force(ConsentPurpose.CARD, on)
    return Exists(
        Consent.objects.filter(person=OuterRef("person"), text=text, withdrawn_at__isnull=True)
    )


def facts(people: QuerySet[Person], *, on: date, replacing: bool = False) -> Iterator[Facts]:
    """What the rules on applicants ask of each of some people, in one query.

    Whoever lost a card has one, unless it is to be replaced.
    """
    memberships = Membership.objects.filter(person=OuterRef("pk"), state__in=LIVE_MEMBERSHIPS)
    consents = Consent.objects.filter(
        person=OuterRef("pk"),
        text=text_in_force(ConsentPurpose.CARD, on),
        withdrawn_at__isnull=True,
    )
    held = LIVE_CARDS if replacing else (*LIVE_CARDS, CardState.LOST)
    rows = people.annotate(
        membership=Subquery(memberships.values("state")[:1]),
        union=Subquery(memberships.values("organization")[:1]),
        has_consent=Exists(consents),
        has_card=Exists(ServiceCard.objects.filter(person=OuterRef("pk"), state__in=held)),
    ).values_list(
        "pk", "union", "membership", "sex", "born_on", "died_on", "merged_into",
        "national_id_shown", "profile__employment", "phone_index", "has_consent", "has_card",
    )  # fmt: skip
    for (
        pk, union, membership, sex, born_on, died_on, merged, number, employment, phone, consent,
        card,
    ) in rows.order_by("pk").iterator(chunk_size=5000):  # fmt: skip
        yield Facts(
            person=pk,
            organization=union or 0,
            applicant=Applicant(
                membership=membership or "",
                sex=sex,
                born_on=born_on,
                is_alive=died_on is None,
                is_merged=merged is not None,
                is_foreigner=number.startswith(_FOREIGN),
                is_retired=employment == Employment.RETIRED,
                has_phone=phone is not None,
                has_consent=consent,
                has_card=card,
            ),
        )


# -- searching ------------------------------------------------------------------------------
def matches(text: str) -> Q:
    """The condition on cards that a search stands for.

    Four digits are the last four of a number; 16 to 19 a whole number, by its keyed hash; a C
    with a number is an application; anything else is a person, as the register is searched.
    """
    typed = digits_as_typed(text)
    if mark := _MARK.fullmatch(text.strip()):
        return Q(fingerprint=mark[1])
    if _LAST_FOUR.fullmatch(typed):
        return Q(last_four=typed)
    if _is_card_number(typed):
        return Q(fingerprint=fingerprint("card_number", typed))
    if reference := _REFERENCE.fullmatch(typed):
        return Q(pk=int(reference[1]))
    return Q(person__in=Person.objects.filter(queries.matches(text)).order_by().values("pk"))


def in_an_address(text: str) -> str:
    """A search as its list's address holds it: whole numbers by their keyed hashes alone."""
    typed = digits_as_typed(text)
    if _is_card_number(typed):
        return f"~c{fingerprint('card_number', typed)}"
    return queries.in_an_address(text)


def _is_card_number(typed: str) -> bool:
    """18 digits are an identity number where they can be one, which is what people look for."""
    is_identity = len(typed) == 18 and typed[6:8] in ("19", "20")
    return bool(_NUMBER.fullmatch(typed)) and not is_identity


# -- counting ---------------------------------------------------------------------------------
def issued() -> QuerySet[ServiceCard]:
    """Cards that the banks have issued, whatever became of them since."""
    return ServiceCard.objects.filter(issued_on__isnull=False)


@dataclass(frozen=True)
class Counts:
    """Cards issued by county and month. `table`: for each county its count by month."""

    months: tuple[date, ...]
    table: tuple[tuple[str, tuple[int, ...]], ...]

    @property
    def by_county(self) -> list[tuple[str, int]]:
        return [(county, sum(row)) for county, row in self.table]

    @property
    def by_cell(self) -> list[tuple[str, list[tuple[date, int]]]]:
        """The table, every count with its month."""
        return [(county, list(zip(self.months, row, strict=True))) for county, row in self.table]

    @property
    def by_month(self) -> list[tuple[date, int]]:
        columns = zip(*(row for _county, row in self.table), strict=True)
        return list(zip(self.months, map(sum, columns), strict=True))

    @property
    def total(self) -> int:
        return sum(count for _county, count in self.by_county)


def issued_by_county_and_month(cards: QuerySet[ServiceCard], elsewhere: str) -> Counts:
    """Counted in one query, by the county of the union where the card was applied for.

    Whatever belongs to no county is the city's own: `elsewhere` names it.
    """
    part = Func(
        F("organization__path"),
        Value("/"),
        Value(2),
        function="split_part",
        output_field=CharField(),
    )
    rows = (
        cards.filter(issued_on__isnull=False)
        .order_by()
        .annotate(part=part, month=TruncMonth("issued_on"))
        .values_list("part", "month")
        .annotate(n=Count("pk"))
    )
    names = county_names()
    counted: dict[str, dict[date, int]] = {}
    for number, month, count in rows:
        of_county = counted.setdefault(names.get(number, elsewhere), {})
        of_county[month] = of_county.get(month, 0) + count
    months = tuple(sorted({month for row in counted.values() for month in row}))
    ordered = sorted(counted.items(), key=lambda row: (-sum(row[1].values()), row[0]))
    return Counts(
        months,
        tuple((name, tuple(row.get(month, 0) for month in months)) for name, row in ordered),
    )


def county_names() -> dict[str, str]:
    """Unions right below the federation by the second part of their path."""
    middle = Organization.objects.exclude(
        level__in=[OrganizationLevel.FEDERATION, OrganizationLevel.GRASSROOTS]
    )
    return {
        path.split("/")[1]: short or name
        for path, short, name in middle.values_list("path", "short_name", "name")
        if path.count("/") == 2
    }


def county_by(division_code: str) -> str:
    """The path of the county union with this division code; '' for none."""
    county = Organization.objects.filter(
        level=OrganizationLevel.COUNTY, division_code=division_code
    ).first()
    return county.path if county is not None else ""
