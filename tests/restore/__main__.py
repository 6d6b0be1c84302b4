"""Restores, drilled.

python -m tests.restore --restores N --seed S   behind sent files, each at another moment
python -m tests.restore --members N             one at this size, with the time of each phase
"""

import argparse
import json
import os
import random
import sys

import django

from tests.faults import setting
from tests.faults.world import Pace, World

PEOPLE, ROUNDS, IN_A_ROUND = 30, 40, 6


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.restore",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--restores", type=_one_or_more, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--members", type=_one_or_more)
    options = parser.parse_args()
    try:
        if options.members:
            return _sized(options.members, options.seed)
        return _drills(options.restores, options.seed)
    except setting.Busy as busy:
        print(busy, file=sys.stderr)
        return 2


def _one_or_more(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("nothing would be shown")
    return number


def _drills(restores: int, first: int) -> int:
    lost = doubled = refused = 0
    is_clean = True
    for number in range(restores):
        with setting.world(Pace(), say=_silent, var=setting.VAR_RESTORE) as world:
            verdict, by_hand = _drill(world, first + number)
        refused += by_hand
        lost, doubled = lost + verdict.lost, doubled + verdict.doubled
        is_clean = is_clean and verdict.is_clean
    if restores > 1 and not refused:
        # Whether one restore finds a batch that is approved and not sent is chance.
        print("no step was ever tried by hand behind the shut gate", file=sys.stderr)
        is_clean = False
    print(f"restores={restores} lost={lost} doubled={doubled} seed={first}")
    return 0 if is_clean else 1


def _sized(count: int, seed: int) -> int:
    with setting.world(Pace(lease=600), say=_silent, var=setting.VAR_RESTORE_SIZED) as world:
        _begin(world)
        from tests.restore.scale import Sized

        drill = Sized(world, count, seed)
        try:
            drill.run()
        finally:
            print("\n".join(map(str, drill.phases)))
        for fault in drill.faults:
            print(f"FAULT {fault}")
    seconds = drill.restored_in()
    print(f"members={count} restored={seconds:.0f}s faults={len(drill.faults)} seed={seed}")
    return 1 if drill.faults else 0


def _silent(line: str) -> None:
    """What the servers say on their way is not part of the report."""


def _begin(world: World) -> None:
    os.environ["PORTAL_BACKUP_DATABASE_URL"] = world.administrator
    django.setup()


def _drill(world: World, seed: int):
    """The verdict on one restore, and how many steps by hand were refused in it."""
    _begin(world)
    from django.conf import settings
    from django.db import connection

    from tests.faults.bank import Bank
    from tests.faults.run import plan_rounds
    from tests.restore.drill import Drill, once
    from welfare.disbursement import formats
    from welfare.disbursement.models import Fund

    for name in ("REGISTER", "BANK", "MEDIA"):  # a second drill has folders of its own
        folder = world.folder / name.lower()
        setattr(settings, "MEDIA_ROOT" if name == "MEDIA" else f"{name}_DIR", folder)
    people = setting.populate(PEOPLE)
    rounds = plan_rounds(seed, people, ROUNDS, IN_A_ROUND)
    (world.folder / "rounds.json").write_text(json.dumps([[r.period, r.owed] for r in rounds]))
    layout = formats.layout(formats.stored(Fund.objects.get().bank_format))
    rng = random.Random(f"drill {seed}")
    bank = Bank(world.folder / "bank", world.folder / "books", layout, rng, slowness=0.05)
    drill = Drill(world, bank, rounds, rng)
    strange = once(drill)
    verdict = drill.to_the_end()
    print(
        f"seed {seed}: {strange} sent files unknown to the restored database, back in"
        f" {drill.seconds[-1]:.1f} s, {drill.refused} steps by hand refused,"
        f" {len(bank.payments)} payments, lost={verdict.lost} doubled={verdict.doubled}"
        f" found={sorted(verdict.caught)} {verdict.samples[:4]}",
        flush=True,
    )
    connection.close()
    return verdict, drill.refused


if __name__ == "__main__":
    raise SystemExit(main())
