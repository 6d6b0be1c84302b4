"""The engine against the model, through every step that there is."""

from collections import Counter
from contextlib import contextmanager

import pytest
from django.db import DatabaseError
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.defects import DEFECTS
from tests.machine.machine import Engine, furnish, steps_counted
from tests.machine.tour import agree, walk
from tests.searching import examples
from union_portal import lifecycle

# Every step of every table of the engine, so that a new one asks for a rule.
EVERY_STEP = {
    (label, old, new)
    for label, table in lifecycle.TABLES.items()
    if label.startswith("disbursement.")
    for old, news in table.steps.items()
    for new in news
}


@pytest.fixture
def engine(cast, tmp_path, settings):
    """The machine on a stage that all examples share."""
    stage = furnish(cast, tmp_path, settings)

    class Here(Engine):
        furnish = staticmethod(lambda: stage)
        acts = Counter()

    return Here


def play(machine, number, *, steps=40):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=number,
            stateful_step_count=steps,
            suppress_health_check=list(HealthCheck),
        ),
    )


@contextmanager
def played(machine):
    """An example that is not Hypothesis's."""
    made = machine()
    try:
        yield made
    finally:
        made.teardown()


def test_one_walk_takes_every_step_there_is(engine):
    taken = Counter()
    with steps_counted(taken), played(engine) as walked:
        walk(walked)
    assert EVERY_STEP - set(taken) == set(), "the machine has no rule that takes these steps"


def test_engine_and_model_agree_whatever_is_done(engine):
    taken = Counter()
    with steps_counted(taken):
        play(engine, examples(25))
    print("steps taken", sum(taken.values()), dict(engine.acts), EVERY_STEP - set(taken))
    refused = sum(number for (_act, may), number in engine.acts.items() if not may)
    assert refused > sum(engine.acts.values()) // 10, "hardly a wrong step was tried"


@pytest.mark.django_db(transaction=True)
def test_the_same_walk_with_every_step_committed(engine):
    """What waits for the commit comes at the commit, and each step is a transaction of its own."""
    engine.commits = True
    with played(engine) as walked:
        walk(walked)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_broken_engine_disagrees(engine, defect):
    with played(engine) as sound:
        defect.play(sound)
        agree(sound)
    disagrees = pytest.raises((AssertionError, DatabaseError), match=defect.told)
    with defect.planted(), disagrees, played(engine) as broken:
        defect.play(broken)
        agree(broken)
