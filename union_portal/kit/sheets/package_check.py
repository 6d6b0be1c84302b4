"""Everything that is looked at in an XLSX file before any of it is parsed as a workbook.

The checked parts are copied to a fresh archive, so that what was measured and scanned is
exactly what is read later, whatever sizes the original archive claims.
"""

import zipfile
import zlib
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.utils.translation import gettext_noop
from lxml import etree

from union_portal.kit import media_types
from union_portal.kit.sheets.rows import MEBIBYTE, Limits, SheetError, no_table, save_as_xlsx

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
# The streams that hold the text of what is no workbook.
_OTHER_STREAMS: Final = (
    ("WordDocument".encode("utf-16-le"), media_types.TEXT_DOCUMENT),
    ("PowerPoint Document".encode("utf-16-le"), media_types.PRESENTATION),
)
_WORKBOOK: Final = "xl/workbook.xml"
_OTHER_PARTS: Final = (
    ("word/document.xml", media_types.TEXT_DOCUMENT),
    ("ppt/presentation.xml", media_types.PRESENTATION),
)
# The same of OpenDocument and of the binary workbook: a spreadsheet program opens them.
_OTHER_WORKBOOKS: Final = ("content.xml", "xl/workbook.bin")
_SMALL: Final = 4 * MEBIBYTE
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    OSError,
    NotImplementedError,
    RuntimeError,
)
_CHUNK: Final = 256 * 1024
_DOCTYPES: Final = tuple(
    "<!DOCTYPE".encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be")
)
_LONGEST_MARK: Final = max(map(len, _DOCTYPES))
_TAKING: Final = ("xl/externallinks/", "xl/connections", "xl/querytables/")
_EMBEDDED: Final = ("xl/embeddings/", "xl/activex/", "xl/webextensions/", "customui/")
_LINKS: Final = ("hyperlink",)
_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT_MAIN: Final = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"


@dataclass(frozen=True)
class SheetPart:
    """A visible worksheet: its name and the archive member that holds it."""

    name: str
    member: str


def refuse_ole(path: Path) -> None:
    """Tell an old .xls and an encrypted workbook apart: both are OLE files."""
    with path.open("rb") as file:
        if file.read(8) != _OLE:
            return
        # The directory of an OLE file may stand at its very end; its size is checked before.
        content = file.read()
    if _ENCRYPTED in content:
        raise SheetError(
            gettext_noop("The workbook is protected by a password."),
            gettext_noop("Remove the password in the spreadsheet program and save it again."),
        )
    for stream, media_type in _OTHER_STREAMS:
        if stream in content:
            raise no_table(media_type)
    raise SheetError(gettext_noop("This is a workbook in the old .xls format."), save_as_xlsx())


def copy_checked(path: Path, clean: Path, limits: Limits) -> None:
    """Copy the XML parts of a workbook to ``clean`` after checking the package.

    Refuses what is no XLSX, macros, links to other workbooks, and archives that unpack to
    more than the limits allow.
    """
    try:
        with zipfile.ZipFile(path) as package:
            members = package.infolist()
            _check_names([member.filename for member in members], limits)
            _check_sizes(members, limits)
            _check_content_types(package)
            with zipfile.ZipFile(clean, "w", zipfile.ZIP_STORED) as copy:
                for member in members:
                    if member.filename.endswith((".xml", ".rels")):
                        _copy_member(package, member, copy)
    except _BROKEN as error:
        raise SheetError(
            gettext_noop("The file is damaged or is not a workbook."), save_as_xlsx()
        ) from error


def _check_names(names: list[str], limits: Limits) -> None:
    lowered = {name.lower() for name in names}
    if _WORKBOOK not in lowered:
        raise _no_workbook(lowered)
    if len(lowered) != len(names) or len(names) > limits.max_members:
        raise _suspicious()
    if any("vbaproject" in name or name.startswith("xl/macrosheets/") for name in lowered):
        raise _macros()
    if any(name.startswith(_TAKING) for name in lowered):
        raise _takes_from_others()
    if any(name.startswith(_EMBEDDED) for name in lowered):
        raise SheetError(
            gettext_noop("The workbook has other files or programs embedded in it."),
            gettext_noop("Copy the rows into the template and upload that."),
        )


