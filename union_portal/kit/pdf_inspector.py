"""PDF documents looked through for what they would do; runs confined, see `documents`."""

import io
from collections.abc import Iterator
from typing import Any, Final

import pikepdf

from union_portal.kit.confined import MEBIBYTE, Answer

_UNPACKED: Final = 32 * MEBIBYTE
_END: Final = b"%%EOF"
_LOOSE: Final = 16
_MAX_DEPTH: Final = 60
_MAX_VALUES: Final = 500_000

_ACTIONS: Final = {
    "/JavaScript": "script",
    "/Rendition": "media",
    "/Launch": "launch",
    "/ImportData": "launch",
    "/SubmitForm": "launch",
    "/GoToR": "launch",
    "/GoToE": "launch",
    "/Thread": "launch",
    "/Movie": "media",
    "/Sound": "media",
    "/GoTo3DView": "media",
    "/RichMediaExecute": "media",
}
_KEYS: Final = {
    # What a page or the paper does by itself, whatever it is.
    "/AA": "launch",
    "/JS": "script",
    "/JavaScript": "script",
    "/EmbeddedFiles": "attachment",
    "/EF": "attachment",
    "/AF": "attachment",
    "/XFA": "form",
    "/RichMediaContent": "media",
}
_TYPES: Final = {"/EmbeddedFile": "attachment", "/Filespec": "attachment"}
_SUBTYPES: Final = {
    "/FileAttachment": "attachment",
    "/RichMedia": "media",
    "/3D": "media",
    "/Screen": "media",
    "/Movie": "media",
    "/Sound": "media",
}


def look_through(content: bytes) -> Iterator[Answer]:
    """Pages and findings of a PDF."""
    yield Answer(inspect(content))


def warm_up() -> None:
    """Bound what one stream may unpack to, and load all that a PDF may need."""
    pikepdf.settings.set_qpdf_limits(flate_max_memory=_UNPACKED, max_stream_filters=4)
    for encryption in (False, pikepdf.Encryption(owner="owner", user="")):
        with pikepdf.new() as document:
            document.add_blank_page()
            sink = io.BytesIO()
            document.save(sink, encryption=encryption)
        inspect(sink.getvalue())


def dictionaries(pdf: pikepdf.Pdf) -> Iterator[Any]:
    """Every dictionary of the file, also those no page refers to."""
    left = _MAX_VALUES
    for top in (pdf.trailer, *pdf.objects):
        stack = [(top, 0)]
        while stack:
            value, depth = stack.pop()
            left -= 1
            if depth > _MAX_DEPTH or left < 0:
                raise ValueError("nested too deeply or too large")
            if isinstance(value, pikepdf.Dictionary | pikepdf.Stream):
                yield value
                inner = [item for _, item in value.items()]
            elif isinstance(value, pikepdf.Array):
                inner = list(value)
            else:
                continue
            stack += [
                (item, depth + 1)
                for item in inner
                if isinstance(item, pikepdf.Object) and not item.is_indirect
            ]


def findings_in(dictionary: Any) -> Iterator[str]:
    """What one dictionary gives reason to refuse."""
    for key, _ in dictionary.items():
        if key in _KEYS:
            yield _KEYS[key]
    if isinstance(dictionary, pikepdf.Stream) and "/F" in dictionary:
        yield "launch"  # its content lies in another file
    opening = dictionary.get("/OpenAction")
    if isinstance(opening, pikepdf.Dictionary) and opening.get("/S") == pikepdf.Name.URI:
        yield "launch"  # a link is followed by its reader, not by itself
    for key, table in (("/S", _ACTIONS), ("/Type", _TYPES), ("/Subtype", _SUBTYPES)):
        value = dictionary.get(key)
        if isinstance(value, pikepdf.Name) and str(value) in table:
            yield table[str(value)]


def inspect(content: bytes) -> dict[str, Any]:
    """Pages and findings of a PDF."""
    try:
        pdf = pikepdf.open(io.BytesIO(content))
    except pikepdf.PasswordError:
        return {"pages": 1, "findings": ["encrypted"]}
    with pdf:
        found = {finding for each in dictionaries(pdf) for finding in findings_in(each)}
        if pdf.is_encrypted:
            found.add("encrypted")
        if len(content.rpartition(_END)[2].strip()) > _LOOSE:
            found.add("behind")
        return {"pages": len(pdf.pages), "findings": sorted(found)}
