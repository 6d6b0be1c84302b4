"""`./portal demo`: from nothing to a running portal that has just paid its model workers.

This is the order of things only; what the demo does is `manage.py demo`.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from union_portal.embedded import libraries, places, running
from union_portal.embedded.logs import last_lines
from union_portal.embedded.places import LauncherError
from union_portal.embedded.ports import address, is_free
from union_portal.embedded.processes import Processes
from union_portal.embedded.surroundings import Surroundings, surroundings

FIRST_PORT: Final = 8000
PORTS_TRIED: Final = 100
WEB_SECONDS: Final = 60
PYTHON: Final = sys.executable
MANAGE: Final = (PYTHON, "manage.py")
# What libraries say when they are loaded is for logs, not for a terminal.
QUIET: Final = {"PORTAL_LOG_LEVEL": "WARNING"}
WORKER: Final = (
    *(PYTHON, "-m", "celery", "-A", "union_portal", "worker", "--concurrency", "2"),
    *("--loglevel", "INFO", "--without-gossip", "--without-mingle"),
)
BEAT: Final = (
    *(
        PYTHON,
        "-m",
        "celery",
        "-A",
        "union_portal",
        "beat",
        "--loglevel",
        "INFO",
        "--pidfile=",
    ),
    *("--scheduler", "django_celery_beat.schedulers:DatabaseScheduler"),
)


@dataclass(frozen=True)
class Wish:
    """What the command line asks of the demo."""

    serve: bool = True
    out: Path | None = None
    people: int | None = None
    port: int | None = None

    def demo_arguments(self) -> list[str]:
        people = [] if self.people is None else ["--people", str(self.people)]
        return people + ([] if self.out is None else ["--out", str(self.out)])


class Progress:
    """Lines that say what happens, and how long each stage took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def say(self, line: str) -> None:
        print(f"portal: {line}", flush=True)

    @contextmanager
    def stage(self, name: str, label: str) -> Iterator[None]:
        self.say(f"{label} …")
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 2)
        self.say(f"{label}: done in {self.seconds[name]:.1f} s")


def demo(wish: Wish) -> int:
    """Run the demo, serve the site if wished; the exit status."""
    progress = Progress()
    if wish.out:
        make_out(wish.out)
    var = places.var_folder(places.CHECKOUT / "var" / "demo")
    port = choose_web_port(wish.port) if wish.serve else None
    with running.only_run(var, port=port):
        with progress.stage("libraries", "system libraries"):
            libraries.ensure_pango(progress.say)
        began = time.monotonic()
        with surroundings("demo", say=progress.say) as around:
            progress.seconds["servers"] = round(time.monotonic() - began, 2)
            with Processes(
                var / "run",
                environment=around.environment,
                cwd=places.CHECKOUT,
                tend=around.tend,
                say=progress.say,
            ) as processes:
                try:
                    status = load(wish, port, processes, progress, around)
                    if status == 0 and port is not None:
                        await_site(port, processes, progress)
                        serve(port, processes, progress)
                finally:
                    progress.say("stopping what this run started")
    return status


def load(
    wish: Wish,
    port: int | None,
    processes: Processes,
    progress: Progress,
    around: Surroundings,
) -> int:
    """Migrate as the owner, start the workers, run the main job as they; the exit status."""
    with progress.stage("migrate", "database tables"):
        command = [*MANAGE, "migrate", "--no-input", "--verbosity", "0"]
        status = processes.run(command, **QUIET)
    if status:
        raise LauncherError("The database tables could not be made; the reason stands above.")
    processes.start("worker", WORKER, **around.as_worker)
    processes.start("beat", BEAT, **around.as_worker)
    progress.say(f"Celery worker and beat started; their logs: {processes.logs}")
    more = {"PORTAL_DEMO_SECONDS": json.dumps(progress.seconds)}
    if port is not None:
        more["PORTAL_DEMO_SITE"] = address(port).rstrip("/")
        # It gets up while the demo is played.
        processes.start("web", web(port), **around.as_web)
    more |= around.as_worker
    return processes.run([*MANAGE, "demo", *wish.demo_arguments()], **QUIET, **more)


def web(port: int) -> list[str]:
    bind = ["--bind", f"127.0.0.1:{port}", "--preload", "--workers", "2", "--threads", "4"]
    return [
        *(PYTHON, "-m", "gunicorn", "--config", "python:union_portal.webserver"),
        *("union_portal.wsgi:application", *bind, "--no-control-socket"),
    ]


def await_site(port: int, processes: Processes, progress: Progress) -> None:
    """Wait until the site answers. Raises LauncherError with the end of its log."""
    with progress.stage("web", "web server"):
        deadline = time.monotonic() + WEB_SECONDS
        while not answers(port):
            processes.tend()
            if time.monotonic() > deadline:
                raise LauncherError(
                    f"The site does not answer after {WEB_SECONDS} s. The last lines of "
                    f"{processes.log('web')}:\n{last_lines(processes.log('web'))}"
                )
            time.sleep(0.1)


def serve(port: int, processes: Processes, progress: Progress) -> None:
    """Serve the site until somebody ends the run."""
    progress.say(f"the portal answers at {address(port)}, for staff at /admin/")
    progress.say("Ctrl-C stops everything this run started.")
    while True:
        processes.tend()
        time.sleep(1)


def answers(port: int) -> bool:
    """Whether something speaks HTTP on `port`."""
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            f"http://127.0.0.1:{port}/", timeout=5
        )
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def choose_web_port(wished: int | None) -> int:
    """The wished port, else the first free one from 8000. Raises LauncherError: taken."""
    if wished is not None:
        if not is_free(wished):
            raise LauncherError(
                f"Port {wished} is in use on this machine (or needs root).\n"
                f"Choose another: ./portal demo --port {_first_free()}, or leave --port out."
            )
        return wished
    return _first_free()


def _first_free() -> int:
    for port in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        if is_free(port):
            return port
    raise LauncherError("No port from 8000 to 8099 is free; name one with --port.")


def make_out(out: Path) -> None:
    """Make the folder for the results before the long work. Raises LauncherError."""
    if out.exists() and not out.is_dir():
        raise LauncherError(f"--out {out}: this is a file. Name a folder; it is made if need be.")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LauncherError(
            f"--out {out}: this folder cannot be made ({error.strerror}). Name another one."
        ) from None
    if not os.access(out, os.W_OK | os.X_OK):
        raise LauncherError(f"--out {out}: you may not write to this folder. Name one of yours.")
