"""The short drill: one restore behind files that were sent."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_database_restored_behind_sent_files_pays_nobody_twice():
    done = subprocess.run(
        [sys.executable, "-m", "tests.restore", "--restores", "1", "--seed", "20261"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert done.stdout.splitlines()[-1] == "restores=1 lost=0 doubled=0 seed=20261"
    unknown = re.search(r"(\d+) sent files unknown", done.stdout)
    assert unknown and int(unknown[1]) >= 2
