"""Made, checked, released: three people, one content."""

from dataclasses import replace
from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.models import BankAccount, Person
from tests.cast import TODAY, give_role, make_account, make_bank_account, make_payee, make_person
from tests.disbursement.conftest import SCHEME
from union_portal import lifecycle
from union_portal.access import Role
from union_portal.models import AuditEntry
from union_portal.states import DecisionState
from welfare.disbursement import batches, claims, drafts, entitlements, formats, motions
from welfare.disbursement.models import Entitlement, PayoutBatch, PayoutLine
from welfare.disbursement.refusals import NothingToPay, PayoutRefused


def test_a_draft_holds_everybody_who_can_be_paid_in_the_order_of_unions(office):
    office.owe(2, union=office.cast.tree.other_union)
    office.owe(2, union=office.cast.tree.union)
    batch = office.assemble()
    paths = [line.entitlement.organization.path for line in batch.lines.order_by("e2e")]
    assert paths == sorted(paths) and len(paths) == 4
    assert [line.position for line in batch.lines.order_by("e2e")] == [1, 2, 3, 4]


def test_a_line_copies_the_payee(office):
    (owed,) = office.owe(1)
    line = office.line(office.assemble())
    account = owed.person.bank_accounts.get()
    assert (line.payee_name, line.account_number) == (account.holder, account.number)
    assert line.account_fingerprint == account.fingerprint


def test_a_union_assembles_its_own_part(office):
    office.owe(1, union=office.cast.tree.other_union)
    office.owe(2, union=office.cast.tree.union)
    assert office.assemble(organization=office.cast.tree.county).lines.count() == 2


def test_everybody_left_out_has_a_reason(office):
    cast = office.cast
    ok = office.owe_one(make_payee(cast))
    no_account = office.owe_one(make_person(cast.tree.union))
    unconfirmed = office.owe_one(make_person(cast.tree.union))
    make_bank_account(unconfirmed.person, entered_by=cast.qiao)
    contested = office.owe_one(make_payee(cast))
    lifecycle.advance(contested.decision, to=DecisionState.CONTESTED, by=cast.officer)
    dead = office.owe_one(make_payee(cast))
    Person.objects.filter(pk=dead.person.pk).update(died_on=date(2026, 2, 1))
    withdrawn = office.owe_one(make_payee(cast))
    lifecycle.advance(withdrawn.decision, to=DecisionState.WITHDRAWN, by=cast.decider)
    assert office.left_out() == {
        no_account.pk: "no_account",
        unconfirmed.pk: "account_unconfirmed",
        contested.pk: "contested",
        dead.pk: "died",
        withdrawn.pk: "withdrawn",
    }
    assert [line.entitlement for line in office.assemble().lines.all()] == [ok]


def test_decisions_made_or_on_notice_wait(office):
    from tests.cast import make_decision

    made = make_payee(office.cast)
    decision = make_decision(office.cast, office.rule_set, made)
    early = entitlements.grant(decision=decision, person=made, by=office.cast.officer)
    assert office.left_out() == {early.pk: "not_clear"}
    lifecycle.advance(decision, to=DecisionState.PUBLISHED, by=office.cast.officer)
    assert office.left_out() == {early.pk: "on_notice"}


def test_nobody_is_paid_on_a_day_outside_the_rule_set(office):
    (owed,) = office.owe(1)
    with pytest.raises(NothingToPay) as caught:
        office.assemble(today=date(2027, 1, 4))
    assert caught.value.reasons == {"rule_lapsed": 1}
    assert owed.lines.count() == 0


def test_nobody_to_pay_is_told_by_reason(office):
    office.owe_one(make_person(office.cast.tree.union))
    with pytest.raises(NothingToPay) as caught:
        office.assemble()
    assert caught.value.reasons == {"no_account": 1}
    assert not PayoutBatch.objects.exists()


@pytest.fixture
def stopped(monkeypatch):
    """Ids of entitlements that the scheme's recheck stops."""
    from django.db.models import Value

    ids: set[int] = set()
    entitlements.recheck(SCHEME)(
        lambda rows: rows.filter(pk__in=ids).annotate(reason=Value("honour revoked"))
    )
    yield ids
    entitlements._rechecks.pop(SCHEME)


def test_the_schemes_recheck_keeps_people_out_with_its_own_words(office, stopped):
    one, other = office.owe(2)
    stopped.add(one.pk)
    left = batches.left_out(
        fund=office.fund, scheme=SCHEME, period="2026", organization=office.cast.tree.city,
        today=TODAY,
    ).get()  # fmt: skip
    assert (left.pk, left.because, left.because_text) == (one.pk, "stopped", "honour revoked")
    assert [line.entitlement for line in office.assemble().lines.all()] == [other]


