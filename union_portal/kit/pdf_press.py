"""Drives the rendering process: several sections at a time, bounded, stopped with its owner.

Celery's workers are daemons and may have no children of multiprocessing's; this is a plain
subprocess. It gets no secrets in its environment and reads only the files it is told of.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from django.utils.translation import gettext_noop

from union_portal.kit.refusals import Refused

SLOTS = 2
PATIENCE_SECONDS = 600


class RenderFailed(Refused):
    """A section could not be rendered; the text names the section and the fault."""

    def __init__(self, fault: str) -> None:
        super().__init__(
            gettext_noop("A part of the report could not be rendered: %(fault)s"),
            gettext_noop("Ask for the report again; if that fails too, tell your administrator."),
            {"fault": fault},
        )


class Press:
    """The rendering process, as a context. `slots` sections are rendered at a time.

    `cache_dir` keeps what fontconfig knows of the fonts from one report to the next.
    """

    def __init__(self, folder: Path, *, cache_dir: Path, slots: int = SLOTS) -> None:
        self.folder = folder
        self.cache_dir = cache_dir
        self.slots = slots
        self.peak_kb = 0

    def __enter__(self) -> Self:
        self._complaints = (self.folder / "renderer.log").open("wb")
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "union_portal.kit.pdf_renderer",
                str(self.cache_dir),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            bufsize=0,
            cwd=self.folder,
            env=_bare_environment(self.folder),
            start_new_session=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it, and whatever it still renders."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        for stream in (self.process.stdin, self.process.stdout, self._complaints):
            if stream is not None:
                stream.close()
        self.process.wait()

    def one(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do one piece of work and wait for it."""
        return next(iter(self.all([request])))[1]

    def all(
        self, requests: Iterable[dict[str, Any]]
    ) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Do all of it, `slots` at a time; yields (request, answer) as they end."""
        running: dict[str, dict[str, Any]] = {}
        waiting = iter(requests)
        while True:
            while len(running) < self.slots and (request := next(waiting, None)) is not None:
                running[self._send(request)] = request
            if not running:
                return
            ended = self._ended()
            request = running.pop(ended["id"])
            yield request, self._answer(request, ended["status"])

    def _send(self, request: dict[str, Any]) -> str:
        name = Path(request["out"]).stem
        request |= {"id": name, "answer": str(self.folder / f"{name}.json")}
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
        except BrokenPipeError:
            raise RenderFailed(f"the rendering process ended: {self._last_words()}") from None
        return name

    def _ended(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = b""
        while not line.endswith(b"\n"):
            ready, _out, _bad = select.select([self.process.stdout], [], [], PATIENCE_SECONDS)
            part = self.process.stdout.read(1) if ready else b""
            if not part:
                why = "ended" if ready else f"gave no sign for {PATIENCE_SECONDS} seconds"
                raise RenderFailed(f"the rendering process {why}: {self._last_words()}")
            line += part
        ended: dict[str, Any] = json.loads(line)
        return ended

    def _answer(self, request: dict[str, Any], status: int) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = json.loads(Path(request["answer"]).read_bytes())
        except FileNotFoundError:
            how = f"signal {-status}" if status < 0 else f"status {status}"
            raise RenderFailed(f"section {request['id']} ended with {how}") from None
        self.peak_kb = max(self.peak_kb, answer["peak_kb"])
        if "error" in answer:
            raise RenderFailed(f"section {request['id']}: {answer['error']}")
        return answer

    def _last_words(self) -> str:
        log = self.folder / "renderer.log"
        return log.read_text(encoding="utf-8", errors="replace")[-500:].strip()


def _bare_environment(folder: Path) -> dict[str, str]:
    kept = {
        name: os.environ[name] for name in ("PATH", "LANG", "FONTCONFIG_FILE") if name in os.environ
    }
    return kept | {
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
    }
