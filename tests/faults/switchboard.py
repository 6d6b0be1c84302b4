"""`python -m tests.faults.switchboard`: plant every seeded defect and see that it is noticed."""

import argparse
import json
import random
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from typing import TYPE_CHECKING

import django
from psycopg2 import sql

from tests.faults import setting
from tests.faults.logs import faults_of_ours, sizes
from tests.faults.schedule import Fault, draw
from tests.faults.world import QUICK, World

if TYPE_CHECKING:
    from tests.faults.defects import Defect

PEOPLE, ROUNDS, IN_A_ROUND = 20, 60, 6
FAULTS, SECONDS = 14, 8.0
# So many of a defect's own faults strike, so that one at least does its harm.
OWN_FAULTS = 3
# A busy machine may take so long to the first fault of a defect, or to the first row to edit.
LONGEST_SECONDS = 90.0
# How long nothing may move: a sound engine on a busy machine is given more, and a broken one is
# given so many times the longest stillness of the sound one.
PATIENCE_SECONDS, SOUND_PATIENCE_SECONDS, STILLER = 10.0, 60.0, 5
BASE = "faults_base"
# Servers are left alone: their faults take long and find no defect of ours sooner.
KINDS = {"kill": 70, "stall": 10, "terminate": 10, "bells": 10}


STUCK = "the end is not reached"
# What a patch ends in that no longer fits the engine: nothing was planted, whatever was noticed.
ROTTEN = ("TypeError", "AttributeError", "NameError", "UnboundLocalError", "ImportError")


class NoDefect(Exception):
    """Nothing to plant: a trial of nothing would count as passed."""


@dataclass
class Trial:
    """A defect, and the checks that noticed it."""

    name: str
    # Whose word counts, by how it begins.
    by: tuple[str, ...]
    caught_by: list[str]
    seconds: float
    # The longest time in which nothing moved.
    stillest: float
    rotten: list[str] = field(default_factory=list)

    @property
    def is_noticed(self) -> bool:
        return not self.rotten and any(one.startswith(self.by) for one in self.caught_by)

    @property
    def was_stuck(self) -> bool:
        return any(one.startswith(STUCK) for one in self.caught_by)

    def row(self) -> str:
        told = "; ".join([*self.rotten, *self.caught_by]) or "nothing noticed"
        verdict = "" if self.is_noticed or not self.by else "NOT AS IT SHOULD BE: "
        return f"{self.seconds:5.1f} s  {self.name}: {verdict}{told}"


