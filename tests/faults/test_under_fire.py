"""The short run of the proof: the same command as the long one, with fewer faults."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.schedule import WEIGHTS

ROOT = Path(__file__).parents[2]
FAULTS, SEED = 200, 20261


@pytest.mark.slow
def test_two_hundred_faults_lose_nobody_and_pay_nobody_twice(tmp_path):
    asked = ["--faults", str(FAULTS), "--seed", str(SEED), "--out", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults", *asked],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    last = done.stdout.splitlines()[-1]
    found = re.fullmatch(rf"faults=(\d+) lost=0 doubled=0 seed={SEED}", last)
    assert found and int(found[1]) >= FAULTS
    struck = {line.split()[0] for line in (tmp_path / "schedule.txt").read_text().splitlines()}
    # Not every system lets us mount a disk that can be filled.
    assert struck | {"full-disk"} == set(WEIGHTS)
