"""The real `./portal demo`, in a copy of the project with servers of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from union_portal.embedded import places

LEFT_BEHIND = shutil.ignore_patterns(
    ".venv", ".git", "var", "tests", "bench", "__pycache__", ".*_cache"
)
PEOPLE = 60
_OURS = ("DATABASE_URL", "REDIS_URL", "PYTEST", "DJANGO_", "PORTAL_")


class Demo:
    """One copy, run as a newcomer runs it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        self.out = folder / "out"
        shutil.copytree(places.CHECKOUT, self.folder, ignore=LEFT_BEHIND)
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(_OURS)
        }

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """`./portal` with words, as a process whose output can be read."""
        return subprocess.Popen(
            [sys.executable, "-m", "union_portal.embedded", *words],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str) -> tuple[int, str]:
        """`./portal` with words: exit status and everything it said."""
        process = self.start(*words)
        said, _nothing = process.communicate(timeout=600)
        return process.returncode, said

    def killed_after(self, line: str, *words: str) -> str:
        """Kill the run with SIGKILL as soon as it has said `line`; what it said until then."""
        process = self.start(*words)
        said = ""
        assert process.stdout is not None
        for told in process.stdout:
            said += told
            if line in told:
                os.kill(process.pid, signal.SIGKILL)
                break
        process.communicate(timeout=60)
        return said

    def manage(self, *words: str) -> str:
        """What `./portal manage` prints."""
        status, said = self.run("manage", *words)
        assert status == 0, said
        return said

    def logs(self) -> dict[str, str]:
        """What every process and both servers logged, by the name of the file."""
        var = self.folder / "var" / "demo"
        servers = Path(json.loads((var / "servers.json").read_text())["data"])
        files = [*(var / "run" / "log").glob("*.log"), *servers.rglob("*.log")]
        return {file.name: file.read_text("utf-8", "replace") for file in files}

    def personal(self) -> dict[str, Any]:
        """What its database holds of people, and which of its tables hold a secret."""
        return self._asked("personal")

    def recounted(self) -> dict[str, Any]:
        """Its figures and states, counted a second time from the rows."""
        return self._asked("recount")

    def _asked(self, name: str) -> dict[str, Any]:
        """What the program of this name beside this file writes about the demo's database."""
        code = (places.CHECKOUT / "tests" / "demo" / f"{name}.py").read_text("utf-8")
        out = self.folder / f"{name}.json"
        self.environment[f"{name.upper()}_OUT"] = str(out)
        self.manage("shell", "--no-imports", "-c", code)
        return json.loads(out.read_text("utf-8"))

    def figures(self) -> dict[str, int]:
        return json.loads((self.out / "figures.json").read_text("utf-8"))

    def summary(self) -> dict[str, Any]:
        return json.loads((self.out / "summary.json").read_text("utf-8"))

    def paid_by_the_bank(self) -> "Counter[tuple[str, int]]":
        """How often the bank paid an amount to an account, by its own books."""
        books = (self.folder / "var" / "demo" / "bank" / "bank").glob("*.json")
        return Counter(
            (payment["account"], payment["amount_fen"])
            for book in books
            for payment in json.loads(book.read_text())["payments"]
            if payment["result"] == "paid"
        )
