"""Child process of ``documents``: a PDF on standard input, findings as JSON on output.

Runs alone (``python -I``) so that a malicious file can cost neither the memory nor the life
of the process that serves people.
"""

import io
import json
import resource
import sys
from collections.abc import Iterator
from typing import Any, Final

import pikepdf

_MEMORY: Final = 1024**3
_SECONDS: Final = 20
_MAX_DEPTH: Final = 60
_MAX_VALUES: Final = 2_000_000

_ACTIONS: Final = {
    "/JavaScript": "script",
    "/Rendition": "media",
    "/Launch": "launch",
    "/ImportData": "launch",
    "/SubmitForm": "launch",
    "/GoToR": "launch",
    "/GoToE": "launch",
    "/Movie": "media",
    "/Sound": "media",
}
_KEYS: Final = {
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


def bound_resources() -> None:
    """Limit memory and time of this process, and what one stream may unpack to."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    pikepdf.settings.set_qpdf_limits(flate_max_memory=_MEMORY // 4, max_stream_filters=4)


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
        return {"pages": len(pdf.pages), "findings": sorted(found)}


if __name__ == "__main__":
    bound_resources()
    json.dump(inspect(sys.stdin.buffer.read()), sys.stdout)
