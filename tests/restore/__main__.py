"""`python -m tests.restore --restores N --seed S`: restores behind sent files, drilled."""

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
    parser = argparse.ArgumentParser(prog="python -m tests.restore", description=__doc__)
    parser.add_argument("--restores", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    lost = doubled = 0
    is_clean = True
    try:
        for number in range(options.restores):
            with setting.world(Pace(), say=lambda line: None, var=setting.VAR_RESTORE) as world:
                verdict = _drill(world, options.seed + number)
            lost, doubled = lost + verdict.lost, doubled + verdict.doubled
            is_clean = is_clean and verdict.is_clean
    except setting.Busy as busy:
        print(busy, file=sys.stderr)
        return 2
    print(f"restores={options.restores} lost={lost} doubled={doubled} seed={options.seed}")
    return 0 if is_clean else 1


def _drill(world: World, seed: int):
    os.environ["PORTAL_BACKUP_DATABASE_URL"] = world.administrator
    django.setup()
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
        f" {drill.seconds[-1]:.1f} s, {len(bank.payments)} payments, lost={verdict.lost}"
        f" doubled={verdict.doubled} found={sorted(verdict.caught)} {verdict.samples[:4]}",
        flush=True,
    )
    connection.close()
    return verdict


if __name__ == "__main__":
    raise SystemExit(main())
