"""The catalogue of translations: read the msgids from the sources, update, compile.

`python -m tests.architecture.catalogue` brings locale/zh_Hans up to date, keeping what is
translated; `--add FILE` takes tab-separated translations: English, Chinese and, where the
message has one, its context. No gettext tools are needed.
"""

import argparse
import io
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from tests.architecture.sources import ROOT, python_files
from union_portal.borrowed import IN_ENGLISH

PO = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
MO = PO.with_suffix(".mo")
ENGLISH = ROOT / "locale" / "en" / "LC_MESSAGES" / "django.po"
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}

CALL = re.compile(
    r"""\b(?:(?:np?|p)?gettext|_)\((?:u?'(?:\\.|[^'\\])*'|u?"(?:\\.|[^"\\])*"|[^()'"])*\)"""
)


def messages() -> Iterator[tuple[str, object, str | None]]:
    """Yield (place, msgid or (singular, plural), context) of every translatable text."""
    for path in python_files():
        yield from _found(path, path.read_bytes())
    for path in sorted((ROOT / "templates").rglob("*.*")):
        if path.suffix in {".html", ".txt"}:
            source = templatize(path.read_text(encoding="utf-8"), origin=str(path))
            yield from _found(path, _unquoted(source).encode())


def _unquoted(source: str) -> str:
    """Turn what Django writes for xgettext into Python the extractor can read."""
    return "\n".join(CALL.findall(source))


def _found(path: Path, source: bytes) -> Iterator[tuple[str, object, str | None]]:
    name = str(path.relative_to(ROOT))
    for _line, text, _comments, context in extract(
        "python", io.BytesIO(source), keywords=KEYWORDS, options={"encoding": "utf-8"}
    ):
        if text:
            yield name, text, context


def current() -> Catalog:
    """The catalogue as it stands in the file."""
    if not PO.exists():
        return Catalog(locale="zh_Hans_CN")
    with PO.open("rb") as stream:
        return read_po(stream, locale="zh_Hans_CN")


def fresh() -> Catalog:
    """The catalogue the sources ask for, with the translations known today."""
    known, made = current(), Catalog(locale="zh_Hans_CN", project="union-portal", fuzzy=False)
    for place, text, context in messages():
        old = known.get(text if isinstance(text, str) else text[0], context)
        translated = old.string if old and not old.fuzzy else ""
        flags = {"python-format"} if old and "python-format" in old.flags else set()
        made.add(text, translated, locations=[(place, None)], context=context, flags=flags)
    return made


def missing(catalogue: Catalog) -> list[str]:
    """The msgids without a translation."""
    return [
        message.id if isinstance(message.id, str) else message.id[0]
        for message in catalogue
        if message.id
        and not (message.string if isinstance(message.string, str) else all(message.string))
    ]


def english() -> Catalog:
    """What libraries say in English, in our own words."""
    made = Catalog(locale="en", project="union-portal", fuzzy=False)
    for theirs, ours in IN_ENGLISH.items():
        made.add(theirs, ours)
    return made


def save(catalogue: Catalog, po: Path = PO) -> None:
    po.parent.mkdir(parents=True, exist_ok=True)
    with po.open("wb") as stream:
        write_po(stream, catalogue, width=96, sort_output=True, omit_header=False, no_location=True)
    with po.with_suffix(".mo").open("wb") as stream:
        write_mo(stream, catalogue)


def _take(catalogue: Catalog, file: Path) -> None:
    """Put a file's translations in, each for the message of its own context alone."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if "\t" not in line:
            continue
        english, chinese, *context = (text.replace("\\n", "\n") for text in line.split("\t"))
        message = catalogue.get(english, context[0].strip() if context else None)
        if message is not None:
            chinese = chinese.strip()
            message.string = chinese if isinstance(message.id, str) else (chinese,)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--add", action="append", default=[], type=Path)
    arguments = parser.parse_args()
    catalogue = fresh()
    for file in arguments.add:
        _take(catalogue, file)
    save(catalogue)
    save(english(), ENGLISH)
    left = missing(catalogue)
    print(f"{len(catalogue)} messages, {len(left)} untranslated")
    for text in left:
        print(repr(text))


if __name__ == "__main__":
    main()
