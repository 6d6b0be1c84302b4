"""The files of production agree with the settings, and give no power away."""

import ast
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from awards.forms import MOST_TOGETHER
from tests.architecture.sources import python_files, tree
from union_portal import privileges
from union_portal import settings as defaults
from union_portal.embedded import places, postgres
from union_portal.embedded.postgres import OWNER
from union_portal.kit.crypto import Keyring
from union_portal.kit.uploads import MEBIBYTE
from welfare.disbursement import returns

COMPOSE: dict[str, Any] = yaml.safe_load(
    (places.CHECKOUT / "docker-compose.yml").read_text("utf-8")
)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (places.CHECKOUT / "Dockerfile").read_text("utf-8")
EXAMPLE = (places.CHECKOUT / ".env.example").read_text("utf-8")
SETTINGS = (places.CHECKOUT / "union_portal" / "settings.py").read_text("utf-8")
READ = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', SETTINGS))
OURS = ("migrate", "web", "worker", "beat")
PROXY = (places.CHECKOUT / "deploy" / "proxy.conf").read_text("utf-8")
# Read by libpq, not by the settings.
OF_LIBRARIES = {"PGOPTIONS"}
# Secrets that not every process needs, and which are given them; backups are made elsewhere.
FOR_FEW: dict[str, set[str]] = {
    "PORTAL_PROBE_TOKEN": {"web"},
    "PORTAL_SMS_HTTP_KEY": {"worker"},
    "PORTAL_EMAIL_URL": {"worker"},
    "PORTAL_BACKUP_DATABASE_URL": set(),
}


def given(name: str) -> set[str]:
    """The variables a service is given, as values or as files."""
    return {one.removesuffix("_FILE") for one in SERVICES[name]["environment"]}


def test_the_parts_of_production_are_there() -> None:
    assert {"web", "worker", "beat", "postgres", "redis", "proxy"} <= set(SERVICES)


@pytest.mark.parametrize("name", OURS)
def test_every_variable_the_settings_read_is_given(name: str) -> None:
    assert len(READ) > 10
    apart = {variable for variable, holders in FOR_FEW.items() if name not in holders}
    assert READ - given(name) == apart


@pytest.mark.parametrize("name", OURS)
def test_nothing_is_given_that_the_settings_do_not_read(name: str) -> None:
    assert given(name) - READ - OF_LIBRARIES == set()


def test_the_example_explains_every_variable() -> None:
    explained = set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE))
    assert READ - explained == set()
    asked = set(re.findall(r"\$\{([A-Z_]+)", (places.CHECKOUT / "docker-compose.yml").read_text()))
    assert asked - explained == set()


def test_the_example_carries_no_secret() -> None:
    for name in ("PORTAL_SECRET_KEY", "PORTAL_KEYRING", "PORTAL_INDEX_KEY", "PORTAL_PROBE_TOKEN"):
        assert re.search(rf"^#?{name}=$", EXAMPLE, re.MULTILINE), name


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_secrets_come_from_files_that_the_service_is_given_and_from_nowhere_else(name: str) -> None:
    service = SERVICES[name]
    for variable, value in service.get("environment", {}).items():
        if variable.endswith("_FILE"):
            folder, _slash, secret = str(value).rpartition("/")
            assert folder == "/run/secrets", variable
            assert secret in service["secrets"], variable
            assert COMPOSE["secrets"][secret] == {"file": f"secrets/{secret}"}
        elif re.search(r"PASSWORD$|SECRET|TOKEN|_KEYS?$|KEYRING|AUTH$", variable):
            raise AssertionError(f"{name}: {variable} is a secret in the environment")
        assert not re.search(r"://[^/]*:[^/]*@", str(value)), f"{name}: {variable}"


def test_a_secret_is_given_only_to_those_who_use_it() -> None:
    holders = {
        secret: {name for name, one in SERVICES.items() if secret in one.get("secrets", [])}
        for secret in COMPOSE["secrets"]
    }
    assert holders["superuser_password"] == {"postgres"}
    assert holders["owner_password"] == {"postgres", "migrate"}
    assert holders["web_password"] == {"postgres", "web"}
    assert holders["worker_password"] == {"postgres", "worker", "beat"}
    assert holders["redis_password"] == {"redis", *OURS}
    for variable, few in FOR_FEW.items():
        secret = variable.removeprefix("PORTAL_").lower()
        assert holders.get(secret, set()) == few, secret


def test_what_is_put_into_a_read_only_container_is_a_file() -> None:
    """Compose refuses texts and variables there: it can't copy into a closed container."""
    for kind in ("configs", "secrets"):
        for name, held in COMPOSE[kind].items():
            assert set(held) == {"file"}, name
            if kind == "configs":
                assert (places.CHECKOUT / held["file"]).is_file()


def test_the_secrets_that_are_made_are_those_that_are_named(tmp_path: Path) -> None:
    script = places.CHECKOUT / "deploy" / "make-secrets"
    for _once_and_again in range(2):
        subprocess.run([script, tmp_path / "secrets"], check=True, capture_output=True)
        made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert set(made) == set(COMPOSE["secrets"])
    keys = Keyring.from_config(made["keyring"], index_key=made["index_key"])
    assert keys.current == 1
    assert len(made["secret_key"]) > 50
    assert len(set(made.values()) - {""}) == len([one for one in made.values() if one])
    again = subprocess.run([script, tmp_path / "secrets"], check=True, capture_output=True)
    assert {p.name: p.read_text() for p in (tmp_path / "secrets").iterdir()} == made
    assert not any(one in again.stdout.decode() for one in made.values() if one)


