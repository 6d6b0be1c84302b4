"""One private Valkey (or Redis) server."""

import os
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from union_portal.embedded import held
from union_portal.embedded.logs import last_lines
from union_portal.embedded.places import LauncherError, Programs, RunAs

START_SECONDS: Final = 60
STOP_SECONDS: Final = 30


@dataclass
class Valkey:
    """One Valkey (or Redis) server: started, adopted, stopped."""

    home: Path
    programs: Programs
    user: RunAs
    is_durable: bool
    # Where it listens beside 127.0.0.1: nowhere, but in a proof with several hosts.
    further: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def claim(self) -> Path:
        return self.home.parent / "valkey.claim"

    @property
    def log(self) -> Path:
        return self.home / "valkey.log"

    def start(self, port: int, password: str) -> None:
        """Start on `port`, and wait until it answers."""
        config = self._write_config(port, password)
        claim = held.try_lock(self.claim)
        if claim is None:
            raise LauncherError(f"Another process holds {self.claim}.")
        try:
            with (self.home.parent / "commands.log").open("ab") as output:
                self.process = subprocess.Popen(
                    [str(self.programs.valkey), str(config)],
                    stdout=output,
                    stderr=output,
                    pass_fds=(claim,),
                    **self.user.options(),
                )
        finally:
            os.close(claim)
        deadline = time.monotonic() + START_SECONDS
        while not self.answers(port, password):
            if self.process.poll() is not None or time.monotonic() > deadline:
                logs = (self.log, self.home.parent / "commands.log")
                raise LauncherError(
                    f"Valkey did not start. The last lines of its log:\n{last_lines(*logs)}"
                )
            time.sleep(0.02)

    def _write_config(self, port: int, password: str) -> Path:
        # A file and not the command line: every user can read command lines.
        config = self.home / "valkey.conf"
        lines = [
            *(
                f"port {port}",
                f"bind {' '.join(('127.0.0.1', *self.further))}",
                "protected-mode yes",
                'save ""',
            ),
            *(f'dir "{self.home}"', f'logfile "{self.log}"', f"requirepass {password}"),
            *("maxmemory-policy noeviction", f'pidfile "{self.home / "valkey.pid"}"'),
            f"appendonly {'yes' if self.is_durable else 'no'}",
        ]
        held.write_private(config, "\n".join(lines) + "\n")
        self.user.give(config)
        return config

    def stop(self, port: int, password: str) -> None:
        if held.is_held(self.claim):
            with (
                suppress(redis.RedisError, OSError),
                self._client(port, password) as client,
            ):
                client.shutdown()
            if not held.wait_until_free(self.claim, seconds=STOP_SECONDS):
                raise LauncherError(f"The private Valkey does not stop; see {self.log}.")
        if self.process is not None:
            self.process.wait()
            self.process = None

    def answers(self, port: int, password: str) -> bool:
        try:
            with self._client(port, password) as client:
                return bool(client.ping())
        except (redis.RedisError, OSError):
            return False

    @staticmethod
    def _client(port: int, password: str) -> redis.Redis:
        # One try: we ask again ourselves, and a server that shuts down gives no answer.
        once = Retry(NoBackoff(), 0)
        return redis.Redis("127.0.0.1", port, password=password, socket_timeout=5, retry=once)
