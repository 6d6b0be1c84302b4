"""What a file is by how it begins, whatever its name says."""

from typing import Final

from django.utils.translation import gettext_noop

UNKNOWN: Final = "application/octet-stream"
ZIP: Final = "application/zip"
# Workbooks and documents of the nineties, and encrypted ones of today.
OLE: Final = "application/x-ole-storage"
TEXT_DOCUMENT: Final = "application/msword"
PRESENTATION: Final = "application/vnd.ms-powerpoint"
WEB_PAGE: Final = "text/html"
ARCHIVES: Final = frozenset(
    {ZIP, "application/vnd.rar", "application/x-7z-compressed", "application/gzip"}
)
# So much of a file is looked at.
HEAD: Final = 512

_HEIC_BRANDS: Final = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif")
# A PDF may begin later; one that does may be something else as well.
_BEGINNINGS: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
    (b"PK\x07\x08", ZIP),
    (b"\xd0\xcf\x11\xe0", OLE),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"{\\rtf", "application/rtf"),
)
_MARK: Final = b"\xef\xbb\xbf"
_WEB_PAGES: Final = (b"<!doctype html", b"<html", b"<head", b"<meta", b"<table")


def sniff(content: bytes) -> str:
    """Media type by the first bytes; ``application/octet-stream`` when it is none we know."""
    for beginning, media_type in _BEGINNINGS:
        if content.startswith(beginning):
            return media_type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS:
        return "image/heic"
    if content[:2] == b"BM" and content[6:10] == bytes(4):
        return "image/bmp"
    text = content[:HEAD].removeprefix(_MARK).lstrip().lower()
    return WEB_PAGE if text.startswith(_WEB_PAGES) else UNKNOWN


def no_table(media_type: str) -> str:
    """What a file is that can hold no table, as a sentence; empty for one that may.

    Marked here: a confined process loads this module before it has any settings.
    """
    if media_type.startswith("image/"):
        return gettext_noop("This is a picture, not a table.")
    if media_type in ARCHIVES:
        return gettext_noop("This is an archive with other files in it, not a table.")
    document = gettext_noop("This is a text document, not a table.")
    others = {
        "application/pdf": gettext_noop("This is a PDF document, not a table."),
        "application/rtf": document,
        TEXT_DOCUMENT: document,
        PRESENTATION: gettext_noop("This is a presentation, not a table."),
        WEB_PAGE: gettext_noop("This is a web page that only looks like a table."),
    }
    return others.get(media_type, "")
