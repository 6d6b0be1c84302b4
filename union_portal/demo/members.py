"""The demo's members: everybody on the roster, and those whose cards were issued before.

The portal takes over an earlier programme, as a federation would that begins with it: people,
memberships and the bank's cards in sets of their own, each row past every guard of its table.
"""

import secrets
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from members.actions import card_banks
from members.models import (
    CardBank,
    Channel,
    Consent,
    ConsentPurpose,
    Employment,
    HukouType,
    MemberProfile,
    Membership,
    MembershipChange,
    Person,
    ServiceCard,
)
from members.queries.privacy import text_in_force
from members.rules.card_layouts import SAMPLES
from members.states import MembershipState
from union_portal import audit, sets
from union_portal.demo import cast, federation
from union_portal.demo.lots import Lots, lots
from union_portal.demo.setting import Setting
from union_portal.demo.street import SEATS
from union_portal.fields import keyring
from union_portal.kit import fictional, masks, names
from union_portal.kit.crypto import Keyring
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
_BEGINNING: Final = ("person", "place")
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

    def _begin(self, people: QuerySet[Person], state: MembershipState) -> None:
        source = sets.source(people.values(person=F("pk"), place=F("organization")), *_BEGINNING)
        if source is None:
            return
        day = self.today - timedelta(days=400)
        done = sets.insert(
            "INSERT INTO members_membership (person_id, organization_id, joined_on,"
            " first_joined_on, channel, created_at, state)"
            " SELECT r.person, r.place, %s, %s, 'import', clock_timestamp(), %s FROM {rows}",
            source,
            _BEGINNING,
            before=[day, day, str(state)],
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
        unions = [home] * AT_HOME + self._places(rng, wanted - AT_HOME)
        prints = keyring().fingerprint_many("national_id", [one.national_id for one in drawn])
        self._register(drawn, prints, unions)
        self._enrol(prints, [self._joined_on(rng, one.born_on) for one in drawn])
        self._describe(prints[::4])
        with_card = slice(AT_HOME, AT_HOME + CARDS)
        self._cards(rng, prints[with_card], [one.card_number for one in drawn[with_card]])
        self._agree(ConsentPurpose.MEMBERSHIP, prints)
        self._agree(ConsentPurpose.CARD, prints[with_card])
        self._log("members", len(drawn))

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
    def _register(
        drawn: Sequence[FictionalPerson], prints: Sequence[str], unions: Sequence[Organization]
    ) -> None:
        """The people in one statement, their numbers sealed like everybody's."""
        ring = keyring()
        phones = [one.mobile for one in drawn]
        syllables = [names.pinyin(one.name) for one in drawn]
        columns: dict[str, tuple[str, Sequence[Any]]] = {
            "name": ("text", [one.name for one in drawn]),
            "pinyin": ("text", syllables),
            "initials": ("text", ["".join(s[0] for s in text.split()) for text in syllables]),
            "sex": ("text", [one.sex for one in drawn]),
            "born_on": ("date", [one.born_on for one in drawn]),
            "number": ("text", _hex(ring, "national_id", [one.national_id for one in drawn])),
            "print": ("text", prints),
            "number_shown": ("text", [masks.mask_id(one.national_id) for one in drawn]),
            "phone": ("text", _hex(ring, "phone", phones)),
            "phone_print": ("text", ring.fingerprint_many("phone", phones)),
            "phone_shown": ("text", [masks.mask_phone(phone) for phone in phones]),
            "place": ("bigint", [union.pk for union in unions]),
            "employer": ("text", [federation.employer_of(union) for union in unions]),
        }
        done = sets.insert(
            "INSERT INTO members_person (name, pinyin, initials, sex, born_on, national_id,"
            " national_id_index, national_id_shown, phone, phone_index, phone_shown, employer,"
            " organization_id, created_at, updated_at)"
            " SELECT r.name, r.pinyin, r.initials, r.sex, r.born_on, decode(r.number, 'hex'),"
            " r.print, r.number_shown, decode(r.phone, 'hex'), r.phone_print, r.phone_shown,"
            " r.employer, r.place, clock_timestamp(), clock_timestamp() FROM {rows}",
            sets.listed(**columns),
            tuple(columns),
        )
        sets.refresh(Person, done.count)

    def _enrol(self, prints: Sequence[str], joined: Sequence[date]) -> None:
        """Their memberships, each begun on its day."""
        sets.insert(
            "INSERT INTO members_membership (person_id, organization_id, joined_on,"
            " first_joined_on, channel, created_at, state)"
            " SELECT p.id, p.organization_id, r.day, r.day, 'import', clock_timestamp(), 'active'"
            " FROM {rows} JOIN members_person p ON p.national_id_index = r.print",
            sets.listed(print=("text", prints), day=("date", joined)),
            ("print", "day"),
        )
        self._note_beginnings()

    def _joined_on(self, rng: Lots, born_on: date) -> date:
        """Some day of the last years, of age."""
        of_age = born_on + timedelta(days=18 * 366)
        return max(of_age, self.today - timedelta(days=rng.randrange(500, 4_000)))

    @staticmethod
    def _describe(prints: Sequence[str]) -> None:
        """What the register asks further, of some: whoever came to town from the land."""
        people = Person.objects.filter(national_id_index__in=prints)
        MemberProfile.objects.bulk_create(
            MemberProfile(
                person_id=pk,
                hukou_type=HukouType.LOCAL_RURAL,
                employment=Employment.EMPLOYED,
                is_farmer_worker=True,
            )
            for pk in people.values_list("pk", flat=True)
        )

    def _cards(self, rng: Lots, prints: Sequence[str], numbers: Sequence[str]) -> None:
        """Their cards as the earlier programme left them: active, with their days and hands."""
        ring = keyring()
        banks = list(CardBank.objects.order_by("pk").values_list("pk", flat=True))
        days = self._days()
        # Fewer at the beginning, more as the programme became known.
        shares = [4 + nth for nth in range(len(days))]
        columns: dict[str, tuple[str, Sequence[Any]]] = {
            "print": ("text", prints),
            "bank": ("bigint", [banks[nth % len(banks)] for nth in range(len(prints))]),
            "number": ("text", _hex(ring, "card_number", numbers)),
            "number_print": ("text", ring.fingerprint_many("card_number", numbers)),
            "last_four": ("text", [number[-4:] for number in numbers]),
            "handle": ("text", [secrets.token_hex(16) for _each in prints]),
            "day": ("date", sorted(rng.choices(days, shares, k=len(prints)))),
        }
        done = sets.insert(
            "INSERT INTO members_servicecard (person_id, organization_id, bank_id, number,"
            " fingerprint, last_four, handle, channel, applied_at, approved_by_id, approved_at,"
            " issued_on, collected_at, activated_on, reason, state)"
            " SELECT p.id, p.organization_id, r.bank, decode(r.number, 'hex'), r.number_print,"
            " r.last_four, r.handle, 'import', r.day - interval '25 days', %s,"
            " r.day - interval '12 days', r.day, r.day + interval '5 days', r.day + 7, '', 'active'"
            " FROM {rows} JOIN members_person p ON p.national_id_index = r.print ORDER BY r.day",
            sets.listed(**columns),
            tuple(columns),
            before=[self.setting.staff["he"].pk],
        )
        sets.refresh(ServiceCard, done.count)

    def _agree(self, purpose: ConsentPurpose, prints: Sequence[str]) -> None:
        """They agreed on the earlier programme's forms, which come with it."""
        text = text_in_force(purpose, self.today)
        if text is None:
            return
        done = sets.insert(
            "INSERT INTO members_consent (person_id, text_id, channel, given_at, given_by_id)"
            " SELECT p.id, %s, 'import', clock_timestamp(), %s"
            " FROM {rows} JOIN members_person p ON p.national_id_index = r.print",
            sets.listed(print=("text", prints)),
            ("print",),
            before=[text.pk, self.setting.staff["he"].pk],
        )
        sets.refresh(Consent, done.count)

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


def _hex(ring: Keyring, kind: str, texts: Sequence[str]) -> list[str]:
    return [blob.hex() for blob in ring.seal_many(kind, texts)]
