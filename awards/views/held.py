"""Good uploads of a form that has to be shown again: a browser forgets them, we do not.

They lie beside the stored files, under a name only the session knows, for a day at most.
"""

import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest

from awards.actions.applications import Upload

SESSION_KEY = "held_uploads"
KEPT_SECONDS = 24 * 3600
MOST_BYTES = 120 * 1024 * 1024


@dataclass(frozen=True)
class Held:
    """One file that is kept for the next try."""

    token: str
    name: str
    size: int


def listed(request: HttpRequest, form: str) -> list[Held]:
    """What is kept for this form of this session and still lies on the disk."""
    kept = request.session.get(SESSION_KEY, {}).get(form, [])
    return [Held(*one) for one in kept if _path(one[0]).is_file()]


def hold(request: HttpRequest, form: str, uploads: list[Upload]) -> list[str]:
    """Keep files beside those that are kept already; return the names of those too many."""
    _forget_old()
    kept = listed(request, form)
    room = MOST_BYTES - sum(one.size for one in kept)
    too_many = []
    for upload in uploads:
        if len(upload.content) > room:
            too_many.append(upload.name)
            continue
        room -= len(upload.content)
        token = secrets.token_hex(16)
        path = _path(token)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(upload.content)
        kept.append(Held(token, upload.name, len(upload.content)))
    _remember(request, form, kept)
    return too_many


def drop(request: HttpRequest, form: str, tokens: list[str]) -> None:
    """Let go of those the member does not want any more."""
    kept = listed(request, form)
    for one in kept:
        if one.token in tokens:
            _path(one.token).unlink(missing_ok=True)
    _remember(request, form, [one for one in kept if one.token not in tokens])


def taken(request: HttpRequest, form: str) -> list[Upload]:
    """The kept files, read back for the action."""
    return [Upload(one.name, _path(one.token).read_bytes()) for one in listed(request, form)]


def clear(request: HttpRequest, form: str) -> None:
    """The form went through: nothing is kept any longer."""
    drop(request, form, [one.token for one in listed(request, form)])


def _remember(request: HttpRequest, form: str, kept: list[Held]) -> None:
    everything = dict(request.session.get(SESSION_KEY, {}))
    everything[form] = [[one.token, one.name, one.size] for one in kept]
    request.session[SESSION_KEY] = everything


def _folder() -> Path:
    return Path(settings.MEDIA_ROOT) / "held"


def _path(token: str) -> Path:
    return _folder() / token


def _forget_old() -> None:
    eldest = time.time() - KEPT_SECONDS
    if not _folder().is_dir():
        return
    for path in _folder().iterdir():
        if path.stat().st_mtime < eldest:
            path.unlink(missing_ok=True)