def main() -> int:
    options = _options()
    try:
        with setting.world(QUICK, say=lambda line: None, var=setting.VAR_DEFECTS) as world:
            django.setup()
            return _play(world, options)
    except (setting.Busy, NoDefect) as refusal:
        print(refusal, file=sys.stderr)
        return 2


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.switchboard", description=__doc__)
    parser.add_argument("--only", action="append", help="a defect's name; may be repeated")
    parser.add_argument("--first", type=int, help="so many from the top of the list")
    parser.add_argument("--part", type=_part, help="the Nth of M parts of the list, as N/M")
    parser.add_argument(
        "--patience", type=float, default=PATIENCE_SECONDS,
        help="how many seconds nothing may move with a defect; more on a busy machine",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _part(text: str) -> tuple[int, int]:
    number, _slash, parts = text.partition("/")
    if not 1 <= int(number) <= int(parts):
        raise ValueError(text)
    return int(number), int(parts)


def _chosen(options: argparse.Namespace) -> "list[Defect]":
    """Raises NoDefect for a name that stands not on the list, or if nothing is left of it."""
    from tests.faults.defects import BY_NAME, DEFECTS

    if unknown := set(options.only or ()) - BY_NAME.keys():
        raise NoDefect(f"No defect is called so: {', '.join(sorted(unknown))}")
    chosen = [d for d in DEFECTS if not options.only or d.name in options.only][: options.first]
    number, parts = options.part or (1, 1)
    if not chosen[number - 1 :: parts]:
        raise NoDefect("No defect was chosen.")
    return chosen[number - 1 :: parts]


def _play(world: World, options: argparse.Namespace) -> int:
    from tests.faults.run import plan_rounds

    began, chosen = time.monotonic(), _chosen(options)
    people = setting.populate(PEOPLE)
    rounds = plan_rounds(options.seed, people, ROUNDS, IN_A_ROUND)
    (world.folder / "rounds.json").write_text(json.dumps([[r.period, r.owed] for r in rounds]))
    django.db.connection.close()
    setting.copy_database(world, world.database, BASE)
    setting.start_programs(world)
    seed = options.seed
    sound = [_try(world, None, rounds, seed, SOUND_PATIENCE_SECONDS)]
    patience = max(options.patience, STILLER * sound[0].stillest)
    print(sound[0].row(), flush=True)
    print(f"it was never still for longer than {sound[0].stillest:.1f} s: an end that is not"
          f" reached counts after {patience:.0f} s of stillness")  # fmt: skip
    trials = []
    for defect in chosen:
        trial = _try(world, defect, rounds, seed, patience)
        if trial.was_stuck and not trial.is_noticed:
            # Whoever is noticed by something else must have had the time for it.
            trial = _try(world, defect, rounds, seed, STILLER * patience)
        trials.append(trial)
        print(trial.row(), flush=True)
    sound.append(_try(world, None, rounds, seed + 1, SOUND_PATIENCE_SECONDS))
    print(sound[1].row())
    noticed = sum(trial.is_noticed for trial in trials)
    false = sum(bool(trial.caught_by) or trial.stillest >= patience for trial in sound)
    print(f"the whole took {time.monotonic() - began:.0f} s")
    print(f"defects={len(trials)} noticed={noticed} false={false} seed={options.seed}")
    return 0 if noticed == len(trials) and not false else 1


def _try(world: World, defect, rounds, seed: int, patience: float) -> Trial:
    """Work under fire with the defect until a check notices it; None is the sound engine."""
    from tests.faults.bank import Bank
    from tests.faults.run import Run, Stuck
    from welfare.disbursement import formats
    from welfare.disbursement.models import Fund

    _renew(world, defect)
    began, logged = time.monotonic(), sizes(world.folder)
    layout = formats.layout(formats.stored(Fund.objects.get().bank_format))
    bank = Bank(
        world.folder / "bank",
        world.folder / "books",
        layout,
        random.Random(f"{seed}"),
        slowness=0.4,
    )
    run = Run(world, bank, rounds, patience)
    found: list[str] = []
    try:
        for _step in run.under_fire_for(_faults(world, defect, seed), FAULTS, LONGEST_SECONDS):
            found = run.noticed()
            if found or _is_enough(run, defect, time.monotonic() - began):
                break
        run.cease()
        if defect is not None and not found:
            _edit(world, defect, run)
        if not found:
            run.settle()
    except Stuck as stuck:
        found = run.look() or [f"{STUCK} ({stuck})"]
    # A guard that was taken away to let harm happen is not what must notice it.
    with_guards = defect is None or defect.is_guard_alone
    found = found or sorted(run.judge(with_guards=with_guards).caught)
    seconds, stillest = time.monotonic() - began, run.story.stillest
    if defect is None:
        return Trial("nothing planted", (), found, seconds, stillest)
    ends = [end for _name, end in faults_of_ours(world.folder, logged)]
    rotten = [f"the defect itself is broken: {end}" for end in ends if end.startswith(ROTTEN)]
    return Trial(defect.name, defect.by, found, seconds, stillest, rotten[:1])


def _is_enough(run, defect, seconds: float) -> bool:
    """The time is over, and what the defect wants to happen has happened."""
    has_own = defect is not None and defect.faults
    return seconds > SECONDS and (not has_own or len(run.story.injected) >= OWN_FAULTS)


def _faults(world: World, defect, seed: int) -> Iterator[Fault]:
    if defect is not None and defect.faults:
        return cycle([Fault.read(line) for line in defect.faults])
    places = world.plan.points() or ["deliver.after_file"]
    return (fault for fault in draw(seed, places) if fault.kind in KINDS)


def _renew(world: World, defect) -> None:
    """A fresh database and empty folders; whoever still worked on the old ones is gone."""
    for name in ("wanted", "defect"):
        (world.folder / name).unlink(missing_ok=True)
    for order in world.plan.orders.iterdir():
        order.unlink(missing_ok=True)
    world.plan.done.unlink(missing_ok=True)
    django.db.connection.close()
    setting.renew_database(world, BASE)
    # Only now: whoever still had a batch of the old database in hand would register it in ours.
    for program in world.programs.values():
        program.forget_children()
    for folder in ("register", "books", "bank/incoming", "bank/outgoing"):
        old = (world.folder / folder).with_suffix(".old")
        with suppress(FileNotFoundError):
            # Aside first: whoever still writes writes there.
            (world.folder / folder).rename(old)
        shutil.rmtree(old, ignore_errors=True)
    for rule in defect.without if defect else ():
        _drop(world, rule)
    (world.folder / "defect").write_text(defect.name if defect else "")


def _drop(world: World, rule: str) -> None:
    """Take an index, a constraint or a trigger away, whichever has this name."""
    triggers = world.ask_run(
        "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE tgname ~ %s",
        f"^pgtrigger_{rule}_[0-9a-f]{{5}}$",
    )
    constraints = world.ask_run(
        "SELECT conname, conrelid::regclass::text FROM pg_constraint WHERE conname = %s", rule
    )
    indexes = world.ask_run("SELECT relname FROM pg_class WHERE relname = %s", rule)
    if triggers:
        text, names = "DROP TRIGGER {} ON {}", triggers[0]
    elif constraints:
        text, names = "ALTER TABLE {1} DROP CONSTRAINT {0}", constraints[0]
    elif indexes:
        text, names = "DROP INDEX {}", indexes[0]
    else:
        raise LookupError(f"no rule of the database is called {rule}")
    world.ask_run(sql.SQL(text).format(*map(sql.Identifier, names)))


def _edit(world: World, defect, run) -> None:
    """Edit rows as the superuser, past every trigger, as soon as there is one to edit."""
    for statement in defect.by_hand:
        for _step in run.under_fire_for(iter(()), 10**6, LONGEST_SECONDS):
            if world.ask_run(f"SET session_replication_role = replica; {statement} RETURNING 1"):
                break


if __name__ == "__main__":
    raise SystemExit(main())
