"""PDF documents from outside: looked through in a confined process."""

from typing import Any, Final

from django.utils.translation import gettext_noop

from union_portal.kit import confined
from union_portal.kit.confined import MEBIBYTE
from union_portal.kit.refusals import Refused

_BOUNDS: Final = confined.Bounds(memory=112 * MEBIBYTE, seconds=20)


class DocumentError(Refused):
    """A PDF that cannot be accepted, with the remedy."""


_FINDINGS: Final = {
    "encrypted": gettext_noop("The PDF is protected by a password or against copying."),
    "script": gettext_noop("The PDF contains a script."),
    "launch": gettext_noop("The PDF wants to start programs or open other files."),
    "attachment": gettext_noop("The PDF has other files embedded in it."),
    "form": gettext_noop("The PDF contains a dynamic (XFA) form."),
    "media": gettext_noop("The PDF contains sound, film or 3D content."),
    "behind": gettext_noop("Something else is hidden behind the end of the PDF."),
}


def check_pdf(content: bytes, *, max_pages: int) -> int:
    """Number of pages of a harmless PDF.

    Refuses encryption, scripts, actions that start or fetch something, embedded files,
    dynamic forms, media, what stands behind its end, too many pages and damage.
    Errors: DocumentError.
    """
    answer = _inspect(content)
    for finding, message in _FINDINGS.items():
        if finding in answer["findings"]:
            raise DocumentError(
                message,
                gettext_noop("Print it to PDF again, or scan or photograph the paper."),
            )
    pages = int(answer["pages"])
    if pages > max_pages:
        raise DocumentError(
            gettext_noop("The PDF has %(pages)s pages; at most %(most)s are accepted."),
            gettext_noop("Upload only the pages that prove something."),
            {"pages": pages, "most": max_pages},
        )
    return pages


def _inspect(content: bytes) -> dict[str, Any]:
    """Run the inspector; a crash, a time-out or lack of memory there counts as damage."""
    try:
        told = confined.ask("pdf", content, bounds=_BOUNDS, refusal=DocumentError).told
    except confined.Failed as failure:
        raise _damaged() from failure
    if not told["pages"]:
        raise _damaged()
    return told


def _damaged() -> DocumentError:
    return DocumentError(
        gettext_noop("The PDF is damaged or unreasonably complex."),
        gettext_noop("Print it to PDF again, or scan or photograph the paper."),
    )
