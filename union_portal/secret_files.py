"""Secrets: from the environment or from files, one way for all of them, and never shown.

A container's orchestrator gives secrets as files. So every variable NAME may be given as
NAME_FILE, a path whose content is the value. Knows no settings: the settings are made with it.
"""

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

import environ
from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter
from environ.fileaware_mapping import FileAwareMapping

# Kind and version in front of a key of the keyring.
_OF_A_KEYRING: Final = re.compile(r"(?:^|,)\s*\d+:\w+:")


class _Files(FileAwareMapping):
    """The environment, with files; an editor's last line break is no part of a secret."""

    def __getitem__(self, key: str) -> str:
        value: str = super().__getitem__(key)
        return value.strip() if self.env.get(f"{key}_FILE") else value


class Env(environ.Env):
    """The environment as settings read it: NAME_FILE wins over NAME."""

    ENVIRON = _Files()


class ReportFilter(SafeExceptionReporterFilter):
    """Django's page of a fault shows no address with a password in it, and no form."""

    hidden_settings = re.compile(
        SafeExceptionReporterFilter.hidden_settings.pattern
        + "|_URL$|DATABASES|CACHES|BROKER|KEYRING",
        re.IGNORECASE,
    )

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        """None of a form's values, whatever its fields are called."""
        posted = {} if request is None else request.POST
        return dict.fromkeys(posted, self.cleansed_substitute)

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: Any
    ) -> list[tuple[str, Any]]:
        """Names of variables, not what they hold: rows of people stand in them."""
        return [(name, self.cleansed_substitute) for name in tb_frame.f_locals]


def with_password(address: str, password: str) -> str:
    """The address of a server with its password in it, where the password is given apart."""
    if not password:
        return address
    parts = urlsplit(address)
    place = parts.netloc.rpartition("@")[2]
    user = quote(parts.username or "", safe="")
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{place}").geturl()


def in_values(*values: str) -> Iterator[str]:
    """The secrets inside these values: passwords of addresses, keys of a keyring, or the whole."""
    for value in values:
        if "://" in value:
            quoted = urlsplit(value).password or ""
            yield from (quoted, unquote(quoted))
        else:
            yield from (part.strip() for part in _OF_A_KEYRING.split(value))
            yield value
