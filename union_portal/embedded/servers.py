"""A private PostgreSQL and a private Valkey below `var/`, for the demo and the tests.

They listen on 127.0.0.1 at ports of their own and ask for a random password, so they never
meet servers the user already has. Runs share them: the first run starts them, later runs
adopt them, and the last run to leave stops them. After a `kill -9` of anything the next run
recovers. Nothing here is used when DATABASE_URL is set.
"""

import json
import os
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from union_portal.embedded import held, places
from union_portal.embedded.places import LauncherError
from union_portal.embedded.ports import choose_port, is_free
from union_portal.embedded.postgres import DATABASE, OWNER, WEB, WORKER, Postgres
from union_portal.embedded.signals import undisturbed
from union_portal.embedded.valkey import Valkey

ANSWER_SECONDS: Final = 60
PROFILES: Final = ("demo", "test")


@dataclass
class Settled:
    """What was chosen once and is kept in `servers.json`."""

    data: str
    postgres_port: int
    valkey_port: int
    password: str

    @classmethod
    def choose(cls, data: Path) -> Self:
        first = choose_port()
        return cls(str(data), first, choose_port(first), secrets.token_hex(24))

    @classmethod
    def read(cls, file: Path) -> Self | None:
        try:
            return cls(**json.loads(file.read_text("utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write(self, file: Path) -> None:
        held.write_private(file, json.dumps(asdict(self), indent=1) + "\n")


class PrivateServers:
    """The two servers of one profile, held open while the `with` block runs.

    `demo` keeps every committed row through a crash; `test` trades that for speed.
    """

    def __init__(
        self,
        profile: str,
        *,
        checkout: Path = places.CHECKOUT,
        var: Path | None = None,
        further: tuple[str, ...] = (),
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.profile = profile
        self.checkout = checkout
        self.var = var or checkout / "var" / profile
        self._further = further
        self._say = say
        self._use: int | None = None
        self._is_found = False

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- one run's view -------------------------------------------------------------

    def open(self) -> None:
        """Start or adopt both servers, and keep them while this run lives."""
        self._find()
        try:
            with held.locked(self.var / "servers.lock"):
                self._use = held.try_lock(self.var / "servers.use", shared=True)
                self._ensure()
        except BaseException:
            self.close()
            raise

    def ensure(self) -> None:
        """Start again what died meanwhile; the addresses stay."""
        with held.locked(self.var / "servers.lock"):
            self._ensure()

    def close(self) -> None:
        """Leave; the last run to leave stops the servers."""
        if self._use is None:
            return
        with undisturbed(), held.locked(self.var / "servers.lock"):
            os.close(self._use)
            self._use = None
            if not held.is_held(self.var / "servers.use"):
                self._stop()

    def stop(self) -> bool:
        """Stop the servers unless a run uses them; whether they are stopped now."""
        if not (self.var / "servers.json").exists():
            return True
        self._find()
        with held.locked(self.var / "servers.lock"):
            if held.is_held(self.var / "servers.use"):
                return False
            self._stop()
        return True

    def status(self) -> dict[str, bool]:
        """Which server of this profile runs."""
        if not (self.var / "servers.json").exists():
            return {"PostgreSQL": False, "Valkey": False}
        self._find()
        with held.locked(self.var / "servers.lock"):
            return {
                "PostgreSQL": held.is_held(self.postgres.claim),
                "Valkey": held.is_held(self.valkey.claim),
            }

    def environment(self) -> dict[str, str]:
        """REDIS_URL of these servers, and DATABASE_URL as each role of the database."""
        now = self.settled
        place = f"{now.password}@127.0.0.1:{now.postgres_port}/{DATABASE}"
        return {
            "DATABASE_URL": f"postgres://{OWNER}:{place}",
            "PORTAL_WEB_DATABASE_URL": f"postgres://{WEB}:{place}",
            "PORTAL_WORKER_DATABASE_URL": f"postgres://{WORKER}:{place}",
            "REDIS_URL": f"redis://:{now.password}@127.0.0.1:{now.valkey_port}/0",
        }

    # -- how ------------------------------------------------------------------------

    def _find(self) -> None:
        if self._is_found:
            return
        places.var_folder(self.var)
        user = places.server_user()
        self.data = places.data_folder(self.var, user, self.checkout)
        programs = places.find_programs(user, self.checkout)
        is_durable = self.profile != "test"
        self.postgres = Postgres(
            self._home("postgres", user), programs, user, is_durable, self._further
        )
        self.valkey = Valkey(self._home("valkey", user), programs, user, is_durable, self._further)
        self._is_found = True

    def _home(self, name: str, user: places.RunAs) -> Path:
        home = self.data / name
        home.mkdir(mode=0o700, exist_ok=True)
        user.give(home)
        return home

    def _ensure(self) -> None:
        self.settled = self._settle()
        self._ensure_postgres()
        self._ensure_valkey()

    def _settle(self) -> Settled:
        file = self.var / "servers.json"
        settled = Settled.read(file)
        if settled is not None and _moved_along(Path(settled.data), self.data):
            settled.data = str(self.data)
            settled.write(file)
        if settled is None or settled.data != str(self.data):
            self._begin_anew()
            settled = Settled.choose(self.data)
            settled.write(file)
        return settled

    def _begin_anew(self) -> None:
        """Data whose password is gone serves nobody: removing `var/` means beginning anew."""
        for server in (self.postgres, self.valkey):
            if held.is_held(server.claim):
                raise LauncherError(
                    f"Servers still run on {self.data}, but {self.var}/servers.json with their "
                    f"password is gone. End those processes, then try again."
                )
            for path in server.home.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _ensure_postgres(self) -> None:
        server, now = self.postgres, self.settled
        if _adopted(server.claim, lambda: server.answers(now.postgres_port, now.password)):
            return
        server.create(now.password)
        self._say("starting the private PostgreSQL")
        now.postgres_port = self._start(server.start, now.postgres_port, "postgres_port")
        server.ensure_database(now.postgres_port, now.password)

    def _ensure_valkey(self) -> None:
        server, now = self.valkey, self.settled
        if _adopted(server.claim, lambda: server.answers(now.valkey_port, now.password)):
            return
        self._say("starting the private Valkey")
        self._start(
            lambda port: server.start(port, now.password),
            now.valkey_port,
            "valkey_port",
        )

    def _start(self, start: Callable[[int], None], port: int, name: str) -> int:
        """Start on the settled port, or on another one if somebody took it meanwhile."""
        for attempt in range(3):
            if not is_free(port):
                port = choose_port(self.settled.postgres_port, self.settled.valkey_port)
                setattr(self.settled, name, port)
                self.settled.write(self.var / "servers.json")
            try:
                start(port)
            except LauncherError:
                if attempt == 2 or is_free(port):
                    raise
            else:
                break
        return port

    def _stop(self) -> None:
        settled = Settled.read(self.var / "servers.json")
        if settled is None:
            return
        self.valkey.stop(settled.valkey_port, settled.password)
        self.postgres.stop()


def _moved_along(before: Path, now: Path) -> bool:
    """Whether data kept below `var` still lies there, and the folder of all is elsewhere now.

    Data outside has a name of its own: what lies at another place was of another password.
    """
    return before != now and before.name == now.name == places.DATA


def _adopted(claim: Path, answers: Callable[[], bool]) -> bool:
    """Whether our own server runs and answers; waits for one that is starting or dying."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while held.is_held(claim):
        if answers():
            return True
        if time.monotonic() > deadline:
            raise LauncherError(
                f"A private server holds {claim} but does not answer. "
                f"End that process, then try again."
            )
        time.sleep(0.05)
    return False
