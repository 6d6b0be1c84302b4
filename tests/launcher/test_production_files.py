"""The files of production agree with the settings, and give no power away."""

import re
from typing import Any

import pytest
import yaml

from union_portal import privileges
from union_portal.embedded import places, postgres
from union_portal.embedded.postgres import OWNER

COMPOSE: dict[str, Any] = yaml.safe_load(
    (places.CHECKOUT / "docker-compose.yml").read_text("utf-8")
)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (places.CHECKOUT / "Dockerfile").read_text("utf-8")
EXAMPLE = (places.CHECKOUT / ".env.example").read_text("utf-8")
SETTINGS = (places.CHECKOUT / "union_portal" / "settings.py").read_text("utf-8")
READ = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', SETTINGS))
OURS = ("migrate", "web", "worker", "beat")
ADDRESSES = ("DATABASE_URL", "REDIS_URL")


def test_the_parts_of_production_are_there() -> None:
    assert {"web", "worker", "beat", "postgres", "redis", "proxy"} <= set(SERVICES)


@pytest.mark.parametrize("name", OURS)
def test_every_variable_the_settings_read_is_given(name: str) -> None:
    assert len(READ) > 10
    assert READ - set(SERVICES[name]["environment"]) == set()


def test_nothing_is_given_that_the_settings_do_not_read() -> None:
    assert set(SERVICES["web"]["environment"]) - READ == set()


def test_the_example_explains_every_variable() -> None:
    explained = set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE))
    assert READ - explained == set()
    asked = set(re.findall(r"\$\{([A-Z_]+)", (places.CHECKOUT / "docker-compose.yml").read_text()))
    assert asked - explained == set()


def test_the_example_carries_no_secret() -> None:
    for name in ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "PORTAL_SECRET_KEY", "PORTAL_KEYRING"):
        assert re.search(rf"^{name}=$", EXAMPLE, re.MULTILINE), name


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_secrets_come_from_the_environment_or_not_at_all(name: str) -> None:
    for variable, value in SERVICES[name].get("environment", {}).items():
        if re.search(r"PASSWORD$|SECRET|_KEY$|KEYRING|AUTH$|_URL$", variable):
            assert re.search(r"\$\{[A-Z_]+:(\?|-)\}", str(value)), f"{name}: {variable}"


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
        name: SERVICES[name]["environment"]["DATABASE_URL"].split("/")[2].split(":")[0]
        for name in OURS
    }
    assert roles == {
        "migrate": OWNER, "web": privileges.WEB, "worker": privileges.WORKER,
        "beat": privileges.WORKER,
    }  # fmt: skip


def test_nothing_of_the_portal_is_the_superuser_of_the_server() -> None:
    superuser = SERVICES["postgres"]["environment"]["POSTGRES_USER"]
    script = COMPOSE["configs"]["roles"]["content"]
    made = re.findall(r'CREATE ROLE "?(\w+)"? LOGIN PASSWORD', script)
    assert set(made) == {OWNER, *privileges.APPLICATION}
    assert superuser not in made
    for name in OURS:
        assert "SUPERUSER_PASSWORD" not in str(SERVICES[name]["environment"])


def test_the_private_servers_have_the_same_roles() -> None:
    assert (postgres.WEB, postgres.WORKER) == privileges.APPLICATION


def test_the_image_installs_the_production_lock_by_hash_and_drops_root() -> None:
    assert "--require-hashes -r /requirements.lock" in DOCKERFILE
    assert "requirements-dev" not in DOCKERFILE
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]


def test_the_image_holds_every_app() -> None:
    from django.conf import settings

    apps = {name.split(".")[0] for name in settings.INSTALLED_APPS}
    ours = {name for name in apps if (places.CHECKOUT / name).is_dir()}
    copied = set(re.findall(r"^COPY (\w+) ", DOCKERFILE, re.MULTILINE))
    assert ours <= copied
    for path in re.findall(r"^COPY (?!--)(\S+) ", DOCKERFILE, re.MULTILINE):
        assert (places.CHECKOUT / path).exists(), path
        assert f"!{path}\n" in (places.CHECKOUT / ".dockerignore").read_text()