def test_whoever_is_stopped_before_sealing_leaves_the_batch(office, stopped):
    one, other = office.owe(2)
    draft = office.assemble()
    stopped.add(one.pk)
    sealed = batches.seal(batch=draft, by=office.cast.feng)
    assert (sealed.lines_count, sealed.total_fen) == (1, 30_000)
    assert one.lines.get().state == "void"
    assert other.lines.get().state == "ready"


@pytest.mark.parametrize("step", ["check", "release"])
def test_whoever_dies_before_release_stops_the_batch(office, stopped, step):
    batch = office.sealed(2)
    if step == "release":
        batches.check(batch=batch, by=office.cast.feng_checker, digest=batch.digest)
    stopped.add(Entitlement.objects.first().pk)
    act, by = {
        "check": (batches.check, office.cast.feng_checker),
        "release": (batches.release, office.cast.feng_releaser),
    }[step]
    with pytest.raises(PayoutRefused, match="1 lines"):
        act(batch=batch, by=by, digest=batch.digest)
    again = batches.reopen(batch=batch, by=office.cast.feng, reason="somebody died")
    again = batches.seal(batch=again, by=office.cast.feng)
    assert office.release(again).lines_count == 1


def test_an_objection_before_release_stops_the_batch(office):
    batch = office.sealed(1)
    decision = Entitlement.objects.get().decision
    lifecycle.advance(decision, to=DecisionState.CONTESTED, by=office.cast.officer)
    with pytest.raises(PayoutRefused, match="may not be paid any more"):
        batches.check(batch=batch, by=office.cast.feng_checker, digest=batch.digest)


def test_a_retired_account_stops_the_batch(office):
    batch = office.sealed(1)
    lifecycle.advance(BankAccount.objects.get(state="confirmed"), to="retired", by=office.cast.shi)
    with pytest.raises(PayoutRefused):
        batches.check(batch=batch, by=office.cast.feng_checker, digest=batch.digest)


def test_an_objection_after_release_holds_the_batch_until_two_void_it(office):
    batch = office.released(2)
    decision = Entitlement.objects.first().decision
    lifecycle.advance(decision, to=DecisionState.CONTESTED, by=office.cast.officer)
    claims.wake()
    batch.refresh_from_db()
    assert (batch.state, batch.held_since is not None) == ("approved", True)
    motion = batches.void(batch=batch, by=office.cast.feng_checker, reason="objection")
    motions.second(motion=motion, by=office.cast.feng_releaser)
    batch.refresh_from_db()
    assert batch.state == "void" and office.states(batch) == ["void", "void"]
    assert (
        office.release(batches.seal(batch=office.assemble(), by=office.cast.feng)).lines_count == 1
    )


def test_a_held_batch_goes_on_when_the_objection_is_dismissed(office):
    batch = office.released(1)
    decision = Entitlement.objects.get().decision
    lifecycle.advance(decision, to=DecisionState.CONTESTED, by=office.cast.officer)
    claims.wake()
    lifecycle.advance(decision, to=DecisionState.CLEAR, by=office.cast.officer)
    PayoutBatch.objects.update(lease_until=None)
    claims.wake()
    batch.refresh_from_db()
    assert (batch.state, batch.held_since) == ("delivered", None)


def test_each_step_needs_its_role(office):
    office.owe(1)
    with pytest.raises(PermissionDenied):
        office.assemble(by=office.cast.feng_checker)
    batch = batches.seal(batch=office.assemble(), by=office.cast.feng)
    with pytest.raises(PermissionDenied):
        batches.check(batch=batch, by=office.cast.feng, digest=batch.digest)
    with pytest.raises(PermissionDenied):
        batches.release(batch=batch, by=office.cast.feng_checker, digest=batch.digest)
    for outsider in (office.cast.gao, office.cast.decider, office.cast.wei):
        with pytest.raises(PermissionDenied):
            batches.check(batch=batch, by=outsider, digest=batch.digest)


def test_only_the_maker_seals(office):
    office.owe(1)
    draft = office.assemble()
    other = make_account("feng4", role=Role.FINANCE_MAKER, at=office.cast.tree.city)
    with pytest.raises(PayoutRefused, match="whoever made"):
        batches.seal(batch=draft, by=other)


def test_release_comes_after_the_check(office):
    batch = office.sealed(1)
    with pytest.raises(PayoutRefused, match="not checked"):
        batches.release(batch=batch, by=office.cast.feng_releaser, digest=batch.digest)


