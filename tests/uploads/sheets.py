"""Workbooks and archives that mean harm."""

import io
import random
import struct
import zipfile
import zlib
from xml.sax.saxutils import escape

from tests.uploads.corpus import MARK, Hostile, family

WORD = MARK.decode()
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE_REL = "http://schemas.openxmlformats.org/package/2006/relationships"
HEADERS = ("姓名", "证件号码", "手机号", "工会名称", "工作单位")
BOMB_MEBIBYTES = 60


def cells(*rows) -> str:
    """Rows of inline strings."""
    return "".join(
        f'<row r="{number}">'
        + "".join(f'<c t="inlineStr"><is><t>{escape(str(cell))}</t></is></c>' for cell in row)
        + "</row>"
        for number, row in enumerate(rows, start=1)
    )


def sheet(inner: str = "", *, head: str = "", foot: str = "") -> str:
    rows = inner or cells(HEADERS, (WORD, "1", "", "", ""))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<worksheet xmlns="{MAIN}">'
        f"<sheetData>{rows}</sheetData>{foot}</worksheet>"
    )


def parts(**changed: str | bytes) -> dict[str, str | bytes]:
    """The parts of a sound workbook, some of them changed."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    whole: dict[str, str | bytes] = {
        "[Content_Types].xml": (
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/></Types>'
        ),
        "_rels/.rels": (
            f'<Relationships xmlns="{PACKAGE_REL}"><Relationship Id="r1" '
            f'Type="{REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
        "xl/workbook.xml": (
            f'<workbook xmlns="{MAIN}" xmlns:r="{REL}"><sheets>'
            '<sheet name="x" sheetId="1" r:id="rId1"/></sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": (
            f'<Relationships xmlns="{PACKAGE_REL}"><Relationship Id="rId1" '
            f'Type="{REL}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
        ),
        "xl/worksheets/sheet1.xml": sheet(),
    }
    return {**whole, **changed}


def part_named(name: str) -> zipfile.ZipInfo:
    """A part without the time of day, so that a seed gives the same bytes."""
    part = zipfile.ZipInfo(name)
    part.compress_type = zipfile.ZIP_DEFLATED
    return part


def packed(members: dict[str, str | bytes], *, how: int = zipfile.ZIP_DEFLATED) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", how) as package:
        for name, content in members.items():
            package.writestr(part_named(name), content)
    return sink.getvalue()


def book(**changed: str | bytes) -> bytes:
    return packed(parts(**changed))


def streamed(
    members: dict[str, str | bytes], bomb: str, block: bytes, times: int, tail=b""
) -> bytes:
    """A workbook one part of which is written block by block: it needs no memory here."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in members.items():
            if name != bomb:
                package.writestr(part_named(name), content)
        with package.open(part_named(bomb), "w") as part:
            start = members.get(bomb, b"")
            part.write(start if isinstance(start, bytes) else start.encode())
            for _ in range(times):
                part.write(block)
            part.write(tail)
    return sink.getvalue()


def noise(rng: random.Random, size: int = 400_000) -> dict[str, bytes]:
    """A part that doesn't compress: it hides the ratio of the others."""
    return {"xl/media/image1.png": rng.randbytes(size)}


SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"


@family
def workbook_that_unpacks_without_end(rng):
    part = rng.choice(["xl/media/a.xml", SHEET, STRINGS, "[Content_Types].xml", "xl/workbook.xml"])
    block = rng.choice([b" ", b"<c/>", b"\0"]) * (1 << 18)
    return Hostile("people.xlsx", streamed(parts(), part, block, rng.randrange(100, 420)))


@family
def workbook_whose_ratio_is_hidden(rng):
    """Within the ratio by an incompressible part; its strings still fill the memory."""
    head = f'<sst xmlns="{MAIN}" count="1">'.encode()
    block = f"<si><t>{WORD}</t></si>".encode() * 10_000
    members = parts(**{STRINGS: head}) | noise(rng, 600_000)
    members[SHEET] = sheet('<row r="1"><c t="s"><v>0</v></c></row>')
    return Hostile(
        "people.xlsx", streamed(members, STRINGS, block, rng.randrange(200, 300), b"</sst>")
    )


@family
def workbook_of_endless_cells(rng):
    head = f'<worksheet xmlns="{MAIN}"><sheetData>'.encode()
    block = b'<row><c t="n"><v>1</v></c></row>' * 8_000
    members = parts(**{SHEET: head}) | noise(rng)
    return Hostile(
        "people.xlsx",
        streamed(members, SHEET, block, rng.randrange(26, 60), b"</sheetData></worksheet>"),
    )


@family
def workbook_with_a_cell_far_away(rng):
    place = rng.choice(
        ["XFD1", "A1048576", "XFD1048576", "ZZZ1", "A99999999999", "1A", "A0", "A-1"]
    )
    row = "".join(filter(str.isdigit, place)) or "1"
    far = f'<row r="{row}"><c r="{place}" t="inlineStr"><is><t>{WORD}</t></is></c></row>'
    return Hostile("people.xlsx", book(**{SHEET: sheet(cells(HEADERS) + far)}))


