"""The dozen members whom the demo follows: fictional model workers of one union.

Everybody else on the roster is drawn by lot; these are the same in every demo, so that the
words at its end can say whom to look at.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from awards.states import CaseState
from members.actions import first_login, people
from members.models import Person
from union_portal.fields import fingerprint
from union_portal.kit import fictional
from union_portal.kit.fictional import FictionalPerson
from union_portal.kit.identity import Sex
from union_portal.models import Account

DIVISION: Final = "610802"


@dataclass(frozen=True)
class Application:
    """What a member applies for, what is found, and how far it goes in the demo.

    A fresh one is decided today, so that its notice still runs.
    """

    ground: str
    stated: Mapping[str, Any]
    asked_fen: int
    until: CaseState
    findings: str = ""
    opinion: str = ""
    amount_fen: int = 0
    reason: str = ""
    clause: str = ""
    missing: str = ""
    completed: str = ""
    is_fresh: bool = False


@dataclass(frozen=True)
class Member:
    """One of the cast. `level` is the level of the honour, as the roster writes it."""

    username: str
    name: str
    sex: Sex
    born_on: date
    kind: str = "企业"
    level: str = "市级"
    is_in_hardship: bool = False
    applies: Application | None = None

    def identity(self) -> FictionalPerson:
        """Number, phone and card: the same in every demo."""
        rng = random.Random(f"demo:{self.username}")  # noqa: S311
        return FictionalPerson(
            name=self.name,
            sex=self.sex,
            born_on=self.born_on,
            division=DIVISION,
            national_id=fictional.make_national_id(rng, self.born_on, self.sex, DIVISION),
            mobile=fictional.make_mobile(rng),
            card_number=fictional.make_card_number(rng),
        )

    def person(self) -> Person | None:
        """The member's row; None in a demo too small for the whole cast."""
        return Person.objects.filter(national_id_index=self.index()).first()

    def index(self) -> str:
        """What the identity number is looked up by."""
        return fingerprint("national_id", self.identity().national_id)


def _illness(text: str, patient: str, costs: str, basic: str, major: str) -> dict[str, Any]:
    return {
        "text": text,
        "patient": patient,
        "is_serious": True,
        "costs": costs,
        "basic": basic,
        "major_illness": major,
        "assistance": "0",
        "worker_aid": "0",
    }