def test_the_servers_log_no_statement_and_the_proxy_no_address() -> None:
    told = {one.removeprefix("-c") for one in SERVICES["postgres"]["command"][1:]}
    assert told == set(postgres.DISCREET)
    assert "access_log off;" in PROXY
    assert "error_log /dev/stderr crit;" in PROXY


def test_no_proxy_refuses_a_form_that_the_portal_takes() -> None:
    largest = max(MOST_TOGETHER, returns.MOST_BYTES, defaults.UPLOAD_MAX_BYTES)
    runbook = (places.CHECKOUT / "docs" / "runbook.md").read_text("utf-8")
    for told in (PROXY, runbook):
        [megabytes] = re.findall(r"client_max_body_size (\d+)m;", told)
        assert int(megabytes) * MEBIBYTE > largest


def test_health_and_figures_are_not_asked_from_outside() -> None:
    """The proxy takes the token away: then there is no such address."""
    assert '~^/(health/|metrics$) "";' in PROXY
    assert "proxy_set_header Authorization $passed_authorization;" in PROXY


def test_a_migration_gives_up_rather_than_stop_everybody() -> None:
    assert "lock_timeout=" in SERVICES["migrate"]["environment"]["PGOPTIONS"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_health_is_checked_or_the_reason_given(name: str) -> None:
    service = SERVICES[name]
    if service.get("healthcheck", {}).get("disable"):
        assert service["x-no-healthcheck"]
    elif "healthcheck" not in service:
        assert service["x-healthcheck-in-image"]
        assert "HEALTHCHECK" in DOCKERFILE
    else:
        assert service["healthcheck"]["test"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_nothing_runs_as_root_or_may_become_it(name: str) -> None:
    service = SERVICES[name]
    assert int(str(service["user"]).split(":")[0]) > 0
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["read_only"] is True


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_the_servers_of_data_are_reached_from_inside_alone(name: str) -> None:
    if name in ("postgres", "redis"):
        assert SERVICES[name]["networks"] == ["data"]
    if name != "proxy":
        assert "ports" not in SERVICES[name]
    assert COMPOSE["networks"]["data"]["internal"] is True


def test_waiting_is_for_services_that_exist_and_for_health_that_is_checked() -> None:
    for name, service in SERVICES.items():
        for other, wait in service.get("depends_on", {}).items():
            assert other in SERVICES, name
            if wait["condition"] == "service_healthy":
                assert not SERVICES[other].get("healthcheck", {}).get("disable"), (name, other)


def test_every_volume_network_and_config_is_declared() -> None:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in COMPOSE["volumes"], name
        for network in service["networks"]:
            assert network in COMPOSE["networks"], name
        for config in service.get("configs", []):
            assert config["source"] in COMPOSE["configs"], name


def test_the_database_is_made_as_the_private_one_is() -> None:
    arguments = SERVICES["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]
    assert "--locale=C.UTF-8" in arguments
    assert "--data-checksums" in arguments


def test_only_the_migration_connects_as_the_owner_of_the_tables() -> None:
    roles = {
        name: SERVICES[name]["environment"]["DATABASE_URL"].split("/")[2].split("@")[0]
        for name in OURS
    }
    assert roles == {
        "migrate": OWNER, "web": privileges.WEB, "worker": privileges.WORKER,
        "beat": privileges.WORKER,
    }  # fmt: skip


def test_nothing_of_the_portal_is_the_superuser_of_the_server() -> None:
    superuser = SERVICES["postgres"]["environment"]["POSTGRES_USER"]
    script = (places.CHECKOUT / COMPOSE["configs"]["roles"]["file"]).read_text("utf-8")
    made = re.findall(r'CREATE ROLE "?(\w+)"? LOGIN PASSWORD', script)
    assert set(made) == {OWNER, *privileges.APPLICATION}
    assert superuser not in made


def test_the_private_servers_have_the_same_roles() -> None:
    assert (postgres.WEB, postgres.WORKER) == privileges.APPLICATION


def test_the_image_installs_the_production_lock_by_hash_and_drops_root() -> None:
    assert "--require-hashes -r /requirements.lock" in DOCKERFILE
    assert "requirements-dev" not in DOCKERFILE
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]


def test_nothing_in_the_image_needs_what_the_image_leaves_out() -> None:
    """An import inside a function may first ask whether it is there."""
    left_out = re.findall(r"rm -r (\S+)", DOCKERFILE)
    assert left_out == ["union_portal/embedded"]
    offenders = [
        str(path.relative_to(places.CHECKOUT))
        for path in python_files()
        if left_out[0] not in str(path)
        for node in tree(path).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        and "union_portal.embedded" in ast.unparse(node).replace(" import ", ".")
    ]
    assert offenders == []


def test_the_image_holds_every_app() -> None:
    from django.conf import settings

    apps = {name.split(".")[0] for name in settings.INSTALLED_APPS}
    ours = {name for name in apps if (places.CHECKOUT / name).is_dir()}
    copied = set(re.findall(r"^COPY (\w+) ", DOCKERFILE, re.MULTILINE))
    assert ours <= copied
    for path in re.findall(r"^COPY (?!--)(\S+) ", DOCKERFILE, re.MULTILINE):
        assert (places.CHECKOUT / path).exists(), path
        assert f"!{path}\n" in (places.CHECKOUT / ".dockerignore").read_text()