@family
def workbook_that_says_it_is_huge(rng):
    dimension = (
        f'<dimension ref="A1:XFD1048576"/><cols><col min="1" max="{10**9}" hidden="1"/></cols>'
    )
    inner = sheet(cells(HEADERS, (WORD, "1", "", "", ""))).replace(
        "<sheetData>", dimension + "<sheetData>"
    )
    return Hostile("people.xlsx", book(**{SHEET: inner}))


@family
def workbook_of_very_many_parts(rng):
    many = {f"xl/x{n}.xml": "<a/>" for n in range(rng.randrange(600, 3000))}
    return Hostile("people.xlsx", packed(parts() | many))


@family
def workbook_with_parts_twice(rng):
    whole = parts()
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as package:
        for name, content in whole.items():
            package.writestr(part_named(name), content)
        package.writestr(part_named(rng.choice(["XL/workbook.xml", "xl/WORKBOOK.xml"])), WORD)
    return Hostile("people.xlsx", sink.getvalue())


@family
def workbook_that_expands(rng):
    depth = rng.randrange(5, 12)
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, depth))
    head = f'<!DOCTYPE x [<!ENTITY l0 "{WORD}">{entities}]>'
    return Hostile("people.xlsx", declared(rng, head, f"&l{depth - 1};"))


@family
def workbook_that_reads_a_file(rng):
    place = rng.choice(["file:///etc/passwd", "http://192.0.2.1/x", "file:///proc/self/environ"])
    head = f'<!DOCTYPE x [<!ENTITY % p SYSTEM "{place}"><!ENTITY x SYSTEM "{place}">]>'
    return Hostile("people.xlsx", declared(rng, head, "&x;"))


def declared(rng: random.Random, head: str, entity: str) -> bytes:
    """A document type in one of the parts."""
    part = rng.choice(
        [SHEET, "xl/workbook.xml", "xl/_rels/workbook.xml.rels", STRINGS, "[Content_Types].xml"]
    )
    if part == SHEET:
        row = f'<row r="1"><c t="inlineStr"><is><t>{entity}</t></is></c></row>'
        return book(**{SHEET: sheet(row, head=head)})
    if part == STRINGS:
        strings = f'{head}<sst xmlns="{MAIN}"><si><t>{entity}</t></si></sst>'
        row = '<row r="1"><c t="s"><v>0</v></c></row>'
        return book(**{STRINGS: strings, SHEET: sheet(row)})
    return book(**{part: head + str(parts()[part])})


@family
def workbook_nested_without_end(rng):
    depth = rng.randrange(5_000, 200_000)
    return Hostile("people.xlsx", book(**{SHEET: sheet("<x>" * depth + "</x>" * depth)}))


@family
def workbook_that_takes_from_others(rng):
    extra = rng.choice(
        [
            {"xl/externalLinks/externalLink1.xml": "<externalLink/>"},
            {
                "xl/externalLinks/externalLink1.xml": (
                    f'<externalLink xmlns="{MAIN}"><ddeLink ddeService="cmd" ddeTopic="/c {WORD}"/>'
                    "</externalLink>"
                )
            },
            {"xl/connections.xml": "<connections/>"},
            {"xl/queryTables/queryTable1.xml": "<queryTable/>"},
            {"xl/worksheets/_rels/sheet1.xml.rels": outside("image")},
            {"xl/_rels/workbook.xml.rels": outside("attachedTemplate")},
        ]
    )
    return Hostile("people.xlsx", book(**extra))


def outside(kind: str) -> str:
    return (
        f'<Relationships xmlns="{PACKAGE_REL}"><Relationship Id="rId1" TargetMode="External" '
        f'Type="{REL}/{kind}" Target="http://192.0.2.1/{WORD}"/></Relationships>'
    )


@family
def workbook_with_macros(rng):
    extra = rng.choice(
        [
            {"xl/vbaProject.bin": MARK},
            {"xl/macrosheets/sheet1.xml": f"<xm:macrosheet>{WORD}</xm:macrosheet>"},
            {"XL/VBAPROJECT.BIN": MARK},
            {
                "[Content_Types].xml": str(parts()["[Content_Types].xml"]).replace(
                    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
                    "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
                )
            },
        ]
    )
    return Hostile(rng.choice(["people.xlsx", "people.xlsm"]), book(**extra))


@family
def workbook_with_programs_in_it(rng):
    name = rng.choice(
        ["xl/embeddings/oleObject1.bin", "xl/activeX/activeX1.bin", "customUI/customUI.xml",
         "xl/webextensions/webextension1.xml", "xl/embeddings/x.exe"]
    )  # fmt: skip
    return Hostile("people.xlsx", book(**{name: MARK + rng.randbytes(50)}))


@family
def workbook_of_formulas(rng):
    formula = rng.choice(
        ["cmd|'/C calc'!A0", 'HYPERLINK("http://192.0.2.1/","x")', 'WEBSERVICE("http://192.0.2.1/")',
         "1+1", 'IMPORTXML("x","y")', "EXEC(1)"]
    )  # fmt: skip
    row = f'<row r="2"><c r="A2"><f>{escape(formula)}</f><v>{WORD}</v></c></row>'
    return Hostile("people.xlsx", book(**{SHEET: sheet(cells(HEADERS) + row)}))


