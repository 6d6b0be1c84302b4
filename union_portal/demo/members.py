"""The demo's members: everybody on the roster, and those whose cards were issued before.

The portal takes over an earlier programme, as a federation would that begins with it: people,
memberships and the bank's cards in sets of their own, each row past every guard of its table.
"""

import secrets
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Value
from django.utils import timezone

from members.actions import card_banks
from members.models import (
    CardBank,
    Channel,
    MemberProfile,
    Membership,
    MembershipChange,
    Person,
    ServiceCard,
)
from members.rules.card_layouts import SAMPLES
from members.states import CardState, MembershipState
from union_portal import audit, sets
from union_portal.demo import cast, federation
from union_portal.demo.lots import Lots, lots
from union_portal.demo.setting import Setting
from union_portal.demo.street import SEATS
from union_portal.fields import keyring
from union_portal.kit import fictional, masks, names
from union_portal.kit.fictional import FictionalPerson
from union_portal.models import Organization, OrganizationLevel

# Cards taken over; those that the demo's own batches issue come on top of them.
CARDS: Final = 12_780
WITHOUT_CARD: Final = 300
# So many of the home union go through the card desk.
AT_HOME: Final = 90
CARD_MONTHS: Final = 14
BANKS: Final = (
    ("TUO", "驼城演示银行", "0912-0000001", "sample-text"),
    ("SAI", "塞上演示信用社", "0912-0000002", "sample-workbook"),
)
TAKEN_OVER: Final = "takeover"
_CHUNK: Final = 2_000
_OLDEST, _YOUNGEST = date(1968, 1, 1), date(2004, 12, 31)


