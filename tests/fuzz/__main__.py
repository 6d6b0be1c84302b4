"""`python -m tests.fuzz --inputs N --seed S`: what reads files from outside, under a fuzzer.

The fuzzer watches which lines an input reaches and breeds those that reach new ones. Each
target runs in a process of its own; what it found is shrunk and kept in `--out`.
"""

import argparse
import json
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz.targets import SHARES

ROOT = Path(__file__).parents[2]
SHARED = Path("/dev/shm")
MISSING = (
    "The fuzzer is not installed; it is no part of the tests' packages. Install it with\n"
    '    .venv/bin/pip install "atheris>=3"'
)


@dataclass
class Found:
    inputs: int = 0
    crashes: int = 0
    unjudged: int = 0


def main() -> int:
    options = _options()
    if find_spec("atheris") is None:
        print(MISSING, file=sys.stderr)
        return 2
    seed = options.seed if options.seed is not None else secrets.randbelow(10**6)
    total = Found()
    for name, inputs in shared(options.inputs, options.targets).items():
        one = _run(name, inputs, seed, options.out)
        print(f"{name}: {one}", flush=True)
        total.inputs += one.inputs
        total.crashes += one.crashes
        total.unjudged += one.unjudged
    print(
        f"inputs={total.inputs} crashes={total.crashes} unjudged={total.unjudged} seed={seed}",
        flush=True,
    )
    return 1 if total.crashes or total.unjudged or total.inputs < options.inputs else 0


def shared(inputs: int, targets: Collection[str]) -> dict[str, int]:
    """How many inputs each target gets; what does not divide goes to the first."""
    wanted = {name: share for name, share in SHARES.items() if name in targets}
    parts = {name: inputs * share // sum(wanted.values()) for name, share in wanted.items()}
    parts[next(iter(parts))] += inputs - sum(parts.values())
    return {name: part for name, part in parts.items() if part}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, help="how many, over all targets")
    parser.add_argument("--seed", type=int, help="of the fuzzer")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "fuzz", help="what was found")
    parser.add_argument(
        "--targets", nargs="+", choices=list(SHARES), default=list(SHARES), help="all by default"
    )
    return parser.parse_args()


def _run(name: str, inputs: int, seed: int, out: Path) -> Found:
    """One target in a process of its own; its death is a crash as well."""
    out.mkdir(parents=True, exist_ok=True)
    # In memory where there is such a place: every sheet is written there.
    with tempfile.TemporaryDirectory(dir=SHARED if SHARED.is_dir() else None) as folder:
        command = [sys.executable, "-m", "tests.fuzz.child", name, str(inputs), str(seed)]
        done = subprocess.run([*command, folder, str(out)], cwd=ROOT, check=False)
        told = Path(folder) / "found.json"
        found = Found(**json.loads(told.read_text())) if told.exists() else Found()
    if done.returncode:
        found.crashes += 1
    return found


if __name__ == "__main__":
    raise SystemExit(main())
