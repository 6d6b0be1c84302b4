"""One row behind every page of the staff site, made by the flows that make them in life."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random

from django.contrib import admin
from django.core.files.base import ContentFile
from django.db.models import Model
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from awards.models import HardshipYear, HomeVisit, ReturnForCompletion, SubsidyCase
from awards.states import CaseState
from members.actions import (
    cards,
    consents,
    copies,
    corrections,
    family,
    favourites,
    imports,
    profiles,
    statistics,
    transfers,
    unions,
)
from members.models import (
    ImportFinding,
    ImportRun,
    LoginCode,
    MerchantLogin,
    PersonMerge,
    Rating,
    RetentionRun,
    WrongCode,
)
from tests.awards.roster import model_worker
from tests.awards.test_subsidies import propose
from tests.cast import (
    NOW,
    TODAY,
    Cast,
    make_decision,
    make_open_entry,
    make_person,
    make_rule_set,
)
from tests.disbursement.conftest import make_office
from tests.members import joining as joining_play
from tests.members.benefits import (
    agree,
    complain,
    enter_account,
    give_login,
    make_merchant,
    make_offer,
    make_place,
    programme,
    rate,
    used,
)
from tests.members.card_office import make_card_office
from tests.members.street import make_street
from tests.web.awards_play import apply, browser
from union_portal import (
    account_reviews,
    appeals,
    audit,
    figures,
    files,
    notices,
    notifications,
    queue,
    tokens,
)
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.kit import fictional
from union_portal.models import (
    FactorReset,
    FileDownload,
    Message,
    Organization,
    ReportRun,
    SentCall,
)
from welfare.actions import settlements
from welfare.disbursement import batches
from welfare.disbursement.models import Cap, StrayPayment
from welfare.models import StatementLine
from welfare.sample_rules import MERCHANTS


def play(cast: Cast) -> None:
    """Pay, misbook, propose, apply, publish, object, appeal, import, report."""
    acts = (
        _money,
        _honours,
        _publicity,
        _records,
        _merges,
        _accounts,
        _membership,
        _privacy,
        _cards,
        _benefits,
        _street,
        _settlement,
        _programs,
    )
    for act in acts:
        act(cast)


def _money(cast: Cast) -> None:
    office = make_office(cast)
    batch = office.delivered(3)
    paid, failed, wrong = office.says(batch, "paid", "failed", "paid")
    office.answer(batch, paid, failed, replace(wrong, amount_fen=wrong.amount_fen + 1))
    sealed = office.sealed(1)
    batches.void(batch=sealed, by=cast.feng_checker, reason="wrong list")
    StrayPayment.objects.create(e2e="x", claim_key="y", amount_fen=1, batch_number="P")
    Cap.objects.create(
        person=cast.lin_person, purpose="medical", period="2026", schemes=["medical_relief"],
        clause="art. 5", ceiling_fen=100,
    )  # fmt: skip


def _honours(cast: Cast) -> None:
    from tests.awards.roster import rule_set

    rule_set(cast, "special_hardship")
    model_worker(cast, cast.lin_person)
    assert apply(browser(cast.lin)).status_code == 302
    worker = model_worker(cast)
    propose(cast)
    _steps(cast, SubsidyCase.objects.get(person=cast.lin_person, round=None))
    HardshipYear.objects.create(
        model_worker=worker, year=TODAY.year, evidence="file", recorded_by=cast.officer
    )


def _steps(cast: Cast, case: SubsidyCase) -> None:
    """What an application leaves behind on its way."""
    HomeVisit.objects.create(
        case=case, visited_on=TODAY, visitors="Qiao", findings="The roof leaks.",
        is_confirmed=True, recorded_by=cast.qiao,
    )  # fmt: skip
    ReturnForCompletion.objects.create(
        case=case, stage=CaseState.SUBMITTED, message="The summary is missing.",
        returned_by=cast.qiao, answer="Here it is.", answered_at=NOW,
    )  # fmt: skip


def _publicity(cast: Cast) -> None:
    rules = make_rule_set(cast, "summer_gift", appeal_days=60)
    entry = make_open_entry(cast, make_decision(cast, rules), cast.tree.union)
    notices.file_objection(
        entry=entry, objector="魏明", phone="13800138000", text="Not so.", is_body=False,
        by=None, today=TODAY,
    )  # fmt: skip
    refused = make_decision(
        cast, rules, outcome="refused", amount_fen=0, period="2027",
        subject_type="members.person", subject_id=cast.lin_person.pk,
    )  # fmt: skip
    appeals.file(decision=refused, text="My honour stands", asked_fen=30_000, by=cast.lin,
                 today=TODAY)  # fmt: skip


def _records(cast: Cast) -> None:
    union = cast.tree.union
    file = files.store(
        purpose=imports.PURPOSE, name="people.csv", content=ContentFile(b"x"),
        subject=cast.lin_person, organization=union, by=cast.qiao,
    )  # fmt: skip
    FileDownload.objects.create(file=file, account=cast.qiao, reason="")
    run = ImportRun.objects.create(
        file_name="people.csv", organization=union, reach=[union.path], uploaded_by=cast.qiao
    )
    ImportFinding.objects.create(
        run=run, row=2, column="姓名", shown="林*", severity="error",
        message_id="“%(value)s” is no name.", params={"value": "1"},
    )  # fmt: skip
    ReportRun.objects.create(
        kind="disbursement", title="Report", version=1, parameters={}, organization=union,
        subject_type="disbursement.payoutbatch", subject_id="1", requested_by=cast.feng,
    )  # fmt: skip
    Message.objects.create(
        topic="scene", key="scene", channel="portal", recipient=cast.lin.pk,
        template=telling(), values={"name": "Lin"},
        subject_type="members.person", subject_id=str(cast.lin_person.pk),
    )  # fmt: skip
    figures.keep(today=TODAY)
    every, _new = IntervalSchedule.objects.get_or_create(every=1, period="hours")
    PeriodicTask.objects.create(name="scene", task="union_portal.seal_audit", interval=every)
    queue.enqueue("union_portal.report", by=cast.officer, title="A job")
    audit.seal()


def _merges(cast: Cast) -> None:
    kept, merged = (make_person(cast.tree.union) for _ in range(2))
    PersonMerge.objects.create(
        kept=kept, merged=merged, organization=cast.tree.union, reason="one card",
        proposed_by=cast.shi,
    )  # fmt: skip


def _accounts(cast: Cast) -> None:
    account_reviews.open_review(
        by=cast.security_admin, today=TODAY, due_on=TODAY + timedelta(days=30)
    )
    FactorReset.objects.create(account=cast.shi, asked_by=cast.account_admin, reason="lost")
    LoginCode.objects.create(
        person=cast.lin_person, asked_for="x", asked_from="y", code_hash="z", expires_at=NOW
    )


def _membership(cast: Cast) -> None:
    """Somebody applies; somebody else comes from a union that stands nowhere else in the walk."""
    union, today = cast.tree.union, timezone.localdate()
    unions.describe(organization=union, by=cast.qiao, today=today, office="基层组织部")
    unions.report_year(
        organization=union, year=TODAY.year - 1, by=cast.qiao, today=today, workers_count=9
    )
    statistics.count(organization=union, year=TODAY.year, now=NOW)
    joining_play.apply(cast)
    left = Organization.objects.create(
        name="第四工会", level="grassroots", parent=cast.tree.county, division_code="610802"
    )
    moving = joining_play.member(cast, make_person(left), by=cast.officer)
    transfers.request(
        membership=moving, target=union, employer="驼城运输", reason="new work", by=cast.qiao
    )
    joining_play.member(cast)
    profiles.write(person=cast.lin_person, by=cast.qiao, **joining_play.PROFILE)


def _privacy(cast: Cast) -> None:
    """Texts, a consent, a correction, a child, what was counted, and a file that is gone."""
    texts = consents.install_samples(by=cast.rules_clerk, second=cast.decider, today=TODAY, now=NOW)
    consents.give(
        person=cast.lin_person, purpose="family", by=cast.lin, now=NOW, today=TODAY,
        seen=texts[0].version,
    )  # fmt: skip
    corrections.ask(
        person=cast.lin_person, field="employer", wanted="榆林示范厂", words="", by=cast.lin,
        now=NOW,
    )  # fmt: skip
    family.enter(
        person=cast.lin_person, name="林小雨", relation="child", by=cast.lin, today=TODAY, now=NOW,
        national_id=fictional.make_national_id(
            Random(1), TODAY - timedelta(days=3000), "female", "610802"
        ),
        guardian="林海",
    )  # fmt: skip
    RetentionRun.objects.create(
        is_dry=True, run_on=TODAY, requested_by=cast.account_admin, counts={"card_codes": 3}
    )
    copy = files.store(
        purpose=copies.PURPOSE, name="我的数据.json", content=b"{}", subject=cast.lin_person,
        organization=None, by=audit.WORKER,
    )  # fmt: skip
    files.forget(files=[copy], rule="my_data_files", now=NOW)


def _cards(cast: Cast) -> None:
    """Issued cards, a batch with a row that names nobody, and an application called off."""
    office = make_card_office(cast)
    batch = office.sent(1)
    office.take(batch, office.says(batch))
    batch = office.sent(2)
    office.take(batch, office.says(batch, (1, 0, "77")))
    cards.cancel(card=office.applied(), by=cast.qiao, now=NOW, reason="moved away")


def _benefits(cast: Cast) -> None:
    """A merchant of Lin's union with everything that hangs on one, and Lin's complaint."""
    merchant = make_merchant(cast, organization=cast.tree.union)
    agree(cast, merchant)
    offer = make_offer(cast, merchant, kind="gift", price_fen=None)
    favourites.keep(offer=offer, person=cast.lin_person)
    rate(used(cast, offer, make_person(cast.tree.union)), 4)
    make_offer(cast, merchant, publish=False)
    give_login(cast, merchant, "counter")
    enter_account(cast, merchant)
    complain(cast, merchant)
    programme(cast)


def _street(cast: Cast) -> None:
    """Lin and a neighbour used an offer at the till of the cast, which typed a wrong code too."""
    street = make_street(cast, at=cast.tree.union)
    login = MerchantLogin.objects.create(
        account=cast.till, merchant=street.merchant, given_by=cast.officer
    )
    make_place(cast, street.merchant)
    make_offer(cast, street.merchant, publish=False)
    offer = street.offer()
    street.use(street.member(person=cast.lin_person), offer, cast.till)
    Rating.objects.create(redemption=street.use(street.member(), offer, cast.till), stars=4)
    WrongCode.objects.create(login=login, asked_from="x")


def _settlement(cast: Cast) -> None:
    """The month of these uses is over: every merchant gets its statement, and one line is wrong."""
    make_rule_set(
        cast, MERCHANTS, fund_code="benefits", parameters={"dispute_days": 7}, valid_to=None
    )
    later = timezone.now() + timedelta(days=40)
    settlements.issue(
        month=timezone.localdate(), by=cast.benefits, now=later, today=timezone.localdate(later)
    )
    line = StatementLine.objects.filter(statement__merchant__logins__account=cast.till).first()
    assert line is not None
    settlements.dispute(
        line=line, words="The bowl was sent back.", by=cast.benefits, now=later,
        today=timezone.localdate(later),
    )  # fmt: skip


def _programs(cast: Cast) -> None:
    """A program of Lin's that has done something."""
    tokens.issue(
        account=cast.lin, label="Old phone", address="10.0.0.9", has_factor=True,
        now=timezone.now(),
    )  # fmt: skip
    SentCall.objects.create(
        account=cast.lin, route="POST /x", key="k", body_digest="d", answer={"title": "noodles"}
    )


def telling() -> str:
    """A template of a message for the scene."""
    notifications.template("scene", text="Hello")
    return "scene"


def row_of(page: ScopedModelAdmin) -> Model | None:
    """The row that the walk opens: the deepest in the tree, so that all others are beside it."""
    rows = list(page.model._default_manager.all()[:50])
    placed: Callable[[Model], int] = lambda row: -len(place_of(page, row))  # noqa: E731
    return min(rows, key=placed) if rows and page.scope_path else next(iter(rows), None)


def place_of(page: ScopedModelAdmin, row: Model) -> str:
    """Path of the organization whose reach decides about a row; '' for none."""
    union: Organization | None = page.organization_of(row)
    return union.path if union is not None else ""


def pages() -> list[ScopedModelAdmin]:
    return [page for page in admin.site._registry.values() if isinstance(page, ScopedModelAdmin)]
