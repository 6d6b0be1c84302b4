"""PDF documents that mean harm."""

import io
import random
import struct
import zlib

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from tests.uploads.corpus import MARK, Hostile, family

EVENTS = ("O", "C", "WC", "WS", "DS", "WP")


def document(change=lambda _document: None, *, pages: int = 1, **how) -> bytes:
    made = pikepdf.new()
    for _ in range(pages):
        made.add_blank_page()
    change(made)
    sink = io.BytesIO()
    made.save(sink, deterministic_id="encryption" not in how, **how)
    return sink.getvalue()


def written(rng: random.Random, change) -> bytes:
    """The document in one of the ways a PDF may be written."""
    modes = [pikepdf.ObjectStreamMode.disable, pikepdf.ObjectStreamMode.generate]
    return document(
        change, pages=rng.randrange(1, 4), object_stream_mode=rng.choice(modes),
        linearize=rng.random() < 0.3,
    )  # fmt: skip


def action(rng: random.Random) -> Dictionary:
    return rng.choice(
        [
            Dictionary(S=Name.JavaScript, JS=String("app.alert(1)")),
            Dictionary(S=Name.Launch, F=String("cmd.exe")),
            Dictionary(S=Name.SubmitForm, F=String("http://192.0.2.1/")),
            Dictionary(S=Name.ImportData, F=String("/etc/passwd")),
            Dictionary(S=Name.GoToR, F=String("//192.0.2.1/share/x.pdf")),
            Dictionary(S=Name.GoToE, F=String("x.pdf")),
        ]
    )


@family
def paper_that_acts_when_opened(rng):
    def change(made):
        what = action(rng)
        if rng.random() < 0.3:
            what = Dictionary(S=Name.URI, URI=String("http://192.0.2.1/"))
        made.Root.OpenAction = made.make_indirect(what)

    return Hostile("bill.pdf", written(rng, change))


@family
def paper_that_acts_on_an_event(rng):
    def change(made):
        holder = rng.choice([made.Root, made.pages[0].obj])
        holder.AA = Dictionary({f"/{rng.choice(EVENTS)}": action(rng)})

    return Hostile("bill.pdf", written(rng, change))


@family
def paper_with_an_acting_link(rng):
    def change(made):
        link = Dictionary(
            Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=action(rng)
        )
        made.pages[0].Annots = Array([made.make_indirect(link)])

    return Hostile("bill.pdf", written(rng, change))


@family
def paper_with_an_action_behind_another(rng):
    def change(made):
        what = Dictionary(S=Name.GoTo, D=Array([made.pages[0].obj, Name.Fit]), Next=action(rng))
        made.Root.OpenAction = what

    return Hostile("bill.pdf", written(rng, change))


@family
def paper_with_a_named_script(rng):
    def change(made):
        script = Dictionary(S=Name.JavaScript, JS=made.make_stream(b"app.alert(1)//" + MARK))
        made.Root.Names = Dictionary(
            JavaScript=Dictionary(Names=Array([String("x"), made.make_indirect(script)]))
        )

    return Hostile("bill.pdf", written(rng, change))


@family
def paper_with_a_script_spelled_in_hexadecimal(rng):
    plain = document(lambda made: setattr(made.Root, "OpenAction", Dictionary(S=Name.JavaScript)))
    return Hostile("bill.pdf", plain.replace(b"/JavaScript", b"/J#61v#61Script"))


@family
def paper_with_a_file_in_it(rng):
    def change(made):
        made.attachments[rng.choice(["x.exe", "x.pdf", "x.js"])] = MARK + rng.randbytes(100)
        if rng.random() < 0.5:
            made.Root.Collection = Dictionary(View=Name.H)

    return Hostile("bill.pdf", written(rng, change))


@family
def paper_with_a_pinned_file(rng):
    def change(made):
        body = made.make_stream(MARK)
        spec = Dictionary(F=String("x.exe"), EF=Dictionary(F=body))
        pin = Dictionary(Type=Name.Annot, Subtype=Name.FileAttachment, FS=spec)
        made.pages[0].Annots = Array([pin])

    return Hostile("bill.pdf", written(rng, change))


@family
def paper_with_a_dynamic_form(rng):
    def change(made):
        form = made.make_stream(b"<xdp:xdp>" + MARK + b"</xdp:xdp>")
        made.Root.AcroForm = Dictionary(Fields=Array([]), XFA=form)

    return Hostile("bill.pdf", written(rng, change))


@family
def paper_with_film_or_sound(rng):
    def change(made):
        kind = rng.choice(["RichMedia", "Screen", "Movie", "Sound", "3D"])
        note = Dictionary({"/Type": Name.Annot, "/Subtype": Name(f"/{kind}")})
        made.pages[0].Annots = Array([note])

    return Hostile("bill.pdf", written(rng, change))


