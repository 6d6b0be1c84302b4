"""Protected files: judged by their content, kept by their digest, fetched by permission only.

A purpose says who may fetch a file; nothing is served under a public path.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Protocol
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from union_portal import audit
from union_portal.kit.refusals import Refused
from union_portal.kit.uploads import MEBIBYTE, UploadError, clean_upload
from union_portal.models import FileDownload, ForgottenFile, StoredFile

if TYPE_CHECKING:
    from union_portal.models import Account, Organization

LONGEST_NAME = 120
# Whom a paper is about sees who fetched it.
PERSON = "members.person"
BLOCK = 256 * 1024


class Readable(Protocol):
    """An opened file, such as Django's uploads."""

    def read(self, size: int = -1, /) -> bytes: ...


class FileDamaged(Refused):
    """The bytes on disk are missing or not those that were stored."""


class FileForgotten(Refused):
    """The file was kept as long as its rule says, and is no more."""


@dataclass(frozen=True)
class Purpose:
    """Why files of a kind are kept, and so who may fetch them."""

    name: str
    label: str | Promise
    may: Callable[[Account, StoredFile], bool]
    is_issued: bool
    is_sensitive: bool


_purposes: dict[str, Purpose] = {}


def purpose(
    name: str,
    *,
    label: str | Promise,
    may: Callable[[Account, StoredFile], bool],
    is_issued: bool = False,
    is_sensitive: bool = False,
) -> None:
    """Register a purpose under its name for people. `may` decides about every single fetch.

    Files of an issued purpose are made by the portal, or judged by a reader of their own,
    and kept as they are; all others are evidence that people upload: photos are written
    anew, PDFs looked through. Sensitive ones ask for a log-in of the last minutes.
    """
    _purposes[name] = Purpose(name, label, may, is_issued, is_sensitive)


def labels() -> dict[str, str | Promise]:
    """What every registered purpose is called."""
    return {name: known.label for name, known in _purposes.items()}


def label_of(name: str) -> str:
    """A purpose as people call it; as it stands where no app registers it any more."""
    return str(labels().get(name, name))


def purpose_of(file: StoredFile) -> Purpose:
    """The purpose of a file. Errors: LookupError when no app registered it."""
    return _purposes[file.purpose]


def may_fetch(account: Account, file: StoredFile) -> bool:
    """Whether the account may fetch the file; never without a registered purpose."""
    known = _purposes.get(file.purpose)
    return known is not None and account.is_authenticated and known.may(account, file)


@transaction.atomic
def store(
    *,
    purpose: str,
    name: str,
    content: bytes | Readable | Path,
    subject: models.Model,
    organization: Organization | None,
    by: Account | audit.Machine,
    content_type: str = "application/octet-stream",
) -> StoredFile:
    """Keep a file about a subject. The type of evidence is what its content says.

    Errors: UploadError for size and kind, ImageError, DocumentError; LookupError for a
    purpose nobody registered. The bytes are written before the row, so no row lacks its file.
    """
    known = _purposes[purpose]
    if known.is_issued:
        source = _stream(content)
    else:
        clean = clean_upload(name, _bounded(content), max_bytes=settings.UPLOAD_MAX_BYTES)
        source, content_type = BytesIO(clean.content), clean.media_type
        name = f"{PurePosixPath(name).stem}.{clean.extension}"
    file = StoredFile(
        pk=uuid4(),
        purpose=purpose,
        name=_plain_name(name),
        content_type=content_type,
        subject_type=subject._meta.label_lower,
        subject_id=str(subject.pk),
        organization=organization,
        uploaded_by=None if isinstance(by, audit.Machine) else by,
    )
    with source:
        file.size, file.sha256 = _write(_path(file), source)
    file.save(force_insert=True)
    audit.record("file.store", file, by=by, purpose=purpose, sha256=file.sha256)
    return file


def open_for(file: StoredFile) -> BinaryIO:
    """The file's bytes, opened, after their digest was checked.

    Errors: FileDamaged, FileForgotten.
    """
    try:
        stream = _path(file).open("rb")
    except FileNotFoundError:
        raise _missing(file) from None
    digest = sha256()
    while block := stream.read(BLOCK):
        digest.update(block)
    if digest.hexdigest() != file.sha256:
        stream.close()
        raise _damaged(file)
    stream.seek(0)
    return stream


