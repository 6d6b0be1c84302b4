"""Which fault strikes when, how often each place, and what is said of those that do not."""

import time
from itertools import islice
from types import SimpleNamespace

import psycopg2
import pytest

from tests.faults import run as runs
from tests.faults.points import Plan
from tests.faults.proxy import Proxy
from tests.faults.run import LIMITS, Run, Story
from tests.faults.schedule import WEIGHTS, WEIGHTS_OF_HOSTS, Fault, draw
from tests.faults.world import PRODUCTION, QUICK

PLACES = ["deliver.after_file", "welfare.disbursement.batches.seal:before", "z:after"]


@pytest.fixture
def run(tmp_path):
    """A run without a world, but with its plan."""
    world = SimpleNamespace(plan=Plan(tmp_path), pace=QUICK)
    return Run(world, bank=None, rounds=[], patience=1.0)


def test_a_seed_draws_the_same_faults_again():
    first, again = list(islice(draw(7, PLACES), 300)), list(islice(draw(7, PLACES), 300))
    assert first == again
    assert first == [Fault.read(str(fault)) for fault in first]
    assert first != list(islice(draw(8, PLACES), 300))


def passed(run, *places: str) -> None:
    for place in places:
        (run.world.plan.passed / place).touch()


def test_a_short_run_has_every_kind():
    assert {fault.kind for fault in islice(draw(1, PLACES), 100)} == set(WEIGHTS)


def test_only_a_run_with_hosts_cuts_them_off_and_only_while_they_deliver():
    drawn = list(islice(draw(1, PLACES, WEIGHTS_OF_HOSTS), 200))
    assert {fault.at for fault in drawn if fault.kind == "cut-off"} == {"deliver.after_file"}


def test_a_place_that_is_passed_seldom_gets_its_share(run):
    passed(run, *PLACES)
    run.story.injected = [Fault("kill", PLACES[0])] * 50
    run.story.at_points.update({PLACES[0]: 40, PLACES[1]: 5, PLACES[2]: 4})
    run._catch_up(100, 10)
    assert [path.name for path in run.world.plan.orders.iterdir()] == [PLACES[2]]


def test_a_run_does_not_end_before_every_place_had_its_share(run):
    passed(run, *PLACES)
    run.story.at_points.update({PLACES[0]: 40, PLACES[1]: 9, PLACES[2]: 10})
    assert run._spared(10) == {PLACES[1]}


def test_a_place_that_was_first_passed_under_fire_gets_its_share_of_a_long_run(run):
    run.rehearsed = {PLACES[0]}
    passed(run, *PLACES)
    run.story.at_points.update({PLACES[0]: 10, PLACES[1]: 10})
    assert run._spared(10) == {PLACES[2]}
    assert run._spared(1) == set()


def test_a_fault_whose_place_still_waits_keeps_its_turn_and_a_third_is_told(run):
    kill = Fault("kill", PLACES[0])
    faults = iter([kill, kill, Fault("stall", PLACES[1])])
    run._order(kill)
    assert [run._next(faults), run._next(faults)] == [None, None]
    assert run.story.left_out == {("kill", runs.STILL_WAITING): 1}
    assert run._next(faults) == Fault("stall", PLACES[1])
    run._waiting.clear()
    assert run._next(faults) == kill
    assert run._next(faults) is None


def test_at_production_pace_a_fault_waits_for_the_one_before(run, monkeypatch):
    run.world.pace = PRODUCTION
    assert not run._is_another_under_way(time.monotonic())
    run._order(Fault("kill", PLACES[0]))
    assert run._is_another_under_way(time.monotonic())
    assert not run._is_another_under_way(time.monotonic() + 61)
    assert run.story.left_out == {("kill", runs.NOBODY_CAME): 1}
    run._watch("kill", time.monotonic(), 1)
    assert run._is_another_under_way(time.monotonic())
    run.world.pace = QUICK
    assert not run._is_another_under_way(time.monotonic())


def test_what_nobody_came_for_is_told(run, monkeypatch):
    monkeypatch.setattr(run, "_live", lambda: None)
    run._order(Fault("stall", PLACES[0]))
    run.cease()
    assert run.story.left_out == {("stall", runs.NOBODY_CAME): 1}
    assert list(run.world.plan.orders.iterdir()) == []


def test_a_cut_counts_when_it_is_made(run):
    fault = Fault("cut-redis", "10")
    proxy = run.world.to_redis = Proxy(0)
    assert run._strike(fault) == ""
    assert run._strike(fault) == "the one before has cut nothing yet"
    run._see_cuts(1.0)
    assert run.story.injected == []
    proxy._allowed(20)
    run._see_cuts(1.0)
    assert run.story.injected == [fault]
    proxy.close()


def test_a_fault_that_finds_nothing_to_strike_says_why(run, monkeypatch):
    def away(run, fault):
        raise psycopg2.OperationalError("the database system is starting up")

    monkeypatch.setitem(runs.STRIKES, "terminate", away)
    assert "was away already (OperationalError)" in run._strike(Fault("terminate", "1"))
    run._sweeping = object()
    assert run._strike(Fault("stop-beat", "1")) == "beat was away already"


def test_a_fault_after_which_workers_take_too_long_is_told():
    story = Story(progress={"wipe-redis": [1.0, 61.0], "crash-postgres": [61.0], "stall": [500.0]})
    assert story.late() == {"wipe-redis": 61.0}
    assert {LIMITS[kind] for kind in ("kill-worker", "wipe-redis", "kill-redis")} == {60}
    assert {LIMITS[kind] for kind in ("crash-postgres", "restart-postgres")} == {90}
