"""Uploaded evidence is judged by its content and stored without what it carries along."""

import io
import random
import struct
import zlib
from collections.abc import Callable

import pikepdf
import pytest
from PIL import Image, ImageFile

from union_portal.kit.documents import DocumentError, check_pdf
from union_portal.kit.images import ImageError, clean_image
from union_portal.kit.media_types import sniff
from union_portal.kit.uploads import UploadError, clean_upload


def picture(
    kind: str, size: tuple[int, int] = (40, 30), mode: str = "RGB", **options: object
) -> bytes:
    sink = io.BytesIO()
    Image.new(mode, size, 120).save(sink, kind, **options)
    return sink.getvalue()


def pdf(change: Callable[[pikepdf.Pdf], object] = lambda _: None, pages: int = 1) -> bytes:
    document = pikepdf.new()
    for _ in range(pages):
        document.add_blank_page()
    change(document)
    sink = io.BytesIO()
    document.save(sink)
    return sink.getvalue()


def with_exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[2] = (38.0, 17.0, 0.0)
    return picture("JPEG", exif=exif)


@pytest.mark.parametrize(
    ("kind", "name"), [("JPEG", "a.JPG"), ("PNG", "a.png"), ("WEBP", "a.webp")]
)
def test_photos_are_accepted_and_stay_what_they_are(kind: str, name: str) -> None:
    upload = clean_upload(name, picture(kind))
    assert upload.media_type == sniff(upload.content) == f"image/{kind.lower()}"
    assert Image.open(io.BytesIO(upload.content)).size == (40, 30)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "I;16"])
def test_every_png_mode_survives(mode: str) -> None:
    assert clean_image(picture("PNG", mode=mode)).width == 40


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_every_jpeg_mode_survives(mode: str) -> None:
    assert clean_image(picture("JPEG", mode=mode)).width == 40


def test_a_photo_loses_its_metadata_and_stands_upright() -> None:
    clean = clean_image(with_exif())
    assert b"SecretCamera" in with_exif()
    assert b"SecretCamera" not in clean.content
    assert b"Exif" not in clean.content
    assert (clean.width, clean.height) == (30, 40)


def test_what_is_hidden_behind_a_photo_is_left_behind() -> None:
    assert b"<script>" not in clean_image(picture("PNG") + b"<script>alert(1)</script>").content


def test_a_palette_keeps_its_colours() -> None:
    source = Image.new("RGB", (10, 10), (200, 30, 40)).quantize(4)
    sink = io.BytesIO()
    source.save(sink, "PNG")
    clean = Image.open(io.BytesIO(clean_image(sink.getvalue()).content))
    assert clean.convert("RGB").getpixel((5, 5)) == (200, 30, 40)


def png_bomb(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 100_000, 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [8_000, 12_000, 60_000])
def test_an_image_bomb_is_refused_by_its_header(side: int) -> None:
    with pytest.raises(ImageError, match="more than 50 million pixels"):
        clean_image(png_bomb(side, side))


