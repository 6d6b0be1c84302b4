"""What the public and the members say against a decision, and what becomes of it."""

from datetime import timedelta

from awards.models import SubsidyCase
from awards.states import CaseState
from members.actions import people
from union_portal import appeals, notices
from union_portal.demo import cast
from union_portal.demo.cast import Player
from union_portal.demo.setting import Setting
from union_portal.models import Appeal, AuditEntry, Notice, NoticeEntry, Objection
from union_portal.states import NoticeState, ObjectionState

# Who objects, why, whether it is upheld (None: nobody has answered yet), and the answer.
OBJECTIONS = (
    (
        "邹立新",
        "此人已于上月去世，不应再发放慰问金。",
        True,
        "经所在工会和社区核实，情况属实，撤销该项发放决定。",
    ),
    (
        "邹立新",
        "此人未在本单位工作，是否符合条件？",
        False,
        "经核实，该同志已退休，市级劳模荣誉有效，符合发放条件，异议不成立。",
    ),
    ("田晓红", "公示单位名称与本人实际单位不一致，请核实。", None, ""),
)
OBJECTOR_PHONE = "13800000000"
_LOOK = "电话核实双节慰问金到账情况（演示）"


def object_to(setting: Setting, notice: Notice) -> int:
    """Object to the first entries of a notice that are nobody's of the cast, in its window."""
    if notice.state != NoticeState.PUBLISHED or notice.posted_on is None:
        return 0
    ours = SubsidyCase.objects.filter(
        person__national_id_index__in=[member.index() for member in cast.MEMBERS]
    )
    entries = notice.entries.exclude(decision__in=ours.values("decision")).order_by("position")
    said = 0
    for entry, told in zip(entries[: len(OBJECTIONS)], OBJECTIONS, strict=False):
        said += _object(setting, entry, told)
    return said


def _object(setting: Setting, entry: NoticeEntry, told: tuple[str, str, bool | None, str]) -> int:
    objector, text, is_upheld, answer = told
    notice = entry.notice
    if notice.posted_on is None:
        return 0
    objection = Objection.objects.filter(entry=entry).first()
    made = objection is None
    if objection is None:
        objection = notices.file_objection(
            entry=entry,
            objector=objector,
            phone=OBJECTOR_PHONE,
            text=text,
            is_body=False,
            by=None,
            today=notice.posted_on + timedelta(days=1),
        )
    if objection.state == ObjectionState.OPEN and is_upheld is not None:
        notices.answer(objection=objection, upheld=is_upheld, answer=answer, by=setting.staff["he"])
    return int(made)


def appeal_of_kong(setting: Setting, players: dict[str, Player]) -> int:
    """Kong, refused the festival gift, appeals; nobody has taken it up yet."""
    player = players.get(cast.KONG.username)
    case = (
        player
        and SubsidyCase.objects.filter(
            person=player.person,
            scheme="festival_gift",
            period=setting.period,
            state=CaseState.REFUSED,
        ).first()
    )
    if not player or not case or case.decision is None:
        return 0
    if Appeal.objects.filter(decision=case.decision).exists():
        return 0
    appeals.file(
        decision=case.decision,
        text="本人是省级劳模，也在榆林工作生活，希望同样享受双节慰问。",
        asked_fen=None,
        by=player.account,
        today=setting.today,
    )
    return 1


def look_at_lin(setting: Setting) -> None:
    """A checker looks at Lin's phone number and says why; Lin can read it."""
    person = cast.LIN.person()
    if person is None:
        return
    seen = AuditEntry.objects.filter(
        action="person.unmask", subject_type="members.person", subject_id=str(person.pk)
    )
    if not seen.exists():
        people.unmask(person=person, field="phone", by=setting.staff["shi"], reason=_LOOK)
