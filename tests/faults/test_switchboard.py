"""The proof can fail: eight seeded defects are noticed, and a sound engine is not accused."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEFECTS = 8


@pytest.mark.slow
def test_eight_seeded_defects_are_noticed_and_a_sound_engine_is_not():
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.switchboard", "--first", str(DEFECTS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    last = done.stdout.splitlines()[-1]
    assert last.startswith(f"defects={DEFECTS} noticed={DEFECTS} false=0"), done.stdout