def test_an_approval_is_of_what_was_looked_at(office):
    batch = office.sealed(1)
    with pytest.raises(PayoutRefused, match="not what you looked at"):
        batches.check(batch=batch, by=office.cast.feng_checker, digest="0" * 64)


def test_a_double_click_is_told(office):
    batch = office.sealed(1)
    batches.check(batch=batch, by=office.cast.feng_checker, digest=batch.digest)
    with pytest.raises(PayoutRefused, match="moment ago"):
        batches.check(batch=batch, by=office.cast.feng_checker, digest=batch.digest)
    batches.release(batch=batch, by=office.cast.feng_releaser, digest=batch.digest)
    with pytest.raises(PayoutRefused, match="not waiting"):
        batches.release(batch=batch, by=office.cast.feng_releaser, digest=batch.digest)


def test_one_person_never_takes_two_steps(office):
    batch = office.sealed(1)
    both = make_account("feng5", role=Role.FINANCE_CHECKER, at=office.cast.tree.city)
    batches.check(batch=batch, by=both, digest=batch.digest)
    both.roles.all().delete()  # a change of duties in between
    give_role(both, Role.FINANCE_RELEASER, office.cast.tree.city)
    with pytest.raises(PayoutRefused, match="three different people"):
        batches.release(batch=batch, by=both, digest=batch.digest)


def test_large_sums_need_more_people_and_the_number_is_frozen(office):
    office.fund.approval_tiers = [{"from_fen": 50_000, "steps": ["second_releaser"]}]
    office.fund.save()
    batch = office.sealed(2)
    office.fund.approval_tiers = []
    office.fund.save()
    batches.check(batch=batch, by=office.cast.feng_checker, digest=batch.digest)
    first = batches.release(batch=batch, by=office.cast.feng_releaser, digest=batch.digest)
    assert first.state == "sealed"
    other = make_account("feng6", role=Role.FINANCE_RELEASER, at=office.cast.tree.city)
    assert batches.release(batch=batch, by=other, digest=batch.digest).state == "approved"


def test_reopening_makes_approvals_void(office):
    batch = office.sealed(1)
    batches.check(batch=batch, by=office.cast.feng_checker, digest=batch.digest)
    reopened = batches.reopen(batch=batch, by=office.cast.feng, reason="typo")
    sealed = batches.seal(batch=reopened, by=office.cast.feng)
    with pytest.raises(PayoutRefused, match="not checked"):
        batches.release(batch=sealed, by=office.cast.feng_releaser, digest=sealed.digest)


def test_a_batch_with_a_bank_file_is_never_void(office):
    batch = office.delivered(1)
    motion = batches.void(batch=batch, by=office.cast.feng_checker, reason="too late")
    with pytest.raises(lifecycle.Stale):
        motions.second(motion=motion, by=office.cast.feng_releaser)


def test_void_takes_a_checker_and_a_releaser(office):
    batch = office.sealed(1)
    with pytest.raises(PermissionDenied):
        batches.void(batch=batch, by=office.cast.feng, reason="no")
    motion = batches.void(batch=batch, by=office.cast.feng_checker, reason="wrong list")
    other_checker = make_account("feng7", role=Role.FINANCE_CHECKER, at=office.cast.tree.city)
    with pytest.raises(PermissionDenied):
        motions.second(motion=motion, by=other_checker)


def test_a_void_batch_frees_its_people(office):
    batch = office.sealed(2)
    motion = batches.void(batch=batch, by=office.cast.feng_checker, reason="wrong list")
    motions.second(motion=motion, by=office.cast.feng_releaser)
    again = office.assemble()
    assert {line.attempt for line in again.lines.all()} == {2}
    assert not set(again.lines.values_list("e2e")) & set(batch.lines.values_list("e2e"))


@pytest.fixture
def three_a_file(monkeypatch):
    """The bank takes three payments in a file."""
    plain = formats.layout
    monkeypatch.setattr(formats, "layout", lambda row: replace(plain(row), max_rows=3))


def test_the_format_limits_a_batch_and_the_rest_waits(office, three_a_file):
    office.owe(4)
    assert office.assemble().lines.count() == 3
    assert office.assemble().lines.count() == 1