@family
def paper_whose_content_lies_elsewhere(rng):
    def change(made):
        stream = made.make_stream(b"")
        stream.F = String(rng.choice(["/etc/passwd", "http://192.0.2.1/x"]))
        made.pages[0].Contents = stream

    return Hostile("bill.pdf", written(rng, change))


@family
def paper_under_a_password(rng):
    lock = pikepdf.Encryption(owner="o", user=rng.choice(["", "x"]), R=rng.choice([4, 6]))
    return Hostile("bill.pdf", document(encryption=lock))


@family
def paper_of_very_many_pages(rng):
    return Hostile("bill.pdf", document(pages=rng.randrange(51, 200)))


@family
def paper_of_endless_pages(rng):
    """Ten children a node, the same one ten times: ten to the power of the depth."""
    depth, objects = rng.randrange(7, 12), []
    for level in range(depth):
        kids = " ".join([f"{level + 3} 0 R"] * 10)
        objects.append(f"{level + 2} 0 obj<</Type/Pages/Count {10**9}/Kids[{kids}]>>endobj")
    objects.append(f"{depth + 2} 0 obj<</Type/Page/MediaBox[0 0 9 9]>>endobj")
    return Hostile("bill.pdf", plain_paper("\n".join(objects)))


@family
def paper_whose_pages_go_in_a_circle(rng):
    body = "2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj\n"
    body += "3 0 obj<</Type/Pages/Count 1/Parent 2 0 R/Kids[2 0 R]>>endobj"
    return Hostile("bill.pdf", plain_paper(body))


def plain_paper(body: str, *, trailer: str = "") -> bytes:
    head = f"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n{body}\n"
    return f"{head}trailer<</Root 1 0 R/Size 30{trailer}>>\nstartxref\n9\n%%EOF".encode()


@family
def paper_nested_without_end(rng):
    depth = rng.randrange(70, 60_000)
    opened, closed = rng.choice([("[", "]"), ("<</A ", ">>"), ("[<</K[", "]>>]")])
    body = "2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n4 0 obj "
    return Hostile(
        "bill.pdf", plain_paper(body + opened * depth + "1" + closed * depth + " endobj")
    )


@family
def paper_whose_tables_go_in_a_circle(rng):
    text = "%PDF-1.5\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\nxref\n0 1\n0000000000 65535 f \n"
    at = text.index("xref")
    return Hostile(
        "bill.pdf",
        (
            f"{text}trailer<</Root 1 0 R/Size 9/Prev {at}/XRefStm {at}>>\nstartxref\n{at}\n%%EOF"
        ).encode(),
    )


def packed_zeros(mebibytes: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(mebibytes)) + packer.flush()


@family
def paper_whose_objects_unpack_without_end(rng):
    packed = packed_zeros(rng.randrange(100, 260))
    filters = rng.choice(["/FlateDecode", "[/FlateDecode/FlateDecode]"])
    if filters.startswith("["):
        packed = zlib.compress(packed, 9)
    body = (
        f"%PDF-1.5\n1 0 obj<</Type/ObjStm/N 1/First 10/Filter{filters}/Length {len(packed)}>>\n"
        "stream\n"
    ).encode() + packed + b"\nendstream\nendobj\n"  # fmt: skip
    table = zlib.compress(struct.pack(">BHH", 2, 1, 0) * 3 + struct.pack(">BHH", 1, 9, 0))
    xref = (
        f"9 0 obj<</Type/XRef/Size 4/W[1 2 2]/Root 2 0 R/Filter/FlateDecode/Length {len(table)}>>\n"
        "stream\n"
    ).encode()
    return Hostile(
        "bill.pdf",
        body + xref + table + f"\nendstream\nendobj\nstartxref\n{len(body)}\n%%EOF".encode(),
    )


@family
def paper_of_very_many_values(rng):
    body = "2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n4 0 obj["
    return Hostile(
        "bill.pdf", plain_paper(body + "1 " * rng.randrange(510_000, 600_000) + "]endobj")
    )


@family
def page_that_is_a_paper_too(rng):
    head = b"<html><script>/*" + MARK + b"*/alert(1)</script>" + b" " * rng.randrange(900)
    return Hostile(rng.choice(["bill.pdf", "bill.html"]), head + b"\n" + document())


@family
def archive_behind_a_paper(rng):
    behind = rng.choice([b"PK\x03\x04", b"<script>", b"MZ\x90\0"])
    return Hostile("bill.pdf", document() + behind + MARK + rng.randbytes(rng.randrange(40, 4000)))


@family
def paper_cut_or_made_up(rng):
    whole = document(pages=3)
    cut = whole[: rng.randrange(20, len(whole) // 2)]
    return Hostile("bill.pdf", rng.choice([cut, b"%PDF-1.7\n" + rng.randbytes(3000)]))
