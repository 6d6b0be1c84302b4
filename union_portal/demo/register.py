"""The register at work: people who join, move, are found twice, ask for a correction."""

from datetime import date, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from members.actions import (
    consents,
    corrections,
    family,
    join_applications,
    joining,
    merges,
    people,
    retention,
    statistics,
    transfers,
)
from members.models import (
    ConsentPurpose,
    Correction,
    JoinApplication,
    Membership,
    MembershipTransfer,
    PersonMerge,
)
from members.queries.privacy import text_in_force
from members.states import LIVE_MEMBERSHIPS, JoinState
from union_portal.demo import federation
from union_portal.demo.cast import Player
from union_portal.demo.lots import lots
from union_portal.demo.setting import Setting
from union_portal.kit import fictional
from union_portal.models import Account, Job, Organization, OrganizationLevel

# How far each of the applications gets.
_APPLICATIONS: Final = (
    JoinState.APPLIED,
    JoinState.APPLIED,
    JoinState.CHECKED,
    JoinState.RETURNED,
    JoinState.REFUSED,
    JoinState.APPROVED,
)


class Register:
    """What waits at the desks of the home union and of its county."""

    def __init__(self, setting: Setting, players: dict[str, Player]) -> None:
        self.setting = setting
        self.players = players
        self.today: date = setting.today
        self.home: Organization = federation.home_union(setting.city)
        self.qiao: Account = setting.staff["qiao"]
        self.shi: Account = setting.staff["shi"]

    def play(self) -> str:
        """Each scene once, whole or not at all."""
        for is_there, scene in (
            (JoinApplication.objects.exists(), self._join),
            (MembershipTransfer.objects.exists(), self._move),
            (PersonMerge.objects.exists(), self._find_twice),
            (Correction.objects.exists(), self._speak_up),
            (self._is_asked(retention.COUNT), self._count_what_is_old),
            (self._is_asked(statistics.JOB), self._count_the_year),
        ):
            if not is_there:
                with transaction.atomic():
                    scene()
        return f"{JoinApplication.objects.count()} people asked to join, one moves, one was twice"

    def _join(self) -> None:
        rng = lots("joining")
        drawn = fictional.make_people(
            rng,
            len(_APPLICATIONS),
            divisions=["610802"],
            first=date(1980, 1, 1),
            last=date(2005, 12, 31),
        )
        for nth, (one, state) in enumerate(zip(drawn, _APPLICATIONS, strict=True), start=1):
            asked = join_applications.apply(
                name=one.name,
                national_id=one.national_id,
                phone=one.mobile,
                employer="驼城演示物流有限公司",
                organization=self.home,
                profile={"ethnicity": "汉族", "is_farmer_worker": False},
                by=None,
                address=f"192.0.2.{100 + nth}",
                today=self.today,
                now=timezone.now(),
                consents=self._texts(),
            )
            self._bring(asked, state)

    def _texts(self) -> list[int]:
        text = text_in_force(ConsentPurpose.MEMBERSHIP, self.today)
        return consents.for_joining(text.pk if text else None, today=self.today)

    def _bring(self, asked: JoinApplication, to: JoinState) -> None:
        now = timezone.now()
        if to in (JoinState.CHECKED, JoinState.APPROVED):
            joining.check(application=asked, by=self.qiao, now=now)
        if to == JoinState.APPROVED:
            asked.refresh_from_db()
            joining.approve(application=asked, by=self.shi, today=self.today, now=now)
        if to == JoinState.RETURNED:
            joining.give_back(
                application=asked, message="请补充劳动合同首页照片（演示）。", by=self.qiao, now=now
            )
        if to == JoinState.REFUSED:
            joining.refuse(
                application=asked, reason="劳动关系在其他单位，请向该单位工会申请（演示）。",
                by=self.qiao, now=now,
            )  # fmt: skip

    def _move(self) -> None:
        """Guan changes employers; the old union has not released him yet."""
        guan = self.players.get("guan")
        if guan is None:
            return
        membership = Membership.objects.get(person=guan.person, state__in=LIVE_MEMBERSHIPS)
        target = (
            Organization.objects.within(federation.counties(self.setting.city)[2])
            .filter(level=OrganizationLevel.GRASSROOTS)
            .order_by("pk")[0]
        )
        transfers.request(
            membership=membership,
            target=target,
            employer="塞上演示能源有限公司",
            reason="到新单位工作，申请接转会籍（演示）",
            by=guan.account,
        )

    def _find_twice(self) -> None:
        """One human under two numbers: proposed by the county, waiting for a second person."""
        rng = lots("twice")
        born = date(1985, 6, 12)
        name = fictional.make_name(rng, "female", rare_per_mille=0, dotted_per_mille=0)
        pair = [
            people.register(
                name=name,
                national_id=fictional.make_national_id(rng, born + timedelta(days=nth), "female",
                                                       "610802"),
                phone=fictional.make_mobile(rng),
                employer="驼城演示纺织厂",
                organization=self.home,
                by=self.qiao,
                today=self.today,
            )
            for nth in range(2)
        ]  # fmt: skip
        merges.propose(
            kept=pair[0],
            merged=pair[1],
            reason="同名同单位，出生日期录入差一天，经电话核实为同一人（演示）",
            by=self.shi,
        )

    def _speak_up(self) -> None:
        """Kong has her employer's name corrected, and enters husband and grandchild."""
        kong = self.players.get("kong")
        if kong is None:
            return
        now = timezone.now()
        corrections.ask(
            person=kong.person,
            field="employer",
            wanted="榆林市演示中学（退休教师工作室）",
            words="单位名称已经变更。",
            by=kong.account,
            now=now,
        )
        for purpose in (ConsentPurpose.MEMBERSHIP, ConsentPurpose.FAMILY):
            consents.give(
                person=kong.person, purpose=purpose, by=kong.account, now=now, today=self.today
            )
        family.enter(
            person=kong.person,
            name="邓启明",
            relation="spouse",
            born_on=date(1959, 4, 2),
            by=kong.account,
            today=self.today,
            now=now,
        )
        family.enter(
            person=kong.person,
            name="邓小满",
            relation="other",
            born_on=self.today.replace(year=self.today.year - 6, day=1),
            guardian=kong.person.name,
            by=kong.account,
            today=self.today,
            now=now,
        )

    @staticmethod
    def _is_asked(job: str) -> bool:
        return Job.objects.filter(name=job).exists()

    def _count_what_is_old(self) -> None:
        retention.ask_dry_run(by=self.setting.staff["an"], today=self.today)

    def _count_the_year(self) -> None:
        statistics.request(
            organization=self.setting.city, year=self.today.year, by=self.setting.staff["he"]
        )
