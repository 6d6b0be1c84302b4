"""The real parts: servers of our own, workers, beat, desk, two proxies, folders, one bank disk."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import redis

from tests.faults.hosts import NETWORK, Host, NotAllowed
from tests.faults.points import Plan
from tests.faults.proxy import Proxy
from tests.processes import family, until
from union_portal.embedded import held, places
from union_portal.embedded.postgres import WORKER
from union_portal.embedded.processes import end_with_parent
from union_portal.embedded.servers import PrivateServers
from union_portal.embedded.surroundings import read_or_make_keys

ROOT = places.CHECKOUT
DISK_BYTES = 64 * 1024 * 1024
HOSTS_RULE = f"host all all {NETWORK}.0.0/16 scram-sha-256\n"
ANSWER_SECONDS = 30
# A server that has not noticed the end of a process by then was not hit by it.
NOTICED_SECONDS = 3.0
LOG_FORM = "plain"


@dataclass(frozen=True)
class Pace:
    """How long leases last and how often beat rings, seconds."""

    lease: int = 2
    beat: float = 1.0
    # Between two faults that are not at a place.
    breath: float = 0.15
    # After which silence a database connection is given up, seconds.
    silence: int = 6
    # Whether each fault waits until the workers went on after the one before.
    is_one_by_one: bool = False

    @property
    def patience(self) -> float:
        """How long nothing may move before a run counts as stuck."""
        return 120 + 5 * self.lease


QUICK = Pace()
PRODUCTION = Pace(lease=30, beat=20.0, breath=3.0, silence=60, is_one_by_one=True)


@dataclass
class Program:
    """One long-lived process of the world and how it is started again."""

    name: str
    argv: list[str]
    environment: Mapping[str, str]
    log: Path
    host: Host | None = None
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0

    def start(self) -> None:
        self.starts += 1
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.argv,
                cwd=ROOT,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=end_with_parent(signal.SIGKILL),  # noqa: PLW1509 (it calls the system alone)
            )

    def signal(self, number: signal.Signals) -> None:
        """Send to the whole group."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def forget_children(self) -> None:
        """Kill what it forked; it forks anew."""
        for child in family(self.process.pid) if self.process else []:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGCONT)
                os.kill(child, signal.SIGKILL)

    def tend(self) -> None:
        if self.process is not None and self.process.poll() is not None:
            self.signal(signal.SIGKILL)
            self.start()


