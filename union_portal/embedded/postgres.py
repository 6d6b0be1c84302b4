"""One private PostgreSQL cluster."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg2

from union_portal.embedded import held
from union_portal.embedded.logs import last_lines
from union_portal.embedded.places import LauncherError, Programs, RunAs

ADMIN: Final = "portal_admin"
OWNER: Final = "union"
# Web processes and workers; what they may is told by union_portal/privileges.py.
WEB: Final = "union_web"
WORKER: Final = "union_worker"
DATABASE: Final = "union_portal"
START_SECONDS: Final = 60
STOP_SECONDS: Final = 30
# Statements, their values and the details of rows are people's data: none in the server's log.
# docker-compose.yml asks the same of the server of production.
DISCREET: Final = (
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
    "log_statement=none",
    "log_min_duration_statement=-1",
    "log_parameter_max_length=0",
    "log_parameter_max_length_on_error=0",
)
# Tests may lose everything when the power fails; the demo may lose nothing.
HASTY: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass
class Postgres:
    """One PostgreSQL cluster: made, started, adopted, stopped."""

    home: Path
    programs: Programs
    user: RunAs
    is_durable: bool
    # Where it listens beside 127.0.0.1: nowhere, but in a proof with several hosts.
    further: tuple[str, ...] = ()

    @property
    def claim(self) -> Path:
        return self.home.parent / "postgres.claim"

    @property
    def data(self) -> Path:
        return self.home / f"pgdata-{self.programs.postgres_major}"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"

    def _run(
        self, program: str, *arguments: str, keep: tuple[int, ...] = ()
    ) -> subprocess.CompletedProcess[bytes]:
        command = [str(self.programs.postgres_bin / program), *arguments]
        # The server outlives pg_ctl and would keep a pipe open: let it write to a file.
        with (self.home.parent / "commands.log").open("ab") as output:
            return subprocess.run(
                command,
                check=False,
                stdout=output,
                stderr=output,
                pass_fds=keep,
                env={
                    "PATH": os.environ.get("PATH", ""),
                    "LC_ALL": "C.UTF-8",
                    "TZ": "UTC",
                },
                **self.user.options(),
            )

    def create(self, password: str) -> None:
        """Make the cluster by one rename, so that an interrupted one is never used."""
        if self.data.exists():
            return
        fresh = self.home / ".pgdata-new"
        shutil.rmtree(fresh, ignore_errors=True)
        secret = self.home / ".password"
        held.write_private(secret, password)
        self.user.give(secret)
        # With the plain C locale pg_trgm finds no letters in Chinese text at all.
        options = ["--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"]
        options += [] if self.is_durable else ["--no-sync"]
        options += [f"--username={ADMIN}", "--auth=scram-sha-256", f"--pwfile={secret}"]
        done = self._run("initdb", f"--pgdata={fresh}", *options)
        secret.unlink()
        if done.returncode:
            raise self._failure("PostgreSQL could not prepare its data folder")
        fresh.rename(self.data)

    def start(self, port: int) -> None:
        """Start on `port`, and wait until it answers."""
        self._forget_the_dead()
        settings = [
            f"port={port}",
            f"listen_addresses={','.join(('127.0.0.1', *self.further))}",
            "unix_socket_directories=",
            *DISCREET,
        ]
        settings += () if self.is_durable else HASTY
        options = " ".join(f"-c {setting}" for setting in settings)
        claim = held.try_lock(self.claim)
        if claim is None:
            raise LauncherError(f"Another process holds {self.claim}.")
        try:
            done = self._run(
                *(
                    "pg_ctl",
                    "start",
                    "-w",
                    "-t",
                    str(START_SECONDS),
                    "-D",
                    str(self.data),
                ),
                *("-l", str(self.log), "-o", options),
                keep=(claim,),
            )
        finally:
            os.close(claim)
        if done.returncode:
            raise self._failure("PostgreSQL did not start")

    def _forget_the_dead(self) -> None:
        """Remove the pid file of a dead server whose number now names another process.

        PostgreSQL would take that process for itself and refuse to start. The claim is free
        here, so no process of this cluster lives.
        """
        if not held.is_held(self.claim):
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        if not held.is_held(self.claim):
            return
        for mode in ("fast", "immediate"):
            self._run(
                "pg_ctl",
                "stop",
                "-w",
                "-t",
                str(STOP_SECONDS),
                "-m",
                mode,
                "-D",
                str(self.data),
            )
            if held.wait_until_free(self.claim, seconds=2):
                return
        raise LauncherError(f"The private PostgreSQL does not stop; see {self.log}.")

    def answers(self, port: int, password: str) -> bool:
        try:
            psycopg2.connect(**self._address(port, password)).close()
        except psycopg2.OperationalError:
            return False
        return True

    def ensure_database(self, port: int, password: str) -> None:
        """Make the roles and the database the portal uses; none has special powers.

        In the profile of the tests the owner may put triggers to sleep, and play the other two:
        tests clean up tables that refuse TRUNCATE, and play the superuser who edits history.
        """
        connection = psycopg2.connect(**self._address(port, password))
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                for role, may in ((OWNER, "CREATEDB"), (WEB, ""), (WORKER, "")):
                    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
                    if not cursor.fetchone():
                        cursor.execute(f'CREATE ROLE "{role}" LOGIN {may} PASSWORD %s', [password])
                if not self.is_durable:
                    cursor.execute(f'GRANT SET ON PARAMETER session_replication_role TO "{OWNER}"')
                    cursor.execute(f'GRANT "{WEB}", "{WORKER}" TO "{OWNER}"')
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if not cursor.fetchone():
                    cursor.execute(f'CREATE DATABASE "{DATABASE}" OWNER "{OWNER}"')
        finally:
            connection.close()

    @staticmethod
    def _address(port: int, password: str) -> dict[str, str | int]:
        where: dict[str, str | int] = {
            "host": "127.0.0.1",
            "port": port,
            "dbname": "postgres",
        }
        return where | {"user": ADMIN, "password": password, "connect_timeout": 5}

    def _failure(self, what: str) -> LauncherError:
        logs = (self.log, self.home.parent / "commands.log")
        return LauncherError(f"{what}. The last lines of its log:\n{last_lines(*logs)}")