# Lin is paid a festival gift, Kong is refused one, Yan is in hardship.
LIN: Final = Member("lin", "林秀兰", "female", date(1964, 3, 12))
KONG: Final = Member("kong", "孔令芳", "female", date(1961, 8, 2), level="省级")
YAN: Final = Member(
    "yan",
    "严守成",
    "male",
    date(1958, 5, 20),
    is_in_hardship=True,
    applies=Application(
        ground="illness",
        stated=_illness(
            "本人尿毒症，每周透析三次，医保报销后自付部分仍难以承担。",
            "self",
            "86000",
            "41000",
            "15000.50",
        ),
        asked_fen=400_000,
        until=CaseState.GRANTED,
        missing="请补充今年的医疗费用结算单。",
        completed="已补交医疗费用结算单。",
        findings="查看了透析病历和费用票据，家中两口人，主要靠退休金生活，情况属实。",
        opinion="经核对医保结算信息，情况属实，建议补助3000元。",
        amount_fen=300_000,
        reason="长期透析，各项报销后年自付近三万元，困难程度较重。",
    ),
)
# Paid well, but the account was closed soon after: the bank gives the money back.
TAO: Final = Member("tao", "陶望山", "male", date(1950, 10, 6), kind="农村")
QI: Final = Member(
    "qi",
    "齐桂花",
    "female",
    date(1974, 6, 18),
    applies=Application(
        ground="livelihood",
        stated={"text": "企业关停后下岗，至今未找到工作。", "cause": "lay_off"},
        asked_fen=200_000,
        until=CaseState.GRANTED,
        findings="查看了解除劳动合同证明，家中收入明显减少。",
        opinion="情况属实，建议补助1500元。",
        amount_fen=150_000,
        reason="下岗后家庭收入减少，属暂时性困难。",
    ),
)
BO: Final = Member(
    "bo",
    "柏长青",
    "male",
    date(1969, 1, 25),
    applies=Application(
        ground="disaster",
        stated={"text": "七月山洪冲毁房屋一间，家具家电损失较大。", "cause": "natural_disaster"},
        asked_fen=500_000,
        until=CaseState.GRANTED,
        findings="现场查看受损房屋，损失与所述相符。",
        opinion="情况属实，建议补助5000元。",
        amount_fen=500_000,
        reason="房屋受损严重，按最高标准补助。",
    ),
)
NI: Final = Member(
    "ni",
    "倪建军",
    "male",
    date(1966, 11, 9),
    applies=Application(
        ground="illness",
        stated=_illness("母亲脑梗住院后长期康复，费用较高。", "parent", "42000", "26000", "5000"),
        asked_fen=300_000,
        until=CaseState.REFUSED,
        findings="查看了住院病历；康复费用票据尚未取全。",
        opinion="住院部分属实，康复费用需进一步核实。",
        reason="现有票据所列自付金额不重，未达到补助条件。",
        clause="X6(a)",
    ),
)
SHAO: Final = Member(
    "shao",
    "邵美玲",
    "female",
    date(1978, 2, 14),
    applies=Application(
        ground="illness",
        stated=_illness("女儿患白血病，正在外地治疗。", "child", "210000", "120000", "46000"),
        asked_fen=500_000,
        until=CaseState.GRANTED,
        findings="查看了诊断证明和费用票据，情况属实。",
        opinion="情况属实，建议补助4000元。",
        amount_fen=400_000,
        reason="子女患重大疾病，自付费用沉重。",
        is_fresh=True,
    ),
)
PU: Final = Member(
    "pu",
    "蒲文清",
    "male",
    date(1962, 9, 30),
    applies=Application(
        ground="illness",
        stated=_illness("爱人乳腺癌术后化疗。", "spouse", "73000", "38000", "9000"),
        asked_fen=300_000,
        until=CaseState.REVIEWED,
        findings="查看了病历和票据，情况属实。",
        opinion="情况属实，建议补助2500元。",
        amount_fen=250_000,
    ),
)
XI: Final = Member(
    "xi",
    "席小梅",
    "female",
    date(1971, 12, 3),
    applies=Application(
        ground="livelihood",
        stated={
            "text": "孩子在西安读大学，家中只有一人工作。",
            "cause": "schooling",
            "is_school_in_china": True,
        },
        asked_fen=200_000,
        until=CaseState.VISITED,
        findings="查看了录取通知书和缴费单据，情况属实。",
    ),
)
CEN: Final = Member(
    "cen",
    "岑玉珍",
    "female",
    date(1965, 7, 7),
    applies=Application(
        ground="disaster",
        stated={"text": "爱人遭遇车祸，正在康复。", "cause": "family_accident"},
        asked_fen=200_000,
        until=CaseState.RETURNED,
        missing="请补充交通事故责任认定书。",
    ),
)
GUAN: Final = Member(
    "guan",
    "管大勇",
    "male",
    date(1973, 4, 16),
    applies=Application(
        ground="illness",
        stated=_illness("本人心脏搭桥手术后休养。", "self", "98000", "52000", "14000"),
        asked_fen=300_000,
        until=CaseState.SUBMITTED,
    ),
)
# Whom a newcomer is told to log in as; then everybody, in the order of the roster.
SHOWN: Final = (LIN, KONG, YAN)
MEMBERS: Final = (LIN, KONG, YAN, TAO, QI, BO, NI, SHAO, PU, XI, CEN, GUAN)


@dataclass(frozen=True)
class Player:
    """A member of the cast in this demo: the row and the account they act with."""

    member: Member
    person: Person
    account: Account = field(compare=False)


def player(member: Member, password: str) -> Player | None:
    """Let one of the cast have an account (with a password already hashed), once."""
    person = member.person()
    if person is None:
        return None
    account = Account.objects.filter(username=member.username).first()
    if account is None:
        account = Account.objects.create(
            username=member.username, name=member.name, password=password
        )
    if person.account_id is None:
        people.attach_account(person=person, account=account, by=first_login.DOOR)
        person.refresh_from_db()
    return Player(member, person, person.account or account)