@family
def workbook_with_merged_or_faulty_cells(rng):
    if rng.random() < 0.5:
        foot = '<mergeCells count="1"><mergeCell ref="A1:A2"/></mergeCells>'
        return Hostile("people.xlsx", book(**{SHEET: sheet(foot=foot)}))
    row = '<row r="2"><c r="A2" t="e"><v>#REF!</v></c></row>'
    return Hostile("people.xlsx", book(**{SHEET: sheet(cells(HEADERS) + row)}))


@family
def workbook_without_a_sheet(rng):
    hidden = str(parts()["xl/workbook.xml"]).replace("sheetId", 'state="veryHidden" sheetId')
    other = rng.choice([hidden, "<workbook/>", "", "<a"])
    return Hostile("people.xlsx", book(**{"xl/workbook.xml": other}))


@family
def workbook_whose_sheet_is_elsewhere(rng):
    target = rng.choice(["../../../../etc/passwd", "/etc/passwd", "worksheets/../../../x.xml"])
    links = str(parts()["xl/_rels/workbook.xml.rels"]).replace("worksheets/sheet1.xml", target)
    return Hostile("people.xlsx", book(**{"xl/_rels/workbook.xml.rels": links}))


@family
def archive_that_leaves_its_folder(rng):
    way = rng.choice(["../../../../tmp/", "/etc/", "..\\..\\"])
    return Hostile("people.xlsx", packed({f"{way}{WORD}.xml": "<a/>"}))


@family
def archive_in_an_archive(rng):
    inner = packed({"a.txt": bytes(1 << 20)})
    for _ in range(rng.randrange(3, 9)):
        inner = packed({f"{n}.zip": inner for n in range(8)})
    return Hostile(rng.choice(["people.xlsx", "people.zip"]), inner)


@family
def archive_whose_parts_overlap(rng):
    """Very many names in the directory, all of one and the same packed bytes."""
    body = zlib.compress(bytes(BOMB_MEBIBYTES << 20), 9)[2:-4]
    checksum = zlib.crc32(bytes(BOMB_MEBIBYTES << 20))
    sizes = struct.pack("<III", checksum, len(body), BOMB_MEBIBYTES << 20)
    name = b"xl/a.xml"
    local = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0" + sizes + struct.pack("<HH", len(name), 0) + name
    entry = b"PK\x01\x02\x14\0\x14\0\0\0\x08\0\0\0\0\0" + sizes
    entry += struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, 0) + name
    count = rng.randrange(50, 400)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(entry) * count,
                      len(local) + len(body), 0)  # fmt: skip
    return Hostile("people.xlsx", local + body + entry * count + end)


@family
def archive_that_lies_about_its_sizes(rng):
    whole = bytearray(streamed(parts(), SHEET, bytes(1 << 20), rng.randrange(30, 80)))
    at = whole.rindex(b"PK\x01\x02") + 24
    whole[at : at + 4] = struct.pack("<I", rng.randrange(1, 900))
    return Hostile("people.xlsx", bytes(whole))


@family
def archive_cut_or_broken(rng):
    whole = bytearray(book())
    if rng.random() < 0.5:
        return Hostile("people.xlsx", bytes(whole[: rng.randrange(5, len(whole) - 30)]))
    for _ in range(30):
        whole[rng.randrange(4, len(whole))] ^= 0xFF
    return Hostile("people.xlsx", bytes(whole))


@family
def archive_under_a_password(rng):
    whole = bytearray(book())
    for start in (b"PK\x03\x04", b"PK\x01\x02"):
        at = -1
        while (at := whole.find(start, at + 1)) >= 0:
            whole[at + (6 if start[2] == 3 else 8)] |= 1
    return Hostile("people.xlsx", bytes(whole))


@family
def old_or_sealed_workbook(rng):
    sealed = "EncryptedPackage".encode("utf-16-le") if rng.random() < 0.5 else b""
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)
    return Hostile(
        rng.choice(["people.xls", "people.xlsx"]), head + sealed + MARK + rng.randbytes(900)
    )


@family
def sheet_of_another_program(rng):
    spreadsheet = "application/vnd.oasis.opendocument.spreadsheet"
    members = rng.choice(
        [
            {
                "mimetype": spreadsheet,
                "content.xml": f"<office:document-content>{WORD}</office:document-content>",
            },
            {
                "word/document.xml": f"<w:document>{WORD}</w:document>",
                "[Content_Types].xml": "<Types/>",
            },
            {"xl/workbook.bin": MARK, "[Content_Types].xml": "<Types/>"},
            {"META-INF/MANIFEST.MF": WORD, "A.class": b"\xca\xfe\xba\xbe"},
        ]
    )
    return Hostile(rng.choice(["people.ods", "people.xlsx", "people.xlsb"]), packed(members))