@dataclass
class World:
    """Everything that runs while faults are injected."""

    folder: Path
    pace: Pace
    servers: PrivateServers
    database: str
    plan: Plan = field(init=False)
    hosts: list[Host] = field(default_factory=list)
    programs: dict[str, Program] = field(default_factory=dict)
    has_disk: bool = False

    def __post_init__(self) -> None:
        self.plan = Plan(self.folder / "plan")
        addresses = self.servers.environment()
        self.to_postgres = Proxy(self.servers.settled.postgres_port)
        self.to_redis = Proxy(self.servers.settled.valkey_port)
        self.direct = _at(addresses["DATABASE_URL"], database=self.database)
        self.as_worker = _at(addresses["PORTAL_WORKER_DATABASE_URL"], database=self.database)
        self.redis_url = addresses["REDIS_URL"]
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("PORTAL_", "DATABASE_"))},
            **read_or_make_keys(self.servers.var),
            "DJANGO_SETTINGS_MODULE": "union_portal.settings",
            "PORTAL_VAR": str(self.folder),
            "PORTAL_REGISTER_DIR": str(self.folder / "register"),
            "PORTAL_BANK_DIR": str(self.folder / "bank"),
            "PORTAL_MEDIA_DIR": str(self.folder / "media"),
            "PORTAL_LEASE_SECONDS": str(self.pace.lease),
            "PORTAL_BEAT_SECONDS": str(self.pace.beat),
            "PORTAL_SILENCE_SECONDS": str(self.pace.silence),
            # The judge of logs reads the form that is for eyes.
            "PORTAL_LOG_FORM": LOG_FORM,
            "PYTHONUNBUFFERED": "1",
            "FAULTS_PLAN": str(self.folder / "plan"),
        }

    @property
    def administrator(self) -> str:
        """The address of the server's own administrator."""
        now = self.servers.settled
        return f"postgres://portal_admin:{now.password}@127.0.0.1:{now.postgres_port}/postgres"

    @property
    def for_us(self) -> dict[str, str]:
        """The environment of a process that no fault reaches."""
        return {**self.environment, "DATABASE_URL": self.direct, "REDIS_URL": self.redis_url}

    @property
    def for_them(self) -> dict[str, str]:
        """The environment of a process behind the proxies."""
        return {
            **self.environment,
            "DATABASE_URL": _at(self.as_worker, port=self.to_postgres.port),
            "REDIS_URL": _at(self.redis_url, port=self.to_redis.port),
        }

    def on(self, host: Host) -> dict[str, str]:
        """The environment of a process on a host, where its cable is the only way to us."""
        return {
            **self.environment,
            "DATABASE_URL": _at(self.as_worker, address=host.ours),
            "REDIS_URL": _at(self.redis_url, address=host.ours),
        }

    # -- processes ------------------------------------------------------------------------

    def add(self, name: str, *argv: str, host: Host | None = None, **more: str) -> Program:
        """Start a program of tests.faults.worker behind the proxies, or on a host of its own."""
        program = Program(
            name,
            [*(host.inside if host else ()), sys.executable, "-m", "tests.faults.worker", *argv],
            {**(self.on(host) if host else self.for_them), **more},
            self.folder / f"{name}.log",
            host,
        )
        self.programs[name] = program
        program.start()
        return program

    def tend(self) -> None:
        """Start again what died, as an operator's supervisor does."""
        for program in self.programs.values():
            program.tend()

    def host_of(self, pid: int) -> Host | None:
        """On which host a process runs, if on any."""
        for program in self.programs.values():
            if program.host and program.process and pid in family(program.process.pid):
                return program.host
        return None

    @property
    def sweep_log(self) -> Path:
        return self.folder / "sweep.log"

    def sweep(self) -> subprocess.Popen[bytes]:
        """Start what an operator's timer runs when beat is away."""
        with self.sweep_log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "manage.py", "sweep"],
                cwd=ROOT,
                env=self.for_us,
                stdout=output,
                stderr=output,
            )

    def stop(self) -> None:
        for program in self.programs.values():
            program.signal(signal.SIGCONT)
            program.signal(signal.SIGKILL)
        for host in self.hosts:
            with suppress(NotAllowed):
                host.plug()
        for program in self.programs.values():
            if program.process is not None:
                program.process.wait()
        for proxy in (self.to_postgres, self.to_redis):
            proxy.close()

    # -- servers --------------------------------------------------------------------------

    def postgres(self) -> psycopg2.extensions.connection:
        """A connection of the server's administrator that no proxy cuts."""
        now = self.servers.settled
        made = psycopg2.connect(
            host="127.0.0.1", port=now.postgres_port, dbname="postgres",
            user="portal_admin", password=now.password, connect_timeout=ANSWER_SECONDS,
        )  # fmt: skip
        made.autocommit = True
        return made

    def let_hosts_in(self) -> None:
        """PostgreSQL takes connections from the hosts' addresses, until `shut_hosts_out`."""
        rules = self.servers.postgres.data / "pg_hba.conf"
        rules.write_text(f"{rules.read_text()}{HOSTS_RULE}")
        self.ask("SELECT pg_reload_conf()")

    def shut_hosts_out(self) -> None:
        rules = self.servers.postgres.data / "pg_hba.conf"
        rules.write_text(rules.read_text().replace(HOSTS_RULE, ""))
        self.ask("SELECT pg_reload_conf()")

    def ask(self, statement: str, *values: object) -> list[tuple]:
        with closing(self.postgres()) as connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def ask_run(self, statement, *values: object) -> list[tuple]:
        """As the administrator in the run's own database."""
        now = self.servers.settled
        with closing(psycopg2.connect(
            host="127.0.0.1", port=now.postgres_port, dbname=self.database,
            user="portal_admin", password=now.password, connect_timeout=ANSWER_SECONDS,
        )) as connection, connection.cursor() as cursor:  # fmt: skip
            cursor.execute(statement, values or None)
            rows = cursor.fetchall() if cursor.description else []
            connection.commit()
            return rows

    def backends(self) -> list[int]:
        """The server processes that serve workers and desks: a fault aims at nobody else."""
        found = self.ask(
            "SELECT pid FROM pg_stat_activity WHERE datname = %s AND usename = %s"
            " ORDER BY backend_start", self.database, WORKER,
        )  # fmt: skip
        return [pid for (pid,) in found]

    def stop_postgres_at_once(self) -> None:
        """`pg_ctl stop -m immediate`, and start it again: recovery from its log."""
        pid_file = self.servers.postgres.data / "postmaster.pid"
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGQUIT)
        until(lambda: not held.is_held(self.servers.postgres.claim))
        self.servers.ensure()

    def crash_postgres(self, index: int) -> None:
        """SIGKILL one server process: PostgreSQL throws all out and recovers.

        One that was ending anyway takes nobody with it: then another one is killed.
        """
        with closing(self.postgres()) as witness:
            until(lambda: self._has_crashed(witness, index))
        until(self._postgres_answers)

    def _has_crashed(self, witness: psycopg2.extensions.connection, index: int) -> bool:
        """Kill one; whether the witness is thrown out. It is answered until that is noticed."""
        with suppress(psycopg2.Error, ProcessLookupError, TimeoutError):
            pids = self.backends()
            if pids:
                os.kill(pids[index % len(pids)], signal.SIGKILL)
                until(lambda: _is_cut(witness), NOTICED_SECONDS)
        return _is_cut(witness)

    def kill_redis(self) -> None:
        """SIGKILL the broker and start it again."""
        os.kill(int(self.broker().info("server")["process_id"]), signal.SIGKILL)
        until(lambda: not held.is_held(self.servers.valkey.claim))
        self.servers.ensure()

    def broker(self) -> redis.Redis:
        return redis.Redis.from_url(self.redis_url, socket_timeout=ANSWER_SECONDS)

    def _postgres_answers(self) -> bool:
        with suppress(psycopg2.Error):
            return self.ask("SELECT 1") == [(1,)]
        return False

    # -- the bank's disk ------------------------------------------------------------------

    def mount_disk(self) -> None:
        """A small disk of its own for the bank's folder, where the system lets us."""
        bank = self.folder / "bank"
        bank.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(bank)]
        with suppress(FileNotFoundError):
            self.has_disk = (
                subprocess.run(command, check=False, capture_output=True).returncode == 0
            )

    def unmount_disk(self) -> None:
        if self.has_disk:
            subprocess.run(["umount", "-l", str(self.folder / "bank")], check=False)
            self.has_disk = False

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Not one byte is left in the bank's folder."""
        ballast = self.folder / "bank" / "ballast"
        try:
            with suppress(OSError), ballast.open("wb", buffering=0) as stream:
                while stream.write(bytes(65536)):
                    pass
            with suppress(OSError), ballast.open("ab", buffering=0) as stream:
                while stream.write(b"\0"):
                    pass
            yield
        finally:
            ballast.unlink(missing_ok=True)


def _at(
    url: str, *, address: str = "127.0.0.1", port: int | None = None, database: str | None = None
) -> str:
    parts = urlsplit(url)
    who = parts.netloc.rpartition("@")[0]
    parts = parts._replace(netloc=f"{who}@{address}:{port or parts.port}")
    if database is not None:
        parts = parts._replace(path=f"/{database}")
    return urlunsplit(parts)


def _is_cut(connection: psycopg2.extensions.connection) -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except psycopg2.Error:
        return True
    return False
