"""How a file leaves the portal: the one place where such an answer is made.

Whoever calls it has asked for permission. A file is saved, never opened inside the portal; only
a picture that was written anew may be shown, and even then nothing in it can act. No copy of it
stays on the way or in the browser, and its type is the one that was said.
"""

from io import BytesIO
from typing import BinaryIO, Final

from django.http import FileResponse

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV: Final = "text/csv; charset=utf-8"
UNKNOWN: Final = "application/octet-stream"
# Whatever a file holds, it runs nothing, loads nothing and stands in nobody's frame.
POLICY: Final = (
    "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox"
)
_SHOWN: Final = frozenset({"image/jpeg", "image/png", "image/webp"})


def download(
    content: BinaryIO | bytes, *, name: str, content_type: str, may_be_shown: bool = False
) -> FileResponse:
    """The answer that hands a file out under its name, in any script (RFC 6266, RFC 5987)."""
    stream = BytesIO(content) if isinstance(content, bytes) else content
    response = FileResponse(
        stream,
        as_attachment=not (may_be_shown and content_type in _SHOWN),
        filename=name,
        content_type=content_type,
    )
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def download_sheet(sheet: BytesIO, *, name: str) -> FileResponse:
    """A sheet that was just written, XLSX or CSV by its name."""
    sheet.seek(0)
    return download(sheet, name=name, content_type=CSV if name.endswith(".csv") else XLSX)
