"""Special hardship, played through: application, visit, review, decision, notice, payment.

One case ends paid; the others stop where somebody has to act, so that every desk has work.
"""

from datetime import date

from django.utils import timezone

from awards.actions import appeals as subsidy_appeals
from awards.actions import applications, publicity
from awards.models import SubsidyCase
from awards.states import CaseState
from members.actions import consents
from members.models import ConsentPurpose
from union_portal import appeals, decisions, notices
from union_portal.demo import cast, documents, payment
from union_portal.demo.cast import Application, Member, Player
from union_portal.demo.setting import Setting
from union_portal.models import Appeal, Notice
from union_portal.states import AppealState, NoticeState
from welfare.disbursement.models import PayoutBatch
from welfare.disbursement.states import BatchState

SCHEME = "special_hardship"
APPEAL_AMOUNT_FEN = 200_000
# How far a case has come; a returned one is before the step that asked.
_RANK = {
    CaseState.RETURNED: 0,
    CaseState.SUBMITTED: 1,
    CaseState.VISITED: 2,
    CaseState.REVIEWED: 3,
}
_ENDED = 4


class Hardship:
    """The applications of the cast, one after the other."""

    def __init__(self, setting: Setting, players: dict[str, Player]) -> None:
        self.setting = setting
        self.staff = setting.staff
        self.players = players

    def play(self) -> str:
        """Bring every application as far as the demo wants it."""
        self._paid(cast.YAN)
        self._waiting_for_release(cast.QI)
        self._waiting_for_check(cast.BO)
        self._refused_and_upheld(cast.NI)
        self._on_notice(cast.SHAO)
        for member in (cast.PU, cast.XI, cast.CEN, cast.GUAN):
            self._bring(member)
        count = SubsidyCase.objects.filter(scheme=SCHEME, period=self.setting.period).count()
        return f"{count} applications, one left at every desk"

    # -- where each of them ends ----------------------------------------------------------
    def _paid(self, member: Member) -> None:
        if batch := self._batch(member, "一"):
            payment.send(self.setting, batch)
            payment.close(self.setting, batch)

    def _waiting_for_release(self, member: Member) -> None:
        batch = self._batch(member, "二")
        if batch and batch.state in (BatchState.DRAFT, BatchState.SEALED):
            payment.check(self.setting, payment.seal(self.setting, batch))

    def _waiting_for_check(self, member: Member) -> None:
        if batch := self._batch(member, "三"):
            payment.seal(self.setting, batch)

    def _refused_and_upheld(self, member: Member) -> None:
        """Refused by the city; on appeal somebody else decides anew."""
        case = self._bring(member)
        if case is None or case.decision is None or case.state != CaseState.REFUSED:
            return
        appeal = Appeal.objects.filter(decision=case.decision).first() or appeals.file(
            decision=case.decision,
            text="康复费用票据已经补齐，自付部分仍有两万余元，请重新核定。",
            asked_fen=APPEAL_AMOUNT_FEN,
            by=self.players[member.username].account,
            today=self.setting.today,
        )
        if appeal.state == AppealState.FILED:
            appeals.take(appeal=appeal, by=self.staff["tang"])
        if appeal.state == AppealState.REVIEWING:
            subsidy_appeals.uphold(
                appeal=appeal,
                amount_fen=APPEAL_AMOUNT_FEN,
                answer="经复核补交的康复费用票据，自付部分较重，申诉成立，补助2000元。",
                by=self.staff["tang"],
                today=self.setting.today,
            )

    def _on_notice(self, member: Member) -> None:
        """Decided today; the notice runs, with the one decided anew on appeal."""
        case = self._bring(member)
        if case is not None and case.state == CaseState.GRANTED:
            self._publish(case, "四", day=self.setting.today)

    # -- the steps ------------------------------------------------------------------------
    def _batch(self, member: Member, number: str) -> PayoutBatch | None:
        """The batch of a granted case whose notice has ended."""
        case = self._bring(member)
        if case is None or case.state != CaseState.GRANTED:
            return None
        found = PayoutBatch.objects.filter(lines__entitlement__decision=case.decision).first()
        if found is not None:
            return found
        notice = self._publish(case, number, day=self.setting.past())
        if notice.state == NoticeState.PUBLISHED:
            notices.close(notice=notice, by=self.staff["he"], today=self.setting.today)
        return payment.assemble(self.setting, SCHEME)

    def _publish(self, case: SubsidyCase, number: str, *, day: date) -> Notice:
        """Draw up and post the list on which the case stands, unless there is one."""
        period = self.setting.period
        notice = Notice.objects.filter(entries__decision=case.decision).exclude(
            state=NoticeState.WITHDRAWN
        ).first() or publicity.draft_notice(
            rule_set=decisions.rule_set_in_force(SCHEME, day),
            period=period,
            title=f"{period}年市级劳模特殊困难补助拟发放名单公示（第{number}批，演示）",
            place="市总工会一楼公示栏、门户网站",
            contact="市总工会权益保障部（演示）0912-0000000",
            by=self.staff["he"],
        )
        if notice.state == NoticeState.DRAFT:
            notices.publish(notice=notice, by=self.staff["he"], today=day)
        return notice

    def _bring(self, member: Member) -> SubsidyCase | None:
        """Take step after step until the case is where it belongs; None if nobody is there."""
        player, wish = self.players.get(member.username), member.applies
        if player is None or wish is None:
            return None
        case = SubsidyCase.objects.filter(
            person=player.person, scheme=SCHEME, period=self.setting.period
        ).first() or self._apply(player, wish)
        while self._is_before(case, wish.until):
            self._step(case, player, wish)
            case.refresh_from_db()
        return case

    @staticmethod
    def _is_before(case: SubsidyCase, until: CaseState) -> bool:
        if until == CaseState.RETURNED:
            return case.state == CaseState.SUBMITTED and not case.returns.exists()
        return _RANK.get(CaseState(case.state), _ENDED) < _RANK.get(until, _ENDED)

    def _apply(self, player: Player, wish: Application) -> SubsidyCase:
        consents.give(
            person=player.person,
            purpose=ConsentPurpose.SENSITIVE,
            by=player.account,
            now=timezone.now(),
            today=self.setting.today,
        )
        return applications.apply(
            ground=wish.ground,
            stated=wish.stated,
            asked_fen=wish.asked_fen,
            documents=[documents.receipt(player.person.name, str(wish.stated["text"]))],
            by=player.account,
            today=self.setting.today,
        )

    def _step(self, case: SubsidyCase, player: Player, wish: Application) -> None:
        """Whatever comes next for the case, by whoever's turn it is."""
        if case.state == CaseState.RETURNED:
            applications.resubmit(
                case=case,
                answer=wish.completed,
                by=player.account,
                today=self.setting.today,
                documents=[documents.statement(player.person.name, wish.stated)],
            )
        elif case.state == CaseState.SUBMITTED and wish.missing and not case.returns.exists():
            applications.return_(case=case, message=wish.missing, by=self.staff["qiao"])
        elif case.state == CaseState.SUBMITTED:
            self._visit(case, player, wish)
        elif case.state == CaseState.VISITED:
            applications.review(
                case=case,
                opinion=wish.opinion,
                recommended_fen=wish.amount_fen or None,
                by=self.staff["shi"],
                today=self.setting.today,
            )
        else:
            self._decide(case, wish)

    def _visit(self, case: SubsidyCase, player: Player, wish: Application) -> None:
        applications.visit(
            case=case,
            visited_on=self.setting.today,
            visitors="乔基层、工会小组长（演示）",
            findings=wish.findings,
            is_confirmed=True,
            by=self.staff["qiao"],
            today=self.setting.today,
            photos=[documents.visit_photo(player.person.organization.short_name)],
            signature=documents.signature(player.person.name),
        )

    def _decide(self, case: SubsidyCase, wish: Application) -> None:
        day = self.setting.today if wish.is_fresh else self.setting.past()
        by = self.staff["lu"]
        if wish.clause:
            applications.refuse(case=case, clause=wish.clause, reason=wish.reason, by=by, today=day)
        else:
            applications.decide(
                case=case, amount_fen=wish.amount_fen, reason=wish.reason, by=by, today=day
            )