class Members:
    """Who belongs to which union, and who holds a card."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.today = setting.today

    def take_over(self) -> str:
        """Memberships of the roster, further members, and the cards they hold."""
        self._join_roster()
        self._describe_banks()
        if not ServiceCard.objects.filter(channel=Channel.IMPORT).exists():
            with transaction.atomic():
                self._further()
        issued = ServiceCard.objects.filter(issued_on__isnull=False)
        return f"{Membership.objects.count()} memberships, {issued.count()} cards taken over"

    # -- memberships ----------------------------------------------------------------------
    @transaction.atomic
    def _join_roster(self) -> None:
        """Everybody alive on the roster is a member; whoever is past working age has retired."""
        born_before = self.today.replace(year=self.today.year - 60, day=1)
        here = Person.objects.filter(
            ~Exists(Membership.objects.filter(person=OuterRef("pk"))),
            died_on__isnull=True,
            merged_into__isnull=True,
        )
        ours = [member.index() for member in cast.MEMBERS]
        working = here.filter(born_on__gte=born_before) | here.filter(national_id_index__in=ours)
        self._begin(working, MembershipState.ACTIVE)
        self._begin(here, MembershipState.RETIRED)

    def _begin(self, people: "object", state: MembershipState) -> None:
        began = self.today - timedelta(days=400)
        source = sets.source(
            people.values(person=F("pk"), place=F("organization"), day=Value(began)),  # type: ignore[attr-defined]
            "person",
            "place",
            "day",
        )
        if source is None:
            return
        done = sets.insert(
            "INSERT INTO members_membership (person_id, organization_id, joined_on,"
            " first_joined_on, channel, created_at, state)"
            " SELECT r.person, r.place, r.day::date, r.day::date, 'import', clock_timestamp(), %s"
            " FROM {rows}",
            source,
            ("person", "place", "day"),
            before=[str(state)],
        )
        if done.count:
            self._note_beginnings()
            self._log("memberships", done.count)

    def _note_beginnings(self) -> None:
        """Each membership begins with a change, which yearly statistics count."""
        fresh = Membership.objects.filter(
            ~Exists(MembershipChange.objects.filter(membership=OuterRef("pk")))
        )
        source = sets.source(
            fresh.values(key=F("pk"), new=F("state"), day=F("joined_on")), "key", "new", "day"
        )
        if source is not None:
            sets.insert(
                "INSERT INTO members_membershipchange"
                ' (membership_id, old_state, new_state, "on", reason, noted_by_id, noted_at)'
                " SELECT r.key, '', r.new, r.day, '', NULL, clock_timestamp() FROM {rows}",
                source,
                ("key", "new", "day"),
            )

    # -- banks ------------------------------------------------------------------------------
    def _describe_banks(self) -> None:
        for code, name, hotline, sample in BANKS:
            if not CardBank.objects.filter(code=code).exists():
                card_banks.describe(
                    code=code,
                    name=name,
                    hotline=hotline,
                    layout=SAMPLES[sample],
                    prefixes=fictional.CARD_ISSUER,
                    by=self.setting.staff["ruan"],
                )

    # -- whoever has a card already ----------------------------------------------------------
    def _further(self) -> None:
        rng = lots("further members")
        wanted = CARDS + WITHOUT_CARD + AT_HOME
        drawn = self._strangers(rng, wanted)
        home = federation.home_union(self.setting.city)
        places = self._places(rng, wanted - AT_HOME)
        unions = [home] * AT_HOME + places
        people = Person.objects.bulk_create(
            (self._person(one, union) for one, union in zip(drawn, unions, strict=True)),
            batch_size=_CHUNK,
        )
        joined = [self._joined_on(rng) for _each in people]
        Membership.objects.bulk_create(
            (
                Membership(
                    person=person,
                    organization_id=person.organization_id,
                    joined_on=day,
                    first_joined_on=day,
                    channel=Channel.IMPORT,
                )
                for person, day in zip(people, joined, strict=True)
            ),
            batch_size=_CHUNK,
        )
        sets.refresh(Person, len(people))
        self._note_beginnings()
        self._describe(rng, people)
        self._cards(rng, people[AT_HOME : AT_HOME + CARDS], drawn[AT_HOME:])
        self._log("members", len(people))

    @staticmethod
    def _strangers(rng: Lots, wanted: int) -> list[FictionalPerson]:
        """People who do not exist and are not on the roster either."""
        drawn = list(
            fictional.make_people(
                rng, wanted + 200, divisions=sorted(SEATS), first=_OLDEST, last=_YOUNGEST
            )
        )
        prints = keyring().fingerprint_many("national_id", [one.national_id for one in drawn])
        known = set(
            Person.objects.filter(national_id_index__in=prints).values_list(
                "national_id_index", flat=True
            )
        )
        fresh = [one for one, mark in zip(drawn, prints, strict=True) if mark not in known]
        return fresh[:wanted]

    def _places(self, rng: Lots, count: int) -> list[Organization]:
        """So many unions, drawn by the size of their counties."""
        unions = list(
            Organization.objects.within(self.setting.city).filter(
                level=OrganizationLevel.GRASSROOTS, division_code__in=SEATS
            )
        )
        in_county: dict[str, int] = {}
        for union in unions:
            in_county[union.division_code] = in_county.get(union.division_code, 0) + 1
        weights = [
            SEATS[union.division_code][2] * 1_000 // in_county[union.division_code]
            for union in unions
        ]
        return rng.choices(unions, weights, k=count)

    @staticmethod
    def _person(one: FictionalPerson, union: Organization) -> Person:
        syllables = names.pinyin(one.name)
        return Person(
            name=one.name,
            pinyin=syllables,
            initials="".join(syllable[0] for syllable in syllables.split()),
            sex=one.sex,
            born_on=one.born_on,
            national_id=one.national_id,
            national_id_shown=masks.mask_id(one.national_id),
            phone=one.mobile,
            phone_shown=masks.mask_phone(one.mobile),
            employer=union.name.removesuffix("工会委员会")
            .split("（")[0]
            .removesuffix("工会委员会"),
            organization=union,
        )

    def _joined_on(self, rng: Lots) -> date:
        return self.today - timedelta(days=rng.randrange(500, 4_000))

    @staticmethod
    def _describe(rng: Lots, people: Sequence[Person]) -> None:
        """What the register asks further, of some: whoever came to town from the land."""
        MemberProfile.objects.bulk_create(
            (
                MemberProfile(
                    person=person,
                    hukou_type="local_rural",
                    employment="employed",
                    is_farmer_worker=True,
                )
                for person in people[::4]
            ),
            batch_size=_CHUNK,
        )

    def _cards(self, rng: Lots, people: Sequence[Person], drawn: Sequence[FictionalPerson]) -> None:
        banks = {bank.code: bank for bank in CardBank.objects.all()}
        days = self._days()
        # Fewer at the beginning, more as the programme became known.
        shares = [4 + nth for nth in range(len(days))]
        chosen = rng.choices(days, shares, k=len(people))
        ServiceCard.objects.bulk_create(
            self._held(people, drawn, sorted(chosen), list(banks.values())), batch_size=_CHUNK
        )
        sets.refresh(ServiceCard, len(people))

    def _held(
        self,
        people: Sequence[Person],
        drawn: Sequence[FictionalPerson],
        days: Sequence[date],
        banks: Sequence[CardBank],
    ) -> Iterator[ServiceCard]:
        """The cards as the earlier programme left them: active, with their days and hands."""
        he = self.setting.staff["he"]
        for nth, (person, one, day) in enumerate(zip(people, drawn, days, strict=False)):
            at = timezone.make_aware(datetime.combine(day, time(10)))
            yield ServiceCard(
                person=person,
                organization_id=person.organization_id,
                bank=banks[nth % len(banks)],
                number=one.card_number,
                last_four=one.card_number[-4:],
                handle=secrets.token_hex(16),
                channel=Channel.IMPORT,
                applied_at=at - timedelta(days=25),
                approved_by=he,
                approved_at=at - timedelta(days=12),
                issued_on=day,
                collected_at=at + timedelta(days=5),
                activated_on=day + timedelta(days=7),
                state=CardState.ACTIVE,
            )

    def _days(self) -> list[date]:
        """The 15th of each of the months before this one, the oldest first."""
        found = [(self.today.replace(day=1) - timedelta(days=1)).replace(day=15)]
        while len(found) < CARD_MONTHS:
            found.insert(0, (found[0].replace(day=1) - timedelta(days=1)).replace(day=15))
        return found

    def _log(self, what: str, count: int) -> None:
        audit.record_ref(
            "demo.taken_over", "demo", TAKEN_OVER, by=audit.Machine("demo"), what=what, count=count
        )