def test_a_large_photo_is_scaled_down() -> None:
    assert clean_image(picture("JPEG", (6000, 3000))).width == 3000
    assert clean_image(picture("PNG", (6000, 3000))).width == 3000
    assert clean_image(picture("JPEG", (4032, 3024))).width == 4032


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("percent", [1, 30, 60, 90])
@pytest.mark.parametrize("is_tolerated_elsewhere", [False, True])
def test_a_cut_photo_is_refused(
    kind: str, percent: int, is_tolerated_elsewhere: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", is_tolerated_elsewhere)
    sink = io.BytesIO()
    Image.frombytes("L", (300, 300), random.Random(1).randbytes(90_000)).save(sink, kind)
    photo = sink.getvalue()
    with pytest.raises(ImageError, match="damaged or incomplete"):
        clean_image(photo[: len(photo) * percent // 100])


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.jpg", b"", "empty"),
        ("a.heic", b"\0\0\0\x18ftypheic" + b"\0" * 20, "HEIC"),
        ("a.gif", b"GIF89a" + b"\0" * 20, "Only photos"),
        ("a.svg", b"<svg onload='x'/>", "Only photos"),
        ("a.exe", b"MZ" + b"\0" * 20, "Only photos"),
        ("a.png", picture("JPEG"), r"ends in \.png, but the content is JPG"),
        ("a.pdf", picture("PNG"), r"ends in \.pdf, but the content is PNG"),
        ("a.jpg", pdf(), r"ends in \.jpg, but the content is PDF"),
        ("a.jpg", b"\xff\xd8\xff" * 4_000_000, "larger than 10 MB"),
    ],
)
def test_what_is_not_accepted_is_explained(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(UploadError, match=reason) as refusal:
        clean_upload(name, content)
    assert refusal.value.remedy


def test_a_plain_pdf_is_accepted_with_its_pages() -> None:
    upload = clean_upload("证明.pdf", pdf(pages=3))
    assert (upload.media_type, upload.pages) == ("application/pdf", 3)


def open_action(action: dict[str, object]) -> Callable[[pikepdf.Pdf], object]:
    def change(document: pikepdf.Pdf) -> None:
        document.Root.OpenAction = document.make_indirect(pikepdf.Dictionary(action))

    return change


def script_in_a_link(document: pikepdf.Pdf) -> None:
    action = pikepdf.Dictionary(S=pikepdf.Name("/JavaScript"), JS="app.alert(1)")
    link = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, A=action)
    document.pages[0].Annots = pikepdf.Array([link])


def attachment(document: pikepdf.Pdf) -> None:
    document.attachments["x.exe"] = b"MZ"


def unreferenced_script(document: pikepdf.Pdf) -> None:
    document.Root.Spare = document.make_indirect(pikepdf.Dictionary(JS="1"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (open_action({"/S": pikepdf.Name("/JavaScript"), "/JS": "1"}), "contains a script"),
        (script_in_a_link, "contains a script"),
        (unreferenced_script, "contains a script"),
        (open_action({"/S": pikepdf.Name("/Launch"), "/F": "cmd"}), "start programs"),
        (open_action({"/S": pikepdf.Name("/SubmitForm")}), "start programs"),
        (attachment, "embedded in it"),
        (lambda d: setattr(d.Root, "AcroForm", pikepdf.Dictionary(XFA="x")), "XFA"),
    ],
)
def test_a_pdf_that_does_something_is_refused(
    change: Callable[[pikepdf.Pdf], object], reason: str
) -> None:
    with pytest.raises(DocumentError, match=reason) as refusal:
        check_pdf(pdf(change), max_pages=10)
    assert refusal.value.remedy


@pytest.mark.parametrize("password", ["", "secret"])
def test_an_encrypted_pdf_is_refused(password: str) -> None:
    document, sink = pikepdf.new(), io.BytesIO()
    document.add_blank_page()
    document.save(sink, encryption=pikepdf.Encryption(owner="o", user=password))
    with pytest.raises(DocumentError, match="password"):
        check_pdf(sink.getvalue(), max_pages=10)


def test_too_many_pages_are_refused() -> None:
    with pytest.raises(DocumentError, match="11 pages; at most 10"):
        check_pdf(pdf(pages=11), max_pages=10)


@pytest.mark.parametrize("content", [b"%PDF-1.7\nnonsense", b"%PDF-1.7\n" + b"[" * 200_000])
def test_a_damaged_pdf_is_refused(content: bytes) -> None:
    with pytest.raises(DocumentError, match="damaged"):
        check_pdf(content, max_pages=10)


def test_a_pdf_that_unpacks_without_end_costs_only_the_child() -> None:
    packed = zlib.compress(b"\0" * 600_000_000, 9)
    head = (
        f"%PDF-1.5\n1 0 obj\n<</Type/ObjStm/N 1/First 10/Filter/FlateDecode/Length {len(packed)}>>"
        "\nstream\n"
    ).encode()
    body = head + packed + b"\nendstream\nendobj\n"
    table = zlib.compress(struct.pack(">BHH", 2, 1, 0) * 3 + struct.pack(">BHH", 1, 9, 0))
    xref = (
        f"9 0 obj\n<</Type/XRef/Size 4/W[1 2 2]/Root 2 0 R/Filter/FlateDecode"
        f"/Length {len(table)}>>\nstream\n"
    ).encode()
    content = body + xref + table + f"\nendstream\nendobj\nstartxref\n{len(body)}\n%%EOF".encode()
    with pytest.raises(DocumentError, match="damaged"):
        check_pdf(content, max_pages=10)


@pytest.mark.parametrize(
    "content",
    [b"<html><script>alert(1)</script>\n" + pdf(), pdf() + b"PK\x03\x04 and what follows it"],
    ids=["a page in front", "an archive behind"],
)
def test_a_paper_that_is_something_else_as_well_is_refused(content: bytes) -> None:
    with pytest.raises((UploadError, DocumentError), match=r"Only photos|hidden behind"):
        clean_upload("bill.pdf", content)


def acts_when_opened(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.URI, URI="http://192.0.2.1/")


def acts_on_an_event(document: pikepdf.Pdf) -> None:
    action = pikepdf.Dictionary(S=pikepdf.Name.URI, URI="http://192.0.2.1/")
    document.pages[0].AA = pikepdf.Dictionary(O=action)


def lies_elsewhere(document: pikepdf.Pdf) -> None:
    stream = document.make_stream(b"")
    stream.F = pikepdf.String("/etc/passwd")
    document.pages[0].Contents = stream


@pytest.mark.parametrize("change", [acts_when_opened, acts_on_an_event, lies_elsewhere])
def test_a_paper_that_reaches_out_by_itself_is_refused(
    change: Callable[[pikepdf.Pdf], object],
) -> None:
    with pytest.raises(DocumentError, match="start programs or open other files"):
        check_pdf(pdf(change), max_pages=10)


def test_a_link_in_a_paper_is_harmless() -> None:
    def change(document: pikepdf.Pdf) -> None:
        action = pikepdf.Dictionary(S=pikepdf.Name.URI, URI="https://example.org/")
        link = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, A=action)
        document.pages[0].Annots = pikepdf.Array([link])

    assert check_pdf(pdf(change), max_pages=10) == 1


def test_a_photo_of_many_pictures_is_its_first_one() -> None:
    """Phones write the depth or a brighter version behind the picture itself."""
    sink = io.BytesIO()
    first, second = Image.new("RGB", (40, 30), "red"), Image.new("RGB", (40, 30), "blue")
    first.save(sink, "MPO", save_all=True, append_images=[second])
    upload = clean_upload("IMG_1.JPG", sink.getvalue())
    kept = Image.open(io.BytesIO(upload.content))
    assert (kept.format, getattr(kept, "n_frames", 1)) == ("JPEG", 1)
    red, _green, blue = kept.convert("RGB").getpixel((5, 5))
    assert red > 200 > blue
