"""A server that archives its log, is lost, and is put back from its backup and that log."""

import io
import os
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

from django.core.management import call_command
from django.db import connection

from tests.faults.world import World
from tests.processes import until
from union_portal.embedded import held

# What a large database may take to become consistent again, seconds.
PATIENCE_SECONDS = 3600


@dataclass
class Restorable:
    """The server of a world, its archive of the log and its one backup."""

    world: World

    @property
    def archive(self) -> Path:
        return self.world.servers.data / "wal-archive"

    @property
    def backup(self) -> Path:
        return self.world.folder / "backup"

    def archive_the_log(self, *, timeout: int = 0) -> None:
        """Have every finished piece of the log kept outside, and an unfinished one after
        `timeout` seconds (0: never)."""
        server = self.world.servers.postgres
        shutil.rmtree(self.archive, ignore_errors=True)
        self.archive.mkdir(mode=0o700)
        server.user.give(self.archive)
        self.world.ask("ALTER SYSTEM SET archive_mode = on")
        self.world.ask(f"ALTER SYSTEM SET archive_timeout = {timeout}")
        self.world.ask(
            f"ALTER SYSTEM SET archive_command = 'test ! -f {self.archive}/%f"
            f" && cp %p {self.archive}/.%f && mv {self.archive}/.%f {self.archive}/%f'"
        )
        connection.close()
        server.stop()
        self.world.servers.ensure()

    def back_up(self) -> None:
        shutil.rmtree(self.backup, ignore_errors=True)
        call_command("backup", self.backup, stdout=io.StringIO())

    def position(self) -> str:
        """How far the log is written now."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_wal_flush_lsn()::text")
            return str(cursor.fetchone()[0])

    def finish_the_piece(self) -> None:
        """Begin a new piece of the log; everything before it is kept when this returns."""
        ((last,),) = self.world.ask("SELECT pg_walfile_name(pg_switch_wal())")
        self._wait_until_kept(last)

    def keep_no_more(self) -> None:
        """The place where the log is kept is out of reach from now on."""
        self.world.ask("ALTER SYSTEM SET archive_command = 'false'")
        self.world.ask("SELECT pg_reload_conf()")

    def wait_for_the_archive(self) -> None:
        """Until what is written now is kept, whenever the server sees to it by itself."""
        ((last,),) = self.world.ask("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
        self._wait_until_kept(last)

    def _wait_until_kept(self, piece: str) -> None:
        until((self.archive / piece).exists, PATIENCE_SECONDS)

    def lose(self) -> None:
        """The server ends as if its power failed, and its data are gone."""
        connection.close()
        server = self.world.servers.postgres
        os.kill(int((server.data / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
        until(lambda: not held.is_held(server.claim), PATIENCE_SECONDS)
        shutil.rmtree(server.data)

    def copy_back(self) -> None:
        """The base backup lies again where the server's data were."""
        server = self.world.servers.postgres
        shutil.copytree(self.backup / "base", server.data)
        _give(server.data, server.user)

    def recover(self, target: str = "") -> None:
        """Start, replay the kept log up to `target` (its end, if none), and take writes."""
        server = self.world.servers.postgres
        lines = [f"restore_command = 'cp {self.archive}/%f %p'"]
        if target:
            lines.append(f"recovery_target_lsn = '{target}'")
            lines.append("recovery_target_action = 'promote'")
        with (server.data / "postgresql.auto.conf").open("a") as conf:
            conf.write("\n".join(lines) + "\n")
        (server.data / "recovery.signal").touch()
        server.user.give(server.data / "recovery.signal")
        self.world.servers.ensure()
        until(self._is_writable, PATIENCE_SECONDS)

    def _is_writable(self) -> bool:
        return self.world.ask("SELECT pg_is_in_recovery()") == [(False,)]


def _give(folder: Path, user) -> None:
    """The data belongs to the server's user, and nobody else reads it."""
    for place, _folders, files in os.walk(folder):
        os.chmod(place, 0o700)
        user.give(Path(place))
        for name in files:
            user.give(Path(place, name))
