"""Before a run: servers, a migrated database, people with accounts, folders."""

import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from psycopg2 import sql

from tests import migrated
from tests.faults.hosts import Host
from tests.faults.world import ROOT, Pace, World
from union_portal.embedded import held
from union_portal.embedded.postgres import OWNER, WEB, WORKER
from union_portal.embedded.servers import PrivateServers
from union_portal.embedded.surroundings import read_or_make_keys

VAR = ROOT / "var" / "faults"
# The switch-board has servers of its own, so that both proofs may run at once.
VAR_DEFECTS = ROOT / "var" / "faults-defects"
VAR_RESTORE = ROOT / "var" / "restore"
VAR_RESTORE_SIZED = ROOT / "var" / "restore-sized"
VAR_AUDIT = ROOT / "var" / "audit"
# Servers that listen on the cables of hosts, too, while such a run lasts.
VAR_HOSTS = ROOT / "var" / "faults-hosts"
TEMPLATE = "faults_template"
# Of each concurrency 2; the clocks of two are ten minutes wrong.
CLOCKS = {"worker1": 0, "worker2": 600, "worker3": -600}


class Busy(Exception):
    """Another run uses the servers of the faults: it would suffer ours."""


@contextmanager
def world(pace: Pace, *, say=print, var: Path = VAR, hosts: Sequence[Host] = ()) -> Iterator[World]:
    """A world with an empty, migrated database and no process yet; all gone at the end."""
    var.mkdir(parents=True, exist_ok=True)
    lock = held.try_lock(var / "run.lock")
    if lock is None:
        raise Busy("Another run of the faults is under way in this checkout; wait for its end.")
    made = None
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        _unmount_leftovers(var)
        for old in var.glob("run-*"):
            shutil.rmtree(old, ignore_errors=True)
        folder = var / f"run-{uuid.uuid4().hex[:8]}"
        folder.mkdir()
        read_or_make_keys(var)
        addresses = tuple(host.ours for host in hosts)
        with (
            PrivateServers(var.name, further=addresses, say=say) as servers,
            ExitStack() as cleaning,
        ):
            made = World(folder, pace, servers, "faults_run", list(hosts))
            if hosts:
                cleaning.callback(made.shut_hosts_out)
                made.let_hosts_in()
            _ensure_template(made, say)
            made.mount_disk()
            renew_database(made, TEMPLATE)
            os.environ.update(made.for_us)
            yield made
    finally:
        if made is not None:
            made.stop()
            made.unmount_disk()
        os.close(lock)


def renew_database(world: World, template: str) -> None:
    """Throw the run's database away and copy it from a template."""
    copy_database(world, template, world.database)


def copy_database(world: World, template: str, name: str) -> None:
    world.ask(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    world.ask(
        sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY file_copy").format(
            sql.Identifier(name), sql.Identifier(OWNER), sql.Identifier(template)
        )
    )
    # Who may connect is no part of what is copied.
    for right in (
        "REVOKE ALL ON DATABASE {} FROM PUBLIC",
        "GRANT CONNECT ON DATABASE {} TO {}",
    ):
        roles = sql.SQL(", ").join(map(sql.Identifier, (WEB, WORKER)))
        world.ask(sql.SQL(right).format(sql.Identifier(name), roles))


def start_programs(world: World, *, desks: int = 2) -> None:
    """Workers, beat and desks, as in production but for their number."""
    common = ["--loglevel", "WARNING"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--concurrency", "2"]
    workers = list(CLOCKS.items())[: len(world.hosts) or None]
    for (name, skew), host in zip(workers, world.hosts or [None] * len(workers), strict=True):
        argv = ["worker", *common, *quiet, "--hostname", f"{name}@faults"]
        world.add(name, *argv, host=host, FAULTS_CLOCK=str(skew))
    world.add("beat", "beat", *common, "--max-interval", "1", "--pidfile", "")
    for number in range(1, desks + 1):
        world.add(f"desk{number}", "desk")


def populate(count: int) -> list[int]:
    """The cast, a fund with enough money, people with confirmed accounts; their numbers."""
    from django_celery_beat.schedulers import DatabaseScheduler

    from tests.cast import make_cast, make_payee, make_tree
    from tests.disbursement.conftest import make_office
    from union_portal.celery import app
    from welfare.disbursement import gate

    # What beat writes when it starts: a copy of this database must not leave it without.
    DatabaseScheduler(app=app, lazy=True).update_from_dict(app.conf.beat_schedule)
    office = make_office(make_cast(make_tree()), yuan=10**8)
    gate.look()
    return [make_payee(office.cast).pk for _ in range(count)]


def _ensure_template(world: World, say) -> None:
    digest = migrated.digest()
    known = world.ask(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", TEMPLATE
    )
    if known == [(digest,)]:
        return
    say("faults: preparing the database")
    world.ask(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(TEMPLATE)))
    world.ask(
        sql.SQL("CREATE DATABASE {} OWNER {}").format(
            sql.Identifier(TEMPLATE), sql.Identifier(OWNER)
        )
    )
    migrated.migrate(world.direct.replace(world.database, TEMPLATE), **world.for_us)
    world.ask(
        sql.SQL("COMMENT ON DATABASE {} IS {}").format(
            sql.Identifier(TEMPLATE), sql.Literal(digest)
        )
    )


def _unmount_leftovers(var: Path) -> None:
    for disk in var.glob("run-*/bank"):
        if disk.is_mount():
            subprocess.run(["umount", "-l", str(disk)], check=False)
