"""What waits for me: a tile of the front page and the list behind it show the same rows."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from awards.models import SubsidyCase
from awards.states import CaseState
from members.actions import cards, offers, transfers
from members.models import ImportRun
from members.states import ImportState
from tests.awards.roster import model_worker
from tests.awards.test_subsidies import check_all, propose
from tests.cast import (
    NOW,
    Cast,
    give_role,
    make_account,
    make_bank_account,
    make_person,
    make_rule_set,
)
from tests.disbursement.conftest import Office, make_office
from tests.members import joining as joining_play
from tests.members.benefits import agree, apply, make_merchant, make_offer
from tests.members.card_office import make_card_office
from tests.roles import the_superuser
from tests.web.awards_play import browser
from tests.web.scene import play, telling
from union_portal import access, lifecycle
from union_portal.access import Permission, Role
from union_portal.admin import desk
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.shown import list_url
from union_portal.models import Account, Message, Notice, RuleSet
from welfare.disbursement import batches, motions
from welfare.disbursement.models import (
    Entitlement,
    Fund,
    Motion,
    MotionKind,
    PayoutBatch,
    PayoutLine,
)
from welfare.disbursement.refusals import PayoutRefused
from welfare.models import MerchantStatement

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
FRONT_BUDGET = 31


@pytest.fixture
def scene(cast: Cast) -> Cast:
    """The whole play, and work for every queue that it leaves empty."""
    play(cast)
    for act in (_money, _cases, _register, _cards, _merchants, _papers, _accounts):
        act(cast)
    return cast


def _money(cast: Cast) -> None:
    """Batches at each of their steps; people who wait for the next one."""
    office = Office(cast, RuleSet.objects.get(scheme="winter_gift"), Fund.objects.get(year=2026))
    settled = office.settled("paid")
    assert settled.state == "reconciled"
    checked = office.sealed(1)
    batches.check(batch=checked, by=cast.feng_checker, digest=checked.digest)
    office.sealed(1)
    office.owe(1)
    office.assemble()
    office.owe(2)


def _cases(cast: Cast) -> None:
    """Applications and rounds a step further than those of the play."""
    model_worker(cast, verified=None, year=timezone.localdate().year)
    case = SubsidyCase.objects.get(person=cast.lin_person, round=None)
    for steps in ((CaseState.VISITED,), (CaseState.VISITED, CaseState.REVIEWED)):
        case.pk, case.person, case.state = None, make_person(cast.tree.union), CaseState.SUBMITTED
        case.save()
        for state in steps:
            lifecycle.advance(case, to=state, by=cast.shi)


def _register(cast: Cast) -> None:
    tree = cast.tree
    joining_play.checked(cast, joining_play.applicant(cast, seed=9).typed)
    away = joining_play.clerk(tree.sibling_union)
    leaving = joining_play.member(cast, make_person(tree.union))
    asked = {"employer": "驼城运输", "reason": "new work"}
    transfers.request(membership=leaving, target=tree.sibling_union, by=away, **asked)
    coming = joining_play.member(cast, make_person(tree.sibling_union), by=away)
    moving = transfers.request(membership=coming, target=tree.union, by=cast.qiao, **asked)
    transfers.release(transfer=moving, by=away, now=NOW)
    run = ImportRun.objects.create(
        file_name="people.csv", organization=tree.union, reach=[tree.union.path],
        uploaded_by=cast.qiao,
    )  # fmt: skip
    lifecycle.advance(run, to=ImportState.CHECKED, by=cast.qiao)
    make_bank_account(make_person(tree.union), entered_by=cast.qiao)


def _cards(cast: Cast) -> None:
    office = make_card_office(cast)
    office.made(1)
    office.ready()
    cards.check(card=office.applied(), by=cast.shi, now=NOW)
    office.applied()


def _merchants(cast: Cast) -> None:
    apply()
    make_merchant(cast, approve=False)
    agree(cast, make_merchant(cast), last=9)
    merchant = make_merchant(cast)
    agree(cast, merchant, confirm=False)
    offer = make_offer(cast, merchant, publish=False)
    offers.submit(offer=offer, by=cast.benefits, today=timezone.localdate())
    statement = MerchantStatement.objects.get()
    statement.pk, statement.number, statement.merchant = None, "S202601-000077", merchant
    statement.accepted_at, statement.accepted_by = NOW, cast.till
    statement.save()
    make_account("lu", role=Role.BENEFITS_OFFICER, at=cast.tree.city)


def _papers(cast: Cast) -> None:
    """Rules nobody has adopted, a round that every county has checked, a notice and a letter."""
    make_rule_set(cast, "summer_gift", adopted_by=None, adopted_at=None)
    check_all(cast, propose(cast, "living_allowance"))
    Notice.objects.create(
        title="Notice", scheme="summer_gift", period="2027", organization=cast.tree.city, days=5,
        prepared_by=cast.officer,
    )  # fmt: skip
    Message.objects.create(
        topic="scene", key="letter", channel="letter", recipient=cast.lin.pk,
        template=telling(), values={"name": "Lin"}, address="榆阳区长城路 1 号",
        subject_type="members.person", subject_id=str(cast.lin_person.pk),
    )  # fmt: skip


def _accounts(cast: Cast) -> None:
    """A role that ends soon, staff whom nobody has seen for long, and readers elsewhere."""
    soon = timezone.localdate() + DAY
    give_role(make_account("kang"), Role.GRASSROOTS_CLERK, cast.tree.union, valid_to=soon)
    Account.objects.create(username="gone", is_staff=True, last_login=NOW - 400 * DAY)
    for role in Role:
        if not access.is_of_federation(role):
            make_account(f"away-{role}", role=role, at=cast.tree.other_county)


def staff() -> list[Account]:
    return list(Account.objects.filter(roles__isnull=False).distinct().order_by("pk"))


def front(client: Client) -> dict[str, dict[str, Any]]:
    """The tiles of the front page by the titles of their queues."""
    answer = client.get(reverse("admin:index"))
    return {str(tile["title"]): tile for tile in answer.context["waiting"]}


def shown(client: Client, address: str) -> set[Any]:
    """The rows of a list of one page."""
    answer = client.get(address)
    assert answer.status_code == 200, address
    rows = answer.context["cl"]
    assert rows.result_count == len(rows.result_list), address
    return {row.pk for row in rows.result_list}


def waits(model: type[Model], key: str, **more: Any) -> str:
    return list_url(model, waits=key, **more)


def test_a_tile_leads_to_the_rows_that_it_counts(scene: Cast):
    """For everybody and every queue; none is empty for all."""
    faults, filled = [], set()
    for account in staff():
        client = browser(account)
        tiles = front(client)
        assert set(tiles) == {str(queue.title) for queue in desk.queues_for(account)}
        for queue in desk.queues_for(account):
            tile = tiles[str(queue.title)]
            address = tile["link"] if queue.link is None else waits(queue.model, queue.key)
            rows = shown(client, address)
            waiting = set(queue.rows(account).values_list("pk", flat=True))
            if tile["count"] != len(rows) or rows != waiting:
                faults.append((account.username, queue.key, tile["count"], len(rows)))
            if rows:
                filled.add(queue.key)
    assert faults == []
    assert {queue.key for queue in desk.queues()} - filled == set()


def test_an_act_waits_for_whoever_may_carry_it_out(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    """As the engine judges it: whoever moved it, even somebody with every duty."""
    monkeypatch.setattr(motions, "_performers", dict.fromkeys(MotionKind, lambda motion, by: None))
    office = make_office(cast)
    office.delivered(1)
    office.sealed(1)
    every = make_account("every")
    with the_superuser():
        for role in (Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.FINANCE_RELEASER):
            give_role(every, role, cast.tree.city)
    finance = [cast.feng, cast.feng_checker, cast.feng_releaser, every]
    queue = next(queue for queue in desk.queues() if queue.key == "motions")
    judged = set()
    for kind, duties in motions.DUTIES.items():
        for mover in finance:
            if not any(access.may(mover, duty) for duty in duties):
                continue
            with transaction.atomic():
                moved = _moved(kind, mover)
                for account in finance:
                    waits = queue.rows(account).filter(pk=moved.pk).exists()
                    assert waits is _may_second(moved, account), (kind, mover, account)
                    judged.add((mover == every, waits))
                transaction.set_rollback(True)
    assert len(judged) == 4


def _moved(kind: MotionKind, by: Account) -> Motion:
    line = PayoutLine.objects.filter(batch__state="delivered").first()
    sealed = PayoutBatch.objects.filter(state="sealed").first()
    assert line is not None
    subjects: dict[str, Any] = {
        MotionKind.VOID_BATCH: {"batch": sealed},
        MotionKind.WITHDRAW: {"entitlement": line.entitlement},
        MotionKind.WRITE_OFF: {"entitlement": line.entitlement},
        MotionKind.LIFT_GATE: {},
    }
    subject = subjects.get(kind, {"line": line})
    return Motion.objects.create(kind=kind, reason="test", moved_by=by, **subject)


def _may_second(moved: Motion, account: Account) -> bool:
    try:
        with transaction.atomic():
            motions.second(motion=moved, by=account)
            transaction.set_rollback(True)
    except (PermissionDenied, PayoutRefused):
        return False
    return True


def test_a_queue_whose_work_is_done_elsewhere_leads_there(scene: Cast):
    client = browser(scene.feng)
    tile = front(client)["People who wait for their money"]
    assert tile["link"] == reverse("admin:disbursement_payoutbatch_assemble")
    groups = client.get(tile["link"]).context["waiting"]
    assert tile["count"] == sum(group["people"] for group in groups) == 2


def test_the_front_page_asks_few_questions_of_the_database(scene: Cast):
    for account in staff():
        client = browser(account)
        client.get(reverse("admin:index"))
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse("admin:index"))
        assert len(asked) <= FRONT_BUDGET, account


def test_what_waits_goes_with_other_filters_the_search_and_counts(scene: Cast):
    client = browser(scene.feng_checker)
    one, other = PayoutBatch.objects.filter(state="sealed").order_by("pk")[:2]
    here = waits(PayoutBatch, "batch-checks")
    found = shown(client, here)
    assert len(found) > 1
    assert shown(client, f"{here}&q={one.number}") == found & {one.pk}
    assert shown(client, f"{here}&q={other.number}") == found & {other.pk}
    assert shown(client, f"{here}&state__exact=draft") == set()
    assert shown(client, f"{here}&_facets=True&p=1") == found
    searched = client.post(here, {"q": one.number})
    assert searched.status_code == 302
    assert shown(client, searched["Location"]) == found & {one.pk}


def test_a_list_offers_the_queues_that_the_reader_may_work_on(scene: Cast):
    def offered(account: Account, model: type[Model]) -> list[str]:
        filters = browser(account).get(list_url(model)).context["cl"].filter_specs
        found = [one for one in filters if str(one.title) == "Waiting for me"]
        return [key for one in found for key, _title in one.lookup_choices]

    assert offered(scene.feng_checker, PayoutBatch) == ["batch-checks"]
    assert offered(scene.feng, PayoutBatch) == ["batch-drafts", "batch-closes"]
    assert offered(scene.gao, PayoutBatch) == []
    assert offered(scene.feng, Fund) == []


def test_a_queue_that_is_not_the_readers_shows_no_row(scene: Cast):
    assert shown(browser(scene.feng_checker), waits(PayoutBatch, "batch-checks"))
    for who, model, key in (
        ("feng", PayoutBatch, "batch-checks"),
        ("gao", PayoutBatch, "batch-checks"),
        ("feng_checker", Entitlement, "batch-checks"),
        ("feng_checker", PayoutBatch, "nobodys"),
        ("feng_checker", PayoutBatch, ""),
    ):
        assert shown(browser(getattr(scene, who)), waits(model, key)) == set(), (who, key)


def test_a_list_without_queues_knows_no_such_filter(cast: Cast):
    client = browser(cast.feng)
    answer, wrong = (client.get(list_url(Fund, **{name: 1})) for name in ("waits", "nonsense"))
    assert (answer.status_code, answer["Location"]) == (wrong.status_code, wrong["Location"])


def test_every_role_that_may_do_the_work_may_see_its_list():
    """So that the list shows all that the tile counts."""
    for queue in desk.queues():
        page = admin.site._registry[queue.model]
        assert isinstance(page, ScopedModelAdmin)
        for role in access.roles_with(queue.permission):
            assert access.GRANTS[role] & set(page.view_permissions), (queue.key, role)


def test_two_queues_never_have_one_key():
    known = desk.queues()
    again = desk.Queue(
        known[0].key, "Again", Permission.STAFF_SITE, PayoutBatch,
        lambda account: PayoutBatch.objects.none(),
    )  # fmt: skip
    with pytest.raises(ValueError, match=f"two queues are called '{known[0].key}'"):
        desk.add_queue(again)
    assert desk.queues() == known


def test_a_sealed_batch_waits_for_its_checker_and_only_then_for_who_releases_it(cast: Cast):
    office = make_office(cast)
    office.owe(1)
    batch = batches.seal(batch=office.assemble(), by=cast.feng)

    def waits_for(key: str, account: Account) -> list[PayoutBatch]:
        queue = {one.key: one for one in desk.queues()}[key]
        return list(queue.rows(account))

    assert waits_for("batch-checks", cast.feng_checker) == [batch]
    assert waits_for("batch-releases", cast.feng_releaser) == []
    batches.check(batch=batch, by=cast.feng_checker, digest=batch.digest)
    assert waits_for("batch-checks", cast.feng_checker) == []
    assert waits_for("batch-releases", cast.feng_releaser) == [batch]
