"""`python -m tests.faults --faults N --seed S`: the engine under fire, once."""

import argparse
import json
import random
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import django

from tests.faults import hosts, setting
from tests.faults.logs import faults_of_ours
from tests.faults.schedule import WEIGHTS, WEIGHTS_OF_HOSTS, Fault, draw
from tests.faults.world import PRODUCTION, QUICK, World

if TYPE_CHECKING:
    from tests.faults.run import Run, Story
    from tests.faults.verdict import Verdict
    from tests.faults.world import Program

PEOPLE, IN_A_ROUND, REHEARSAL_ROUNDS = 40, 8, 6
# A run of so many faults strikes every place in proportion, not only once.
LONG = 1000


def main() -> int:
    options = _options()
    seed = options.seed if options.seed is not None else secrets.randbelow(10**6)
    pace = PRODUCTION if options.pace == "production" else QUICK
    var = setting.VAR_HOSTS if options.hosts else setting.VAR
    try:
        with hosts.made(options.hosts) as made, setting.world(pace, var=var, hosts=made) as world:
            return _play(world, options, seed)
    except (setting.Busy, hosts.NotAllowed) as refusal:
        print(refusal, file=sys.stderr)
        return 2


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--faults", type=int, default=300, help="how many faults strike")
    parser.add_argument("--seed", type=int, help="of the schedule and of the bank's habits")
    parser.add_argument("--replay", type=Path, help="a schedule that an earlier run wrote")
    parser.add_argument("--out", type=Path, help="folder for schedule.txt and report.json")
    parser.add_argument(
        "--pace", choices=["quick", "production"], default="quick",
        help="leases and beat of 2 and 1 seconds, or of 30 and 20 as in production, where faults"
             " come one by one and a run fails if the workers take too long to go on after one",
    )  # fmt: skip
    parser.add_argument(
        "--hosts", type=int, default=0, choices=[0, *range(2, len(setting.CLOCKS) + 1)],
        help="so many workers on hosts of their own, each cut off now and then while it delivers",
    )  # fmt: skip
    return parser.parse_args()


def _play(world: World, options: argparse.Namespace, seed: int) -> int:
    django.setup()
    from tests.faults.bank import Bank
    from tests.faults.run import LIMITS, Run, Stuck, plan_rounds
    from welfare.disbursement import formats
    from welfare.disbursement.models import Fund

    print(f"seed {seed}, {options.faults} faults, pace {options.pace}", flush=True)
    people = setting.populate(PEOPLE)
    rounds = plan_rounds(seed, people, options.faults + 100, IN_A_ROUND)
    (world.folder / "rounds.json").write_text(
        json.dumps([[one.period, one.owed] for one in rounds])
    )
    layout = formats.layout(formats.stored(Fund.objects.get().bank_format))
    rng = random.Random(f"bank {seed}")
    bank = Bank(world.folder / "bank", world.folder / "books", layout, rng)
    # A killed desk takes its time to come back: more of them pass the rare places of a long run.
    setting.start_programs(world, desks=4 if options.faults >= LONG else 2)
    run = Run(world, bank, rounds, world.pace.patience)
    began = time.monotonic()
    try:
        points = run.rehearse(REHEARSAL_ROUNDS)
        print(f"rehearsed: {len(points)} places, {time.monotonic() - began:.0f} s", flush=True)
        run.under_fire(_schedule(options, seed, points), options.faults, _each(options.faults))
        print(f"under fire until {time.monotonic() - began:.0f} s", flush=True)
        run.settle()
        stuck = ""
    except Stuck as error:
        stuck = str(error)
    verdict = run.judge()
    verdict.note("stuck", bool(stuck), [stuck])
    if world.pace is PRODUCTION:
        for kind, took in run.story.late().items():
            verdict.note(f"no step within {LIMITS[kind]} s after {kind}", 1, [f"{took:.0f} s"])
    for name, text in faults_of_ours(world.folder):
        verdict.note(f"{name} met a fault of ours", 1, [text])
    failed = run.story.failed_sweeps
    verdict.note("a sweep failed", len(failed), failed)
    each = _each(options.faults)
    spared = sorted(run.spared(each)) if each > 1 else []
    verdict.note(f"places struck less than {each} times", len(spared), spared)
    _report(run, verdict, options.out)
    print(
        f"faults={len(run.story.injected)} lost={verdict.lost} doubled={verdict.doubled}"
        f" seed={seed}", flush=True,
    )  # fmt: skip
    return 0 if verdict.is_clean else 1


def _schedule(options: argparse.Namespace, seed: int, points: list[str]) -> Iterator[Fault]:
    drawn = draw(seed, points, WEIGHTS_OF_HOSTS if options.hosts else WEIGHTS)
    if options.replay is None:
        return drawn
    lines = options.replay.read_text().splitlines()
    return chain((Fault.read(line) for line in lines if line.strip()), drawn)


def _each(faults: int) -> int:
    """How often at least a long run strikes every place; a short one strikes each once."""
    return faults // 100 if faults >= LONG else 1


def _report(run: "Run", verdict: "Verdict", out: Path | None) -> None:
    """Faults by kind, places hit, time to progress, what was found."""
    story = run.story
    kinds = Counter(fault.kind for fault in story.injected)
    _print_kinds(kinds, story)
    points = run.world.plan.points()
    hits = [story.at_points[point] for point in points]
    print(f"\nplaces passed {len(points)}, struck {sum(map(bool, hits))}, "
          f"least struck {min(hits, default=0)} times")  # fmt: skip
    for point in points:
        print(f"  {story.at_points[point]:5}  {point}")
    _print_bank(run)
    for found, count in verdict.caught.items():
        print(f"FOUND {count} × {found}")
    for sample in sorted(set(verdict.samples))[:40]:
        print(f"  {sample}")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "schedule.txt").write_text("".join(f"{fault}\n" for fault in story.injected))
        page = {"kinds": kinds, "places": dict(story.at_points), "progress": story.progress,
                "bank": run.bank.habits, "found": verdict.caught}  # fmt: skip
        (out / "report.json").write_text(json.dumps(page, indent=1, ensure_ascii=False))


def _print_kinds(kinds: Counter, story: "Story") -> None:
    from tests.faults.run import LIMITS

    print("\nfault               struck   next step of a worker after it (s):"
          "   median  longest  limit at production pace")  # fmt: skip
    for kind, count in kinds.most_common():
        times = sorted(story.progress.get(kind, []))
        took = f"{times[len(times) // 2]:8.2f} {times[-1]:8.2f}" if times else "       –        –"
        print(f"{kind:18} {count:7} {took:>53} {LIMITS.get(kind, '–'):>6}")
    for (kind, reason), count in story.left_out.items():
        print(f"{kind:18} left out {count} times: {reason}")


def _print_bank(run: "Run") -> None:
    print(f"\nthe bank: {len(run.bank.batches)} batches, {len(run.bank.payments)} payments, "
          f"its clock beside workers' clocks wrong by {_skews(run)} s")  # fmt: skip
    for habit, count in run.bank.habits.items():
        print(f"  {count:5}  {habit}")
    anew = [f"{p.name} {p.starts - 1}" for p in _programs(run) if p.starts > 1]
    print(f"started anew after they ended whole: {', '.join(anew) or 'none'}")


def _skews(run: "Run") -> str:
    """Of the workers that were started."""
    told = (program.environment.get("FAULTS_CLOCK", "0") for program in _programs(run))
    return ", ".join(skew for skew in told if skew != "0") or "0"


def _programs(run: "Run") -> Iterable["Program"]:
    return run.world.programs.values()


if __name__ == "__main__":
    raise SystemExit(main())