def test_ten_people_take_four_drafts_of_three_each_paid_on_its_own(office, three_a_file):
    office.owe(5, union=office.cast.tree.other_union)
    office.owe(5, union=office.cast.tree.union)
    made = office.assemble_all()
    assert [office.states(draft) for draft in made] == [["ready"] * 3] * 3 + [["ready"]]
    lines = [line for draft in made for line in draft.lines.order_by("position")]
    assert [line.position for line in lines] == [1, 2, 3] * 3 + [1]
    assert [line.e2e for line in lines] == [
        f"{draft.number}-{position:06d}" for draft in made for position in (1, 2, 3)
    ][:10]
    order = [(line.entitlement.organization.path, line.entitlement_id) for line in lines]
    assert order == sorted(order) and len(set(order)) == 10
    numbers = [int(draft.number[1:]) for draft in made]
    assert numbers == list(range(numbers[0], numbers[0] + 4))
    for draft in made:
        office.release(batches.seal(batch=draft, by=office.cast.feng))
        claims.wake()
        office.answer(draft, *office.says(draft, *["paid"] * len(office.states(draft))),
                      name=f"{draft.number}.csv")  # fmt: skip
    assert {line.state for line in PayoutLine.objects.all()} == {"paid"}
    assert office.figures()["spent_fen"] == 300_000


def test_each_draft_has_its_own_entries_in_the_log(office, three_a_file):
    office.owe(4)
    made = office.assemble_all()
    entries = AuditEntry.objects.filter(action__startswith="payoutbatch.").order_by("id")
    assert [(entry.action, entry.subject_id) for entry in entries] == [
        (f"payoutbatch.{action}", str(draft.pk)) for draft in made for action in ("draft", "fill")
    ]


def test_who_may_not_be_paid_is_in_no_draft_and_told_once(office, three_a_file):
    office.owe(4)
    left = office.owe_one(make_person(office.cast.tree.union))
    office.owe(3)
    made = office.assemble_all()
    assert [draft.lines.count() for draft in made] == [3, 3, 1]
    assert office.left_out() == {left.pk: "no_account"}
    with pytest.raises(NothingToPay) as caught:
        office.assemble_all()
    assert caught.value.reasons == {"no_account": 1}
    assert PayoutBatch.objects.count() == 3


def test_whoever_is_stopped_leaves_their_own_draft(office, stopped, three_a_file):
    owed = office.owe(4)
    first, second = office.assemble_all()
    stopped.add(owed[0].pk)
    assert batches.seal(batch=first, by=office.cast.feng).lines_count == 2
    assert batches.seal(batch=second, by=office.cast.feng).lines_count == 1


def test_an_account_retired_after_everybody_was_judged_stops_the_assembly(office, monkeypatch):
    """Nobody is left out of a draft in silence."""
    office.owe(2)
    plain = drafts.begin

    def retire_first(*given, **more):
        account = BankAccount.objects.filter(state="confirmed").earliest("pk")
        lifecycle.advance(account, to="retired", by=office.cast.shi)
        return plain(*given, **more)

    monkeypatch.setattr(drafts, "begin", retire_first)
    with pytest.raises(PayoutRefused, match="retired a moment ago"):
        office.assemble_all()
    assert not PayoutBatch.objects.exists()


def test_when_nobody_can_be_paid_no_number_is_used_up(office):
    office.owe_one(make_person(office.cast.tree.union))
    with pytest.raises(NothingToPay):
        office.assemble_all()
    office.owe(2)
    first = office.assemble()
    with pytest.raises(NothingToPay):
        office.assemble()
    office.owe(1)
    assert int(office.assemble().number[1:]) == int(first.number[1:]) + 1


def test_further_drafts_cost_the_same_each_however_many_wait(office, three_a_file):
    """Everybody is judged and sorted once: no statement looks at all of them again."""

    def statements(count: int) -> int:
        office.owe(count)
        with CaptureQueriesContext(connection) as caught:
            office.assemble_all()
        return len(caught)

    statements(1)
    one, two, five = statements(3), statements(6), statements(15)
    assert five - two == 3 * (two - one)
    with CaptureQueriesContext(connection) as caught:
        office.owe(9)
        office.assemble_all()
    judging = [query for query in caught if "disbursement_straypayment" in query["sql"]]
    assert len([query for query in judging if "array_agg" in query["sql"]]) == len(judging) == 1


def test_a_second_assembly_finds_nobody(office):
    office.owe(2)
    office.assemble()
    with pytest.raises(NothingToPay):
        office.assemble()


def test_a_batch_takes_the_same_statements_for_thirty_people_as_for_three(office):
    def statements(count: int) -> int:
        office.owe(count)
        with CaptureQueriesContext(connection) as caught:
            sealed = batches.seal(batch=office.assemble(), by=office.cast.feng)
            office.release(sealed)
        return len(caught)

    statements(1)  # what is asked only once: gate, format, roles
    assert statements(3) == statements(30)
    assert PayoutLine.objects.count() == 34
