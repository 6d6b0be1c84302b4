"""`python -m tests.uploads --files N --seed S`: hostile files at every door of the portal."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
TEST = "tests/uploads/test_hostile_files.py::test_no_hostile_file_comes_through_any_door"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.uploads", description=__doc__)
    parser.add_argument("--files", type=int, default=1000, help="how many are drawn")
    parser.add_argument("--seed", type=int, default=1, help="of the corpus")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        told = Path(folder) / "figures.json"
        asked = {
            "HOSTILE_FILES": str(options.files),
            "HOSTILE_SEED": str(options.seed),
            "HOSTILE_FIGURES": str(told),
        }
        status = subprocess.call(
            [sys.executable, "-m", "union_portal.embedded", "test", TEST, "-q"],
            cwd=ROOT,
            env={**os.environ, **asked},
        )
        if not told.exists():
            return status or 1
        figures = json.loads(told.read_text(encoding="utf-8"))
    for fault in figures["faults"]:
        print(fault)
    print(" ".join(f"{name}={figures[name]}" for name in ("sent", "child_mib", "growth_mib")))
    peak = figures["child_mib"] + figures["growth_mib"]
    names = ("files", "refused", "clean", "crashed")
    counts = " ".join(f"{name}={figures[name]}" for name in names)
    print(f"{counts} peak_mib={peak} seed={figures['seed']}", flush=True)
    return status


if __name__ == "__main__":
    raise SystemExit(main())
