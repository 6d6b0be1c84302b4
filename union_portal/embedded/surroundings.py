"""The environment every process of `./portal` is given: which database, which secrets, where."""

import base64
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from union_portal.embedded import held, places
from union_portal.embedded.places import LauncherError
from union_portal.embedded.servers import PrivateServers

SETTINGS = "union_portal.settings"


@dataclass(frozen=True)
class Surroundings:
    """What a run works with; without a word about the role, as the owner of the tables."""

    var: Path
    environment: Mapping[str, str]
    tend: Callable[[], None]

    @property
    def as_web(self) -> dict[str, str]:
        """What a web process gets more: it serves pages and owns nothing."""
        return self._as("PORTAL_WEB_DATABASE_URL")

    @property
    def as_worker(self) -> dict[str, str]:
        """What workers, beat and commands that act get more."""
        return self._as("PORTAL_WORKER_DATABASE_URL")

    def _as(self, name: str) -> dict[str, str]:
        given = self.environment
        return {"DATABASE_URL": given.get(name) or given["DATABASE_URL"]}


@contextmanager
def surroundings(
    profile: str, *, say: Callable[[str], None], checkout: Path = places.CHECKOUT
) -> Iterator[Surroundings]:
    """The private servers of `profile`, or the user's own when DATABASE_URL names them."""
    var = places.var_folder(checkout / "var" / profile)
    given = dict(os.environ)
    if given.get("DATABASE_URL"):
        _require_redis(given, say)
        given = _own(var, keys=read_or_make_keys(var)) | given | _fixed()
        yield Surroundings(var, given, tend=lambda: None)
        return
    if given.get("REDIS_URL"):
        say("REDIS_URL is left alone: without DATABASE_URL the private servers are used")
    keys = read_or_make_keys(var)
    with PrivateServers(profile, checkout=checkout, say=say) as servers:
        given |= _own(var, keys=keys) | servers.environment() | _fixed()
        yield Surroundings(var, given, tend=servers.ensure)


def _fixed() -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "PORTAL_EMBEDDED": "1",
        "PYTHONUNBUFFERED": "1",
    }


def _own(var: Path, *, keys: Mapping[str, str]) -> dict[str, str]:
    folders = {"MEDIA": "media", "REGISTER": "register", "BANK": "bank"}
    paths = {f"PORTAL_{name}_DIR": str(var / folder) for name, folder in folders.items()}
    return {"PORTAL_VAR": str(var), **paths, **keys}


def _require_redis(given: Mapping[str, str], say: Callable[[str], None]) -> None:
    address = urlsplit(given["DATABASE_URL"])
    if not given.get("REDIS_URL"):
        raise LauncherError(
            "DATABASE_URL is set, so ./portal uses your own servers and starts none.\n"
            "Set REDIS_URL too, for example REDIS_URL=redis://127.0.0.1:6379/0,\n"
            "or unset DATABASE_URL to use private servers."
        )
    say(f"using your own database {address.path.lstrip('/')} on {address.hostname} (DATABASE_URL)")


def read_or_make_keys(var: Path) -> dict[str, str]:
    """The secrets of this `var`, made once, readable by their owner alone.

    Raises LauncherError: the data was sealed with keys that are gone.
    """
    file = var / "secrets.json"
    if file.exists():
        return dict(json.loads(file.read_text("utf-8")))
    if (var / "servers.json").exists():
        raise LauncherError(
            f"{file} is gone, and the data in {var} cannot be read without its keys.\n"
            f"Put the file back, or begin anew: ./portal stop && rm -r {var}"
        )
    keys = {
        "PORTAL_SECRET_KEY": secrets.token_urlsafe(48),
        "PORTAL_KEYRING": f"1:aes:{_key()}",
        "PORTAL_INDEX_KEY": _key(),
    }
    held.write_private(file, json.dumps(keys, indent=1) + "\n")
    return keys


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
