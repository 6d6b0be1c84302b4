"""Evidence people upload: judged by its content, never by its name or declared type."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from django.utils.translation import gettext_noop

from union_portal.kit import documents, images
from union_portal.kit.media_types import sniff
from union_portal.kit.refusals import Refused

MEBIBYTE: Final = 1024 * 1024

EXTENSIONS: Final[dict[str, tuple[str, ...]]] = {
    "image/jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "image/png": ("png",),
    "image/webp": ("webp",),
    "application/pdf": ("pdf",),
}


class UploadError(Refused):
    """A file that is not accepted as evidence, with the remedy."""


@dataclass(frozen=True)
class CleanUpload:
    """What may be stored: the bytes, their true type and extension, and the page count."""

    content: bytes
    media_type: str
    extension: str
    pages: int = 1


def clean_upload(
    name: str, content: bytes, *, max_bytes: int = 10 * MEBIBYTE, max_pages: int = 50
) -> CleanUpload:
    """Accept a JPEG, PNG, WebP or PDF; photos come back without their metadata.

    Errors: UploadError for size, kind or a name that contradicts the content; ImageError
    and DocumentError for what is inside.
    """
    if len(content) > max_bytes:
        raise UploadError(
            gettext_noop("The file is larger than %(megabytes)s MB."),
            gettext_noop("Take the photo at a lower resolution or split the document."),
            {"megabytes": max_bytes // MEBIBYTE},
        )
    media_type = sniff(content)
    _require_kind(name, content, media_type)
    extension = EXTENSIONS[media_type][0]
    if media_type == "application/pdf":
        pages = documents.check_pdf(content, max_pages=max_pages)
        return CleanUpload(content, media_type, extension, pages)
    written = images.clean_image(content)
    if not written.media_type == media_type == sniff(written.content):
        raise images.damaged()
    return CleanUpload(written.content, media_type, extension)


def _require_kind(name: str, content: bytes, media_type: str) -> None:
    if not content:
        raise UploadError(
            gettext_noop("The file is empty."), gettext_noop("Choose the file again.")
        )
    if media_type == "image/heic":
        raise UploadError(
            gettext_noop("Photos in the HEIC format cannot be shown to every reader."),
            gettext_noop(
                'On an iPhone choose Settings, Camera, Formats, "Most Compatible", or send a'
                " screenshot of the photo."
            ),
        )
    if media_type not in EXTENSIONS:
        raise UploadError(
            gettext_noop("Only photos (JPEG, PNG, WebP) and PDF documents are accepted."),
            gettext_noop("Photograph the paper or save the document as PDF."),
        )
    extension = PurePosixPath(name.replace("\\", "/")).suffix.lstrip(".").lower()
    if extension and extension not in EXTENSIONS[media_type]:
        raise UploadError(
            gettext_noop("The name ends in .%(extension)s, but the content is %(kind)s."),
            gettext_noop("Save the file again in the right format; do not just rename it."),
            {"extension": extension[:10], "kind": EXTENSIONS[media_type][0].upper()},
        )