def _no_workbook(names: Set[str]) -> SheetError:
    """What an archive is without the part that every .xlsx has."""
    for part, media_type in _OTHER_PARTS:
        if part in names:
            return no_table(media_type)
    if names.isdisjoint(_OTHER_WORKBOOKS):
        return no_table(media_types.ZIP)
    return SheetError(gettext_noop("This is not an .xlsx workbook."), save_as_xlsx())


def _takes_from_others() -> SheetError:
    return SheetError(
        gettext_noop("The workbook takes data from other workbooks."),
        gettext_noop("Break the links (Data, Edit links) or copy the cells as values."),
    )


def _macros() -> SheetError:
    return SheetError(gettext_noop("The workbook contains macros."), save_as_xlsx())


def _suspicious() -> SheetError:
    return SheetError(
        gettext_noop("The workbook unpacks to far more than a roster needs."),
        gettext_noop("Copy the rows into the template and upload that."),
    )


def _check_sizes(members: list[zipfile.ZipInfo], limits: Limits) -> None:
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if unpacked > limits.max_unpacked_bytes:
        raise _suspicious()
    if unpacked > MEBIBYTE and unpacked > packed * limits.max_ratio:
        raise _suspicious()


def _check_content_types(package: zipfile.ZipFile) -> None:
    if b"macroEnabled" in package.read("[Content_Types].xml"):
        raise _macros()


def _copy_member(package: zipfile.ZipFile, member: zipfile.ZipInfo, copy: zipfile.ZipFile) -> None:
    """Copy at most the declared size: reading stops there and then checks the CRC."""
    target = zipfile.ZipInfo(member.filename)
    with package.open(member) as source, copy.open(target, "w", force_zip64=True) as sink:
        before = b""
        while chunk := source.read(_CHUNK):
            if any(mark in before + chunk for mark in _DOCTYPES):
                raise _declares_entities()
            before = chunk[-_LONGEST_MARK:]
            sink.write(chunk)


def _declares_entities() -> SheetError:
    return SheetError(
        gettext_noop("A part of the workbook declares a document type, which none needs."),
        gettext_noop("Copy the rows into the template and upload that."),
    )


def refuse_outside(clean: Path) -> None:
    """Refuse parts that are fetched from elsewhere; a link that somebody may click is none."""
    with zipfile.ZipFile(clean) as package:
        for name in package.namelist():
            if name.endswith(".rels"):
                _refuse_outside(_parse_small(package, name))


def _refuse_outside(relationships: etree._Element) -> None:
    for one in relationships:
        kind = one.get("Type", "").rpartition("/")[2]
        if one.get("TargetMode", "").lower() == "external" and kind not in _LINKS:
            raise _takes_from_others()


def visible_sheets(clean: Path) -> list[SheetPart]:
    """The worksheets people can see, in their order."""
    with zipfile.ZipFile(clean) as package:
        book = _parse_small(package, "xl/workbook.xml")
        links = _parse_small(package, "xl/_rels/workbook.xml.rels")
        names = set(package.namelist())
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    parts = []
    for sheet in book.iter(f"{_MAIN}sheet", f"{_STRICT_MAIN}sheet"):
        if sheet.get("state", "visible") != "visible":
            continue
        relation = next(
            (value for key, value in sheet.attrib.items() if str(key).endswith("}id")), None
        )
        target = targets.get(str(relation), "")
        member = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        if member in names and "worksheets/" in member:
            parts.append(SheetPart(sheet.get("name", ""), member))
    return parts


def _actual_name(package: zipfile.ZipFile, name: str) -> str:
    for actual in package.namelist():
        if actual.lower() == name.lower():
            return actual
    raise SheetError(gettext_noop("This is not an .xlsx workbook."), save_as_xlsx())


def _parse_small(package: zipfile.ZipFile, name: str) -> etree._Element:
    """Parse a small XML part with entities, network and DTDs switched off."""
    member = package.getinfo(_actual_name(package, name))
    if member.file_size > _SMALL:
        raise _suspicious()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(package.read(member), parser)
    except etree.XMLSyntaxError as error:
        raise SheetError(
            gettext_noop("The file is damaged or is not a workbook."), save_as_xlsx()
        ) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise _declares_entities()
    return root