@transaction.atomic
def fetch(*, file: StoredFile, by: Account, reason: str = "") -> BinaryIO:
    """Open a file for somebody, and keep for good that they fetched it.

    Errors: PermissionDenied, FileDamaged.
    """
    if not may_fetch(by, file):
        raise PermissionDenied(_("You may not fetch this file."))
    stream = open_for(file)
    FileDownload.objects.create(file=file, account=by, reason=reason[:200])
    audit.record("file.fetch", file, by=by, reason=reason, purpose=file.purpose)
    if file.subject_type == PERSON and file.uploaded_by_id != by.pk:
        audit.record_ref(
            "person.file_fetched", PERSON, file.subject_id, by=by, reason=reason,
            purpose=file.purpose,
        )  # fmt: skip
    return stream


@transaction.atomic
def forget(*, files: Sequence[StoredFile], rule: str, now: datetime) -> int:
    """Remove the bytes of files whose time is over; how many were not forgotten before.

    The bytes go first: whatever is interrupted, no row says of bytes that are there that they
    are gone, and the next run finds the same files again.
    """
    for file in files:
        _path(file).unlink(missing_ok=True)
    known = set(ForgottenFile.objects.filter(file__in=files).values_list("file", flat=True))
    made = [
        ForgottenFile(file=file, rule=rule, forgotten_at=now)
        for file in files
        if file.pk not in known
    ]
    ForgottenFile.objects.bulk_create(made, ignore_conflicts=True)
    count = len(made)
    if count:
        audit.record_ref(
            "file.forget", StoredFile._meta.label_lower, "set", by=audit.WORKER, rule=rule,
            count=count,
        )  # fmt: skip
    return count


def _path(file: StoredFile) -> Path:
    name = file.pk.hex
    return Path(settings.MEDIA_ROOT) / name[:2] / name


def _write(path: Path, source: BinaryIO) -> tuple[int, str]:
    """Write the bytes so that the name appears only when all of them are on the disk."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    digest, size = sha256(), 0
    with open(unfinished, "xb", opener=_private) as sink:
        while block := source.read(BLOCK):
            digest.update(block)
            size += sink.write(block)
        sink.flush()
        os.fsync(sink.fileno())
    unfinished.replace(path)
    return size, digest.hexdigest()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _stream(content: bytes | Readable | Path) -> BinaryIO:
    if isinstance(content, Path):
        return content.open("rb")
    if isinstance(content, bytes):
        return BytesIO(content)
    sink = BytesIO()
    shutil.copyfileobj(content, sink)
    sink.seek(0)
    return sink


def _bounded(content: bytes | Readable | Path) -> bytes:
    """Read no more than may be kept, so that a large upload costs no more memory than that."""
    most = settings.UPLOAD_MAX_BYTES
    read = content[: most + 1] if isinstance(content, bytes) else _head(content, most + 1)
    if len(read) > most:
        raise UploadError(
            gettext_noop("The file is larger than %(megabytes)s MB."),
            gettext_noop("Take the photo at a lower resolution or split the document."),
            {"megabytes": most // MEBIBYTE},
        )
    return read


def _head(content: Readable | Path, size: int) -> bytes:
    if isinstance(content, Path):
        with content.open("rb") as stream:
            return stream.read(size)
    return content.read(size)


def _plain_name(name: str) -> str:
    """The last part of a name, printable and short: it goes into a header and on pages."""
    last = PurePosixPath(name.replace("\\", "/")).name
    plain = "".join(c for c in last if c.isprintable() and c not in '"<>|:*?').strip(" .")
    stem, dot, extension = plain.rpartition(".")
    if dot and len(plain) > LONGEST_NAME:
        plain = f"{stem[: LONGEST_NAME - len(extension) - 1]}.{extension}"
    return plain[:LONGEST_NAME] or "file"


def _missing(file: StoredFile) -> Refused:
    forgotten = ForgottenFile.objects.filter(file=file).first()
    if forgotten is None:
        return _damaged(file)
    return FileForgotten(
        gettext_noop("The file was removed on %(day)s: it is not kept any longer."),
        gettext_noop("If it was made from the portal's data, have it made again."),
        {"day": timezone.localdate(forgotten.forgotten_at).isoformat()},
    )


def _damaged(file: StoredFile) -> FileDamaged:
    return FileDamaged(
        gettext_noop("The file %(id)s is missing on the disk, or was changed there."),
        gettext_noop("Restore the folder of files from the backup."),
        {"id": str(file.pk)},
    )
