"""Pictures that mean harm: bombs, polyglots, what a camera tells, and what is no picture at all."""

import io
import random
import struct
import zlib
from functools import cache

from PIL import Image, PngImagePlugin

from tests.uploads.corpus import MARK, Hostile, family

SCRIPT = b"<script>/*" + MARK + b"*/alert(1)</script>"
KINDS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}


def photo(rng: random.Random, kind: str = "JPEG", **more: object) -> bytes:
    """A sound picture of random colours and size."""
    size = (rng.randrange(20, 200), rng.randrange(20, 200))
    sink = io.BytesIO()
    Image.new("RGB", size, tuple(rng.randbytes(3))).save(sink, kind, **more)
    return sink.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *chunks: bytes, pixels: int = 9_000) -> bytes:
    """A PNG with such a header and far fewer pixels than it says."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(pixels), 9))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", head), *chunks, body, chunk(b"IEND", b"")]
    )


def side(rng: random.Random) -> int:
    return rng.choice([8_000, 12_000, 30_000, 65_000]) + rng.randrange(500)


@family
def png_of_many_pixels(rng):
    return Hostile("scan.png", png(side(rng), side(rng)))


@family
def png_whose_pixels_never_come(rng):
    """Within the limit by its header; the decoder has to notice."""
    return Hostile("scan.png", png(rng.randrange(3000, 7000), rng.randrange(3000, 7000)))


@family
def png_that_unpacks_beyond_its_pixels(rng):
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(1 << 20)) for _ in range(rng.randrange(100, 300)))
    head = struct.pack(">IIBBBBB", 6000, 6000, 16, 6, 0, 0, 0)
    body = chunk(b"IDAT", rows + packer.flush())
    return Hostile(
        "scan.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body + chunk(b"IEND", b"")
    )


@family
def png_with_a_text_bomb(rng):
    packed = zlib.compress(bytes(rng.randrange(70, 120) << 20), 9)
    text = chunk(rng.choice([b"zTXt", b"iCCP"]), b"Comment\0\0" + packed)
    return Hostile("scan.png", png(50, 50, text, pixels=50 * 151), may_be_clean=True)


@family
def gif_of_many_pixels(rng):
    return Hostile("scan.gif", b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\0\0\0" + MARK)


@family
def webp_of_many_pixels(rng):
    width, height = 16_383, rng.randrange(9_000, 16_383)
    bits = (width - 1) | (height - 1) << 14
    body = b"VP8L" + struct.pack("<I", 64) + b"\x2f" + struct.pack("<I", bits) + bytes(59)
    whole = b"WEBP" + body
    return Hostile("scan.webp", b"RIFF" + struct.pack("<I", len(whole)) + whole)


@family
def jpeg_of_many_pixels(rng):
    plain = bytearray(photo(rng))
    at = plain.index(b"\xff\xc0") + 5
    plain[at : at + 4] = struct.pack(">HH", side(rng) % 65_536, 65_000)
    return Hostile("scan.jpg", bytes(plain))


@family
def progressive_jpeg_of_many_scans(rng):
    """Within the pixels that are allowed, but a progressive one is held whole to be decoded."""
    return Hostile("scan.jpg", large_progressive_jpeg() + rng.randbytes(9), may_be_clean=True)


@cache
def large_progressive_jpeg() -> bytes:
    sink = io.BytesIO()
    Image.new("CMYK", (5000, 5000)).save(sink, "JPEG", progressive=True, quality=1)
    return sink.getvalue()


@family
def tiff(rng):
    sink = io.BytesIO()
    Image.new("L", (64, 64)).save(sink, "TIFF", description=MARK.decode())
    return Hostile(rng.choice(["scan.tif", "scan.jpg"]), sink.getvalue())


@family
def cut_in_the_middle(rng):
    kind = rng.choice(sorted(KINDS))
    noise = Image.frombytes("L", (200, 200), rng.randbytes(40_000))
    sink = io.BytesIO()
    noise.save(sink, kind)
    whole = sink.getvalue()
    return Hostile(f"photo.{KINDS[kind]}", whole[: int(len(whole) * rng.uniform(0.1, 0.9))])


@family
def with_flipped_bits(rng):
    kind = rng.choice(sorted(KINDS))
    whole = bytearray(photo(rng, kind))
    for _ in range(rng.randrange(1, 30)):
        whole[rng.randrange(12, len(whole))] = rng.randrange(256)
    return Hostile(f"photo.{KINDS[kind]}", bytes(whole), may_be_clean=True)


@family
def animated(rng):
    frames = [Image.new("RGB", (60, 60), tuple(rng.randbytes(3))) for _ in range(12)]
    kind = rng.choice(["PNG", "WEBP"])
    sink = io.BytesIO()
    frames[0].save(sink, kind, save_all=True, append_images=frames[1:])
    return Hostile(f"photo.{KINDS[kind]}", sink.getvalue() + MARK, may_be_clean=True)


@family
def with_many_pictures_in_one(rng):
    sink = io.BytesIO()
    first, second = (Image.new("RGB", (90, 60), tuple(rng.randbytes(3))) for _ in range(2))
    first.save(sink, "MPO", save_all=True, append_images=[second], comment=MARK)
    return Hostile("photo.jpg", sink.getvalue(), may_be_clean=True)


@family
def with_the_place_it_was_taken(rng):
    exif = Image.Exif()
    exif[0x010E] = MARK.decode()
    exif[0x0112] = rng.randrange(1, 9)
    exif.get_ifd(0x8825)[2] = (38.0, float(rng.randrange(60)), 0.0)
    kind = rng.choice(sorted(KINDS))
    return Hostile(f"photo.{KINDS[kind]}", photo(rng, kind, exif=exif), may_be_clean=True)


@family
def with_broken_exif(rng):
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + b"\xff\xff" + MARK + rng.randbytes(200)
    return Hostile("photo.jpg", photo(rng, exif=exif), may_be_clean=True)


@family
def with_words_in_it(rng):
    kind = rng.choice(["JPEG", "PNG"])
    if kind == "JPEG":
        return Hostile("photo.jpg", photo(rng, comment=SCRIPT), may_be_clean=True)
    words = PngImagePlugin.PngInfo()
    words.add_itxt("XML:com.adobe.xmp", SCRIPT.decode())
    words.add_text("Comment", "<?php /*" + MARK.decode() + "*/ ?>")
    return Hostile("photo.png", photo(rng, "PNG", pnginfo=words), may_be_clean=True)


@family
def with_an_archive_behind_it(rng):
    kind = rng.choice(sorted(KINDS))
    behind = b"PK\x03\x04" + MARK + rng.randbytes(rng.randrange(10, 5000))
    return Hostile(f"photo.{KINDS[kind]}", photo(rng, kind) + behind, may_be_clean=True)


@family
def with_a_page_behind_it(rng):
    kind = rng.choice(sorted(KINDS))
    return Hostile(f"photo.{KINDS[kind]}", photo(rng, kind) + SCRIPT, may_be_clean=True)


@family
def jpeg_that_is_a_pdf_too(rng):
    inner = b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(1)>>>>endobj" + MARK
    return Hostile("photo.jpg", photo(rng, comment=inner), may_be_clean=True)


@family
def gif_that_is_a_script(rng):
    return Hostile(
        rng.choice(["photo.gif", "photo.jpg"]), b"GIF89a/*" + MARK + b"*/=alert(1);" + bytes(60)
    )


@family
def bmp_that_is_a_script(rng):
    return Hostile("photo.bmp", b"BM=1;/*" + MARK + b"*/" + rng.randbytes(50))


@family
def drawing_with_a_script(rng):
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">' + SCRIPT + b"</svg>"
    head = rng.choice([b"", b"<?xml version='1.0'?>", b"\xef\xbb\xbf", b"\n" * 900])
    return Hostile(rng.choice(["logo.svg", "logo.png", "logo.jpg"]), head + drawing)


@family
def drawing_that_reads_a_file(rng):
    return Hostile(
        "logo.svg",
        b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        b'<svg xmlns="http://www.w3.org/2000/svg"><text>&x;' + MARK + b"</text></svg>",
    )


@family
def photo_of_a_phone_in_heic(rng):
    brand = rng.choice([b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis", b"hevc"])
    return Hostile(
        rng.choice(["IMG_1.HEIC", "IMG_1.jpg"]),
        struct.pack(">I", 24) + b"ftyp" + brand + bytes(4) + MARK + rng.randbytes(400),
    )


@family
def icon(rng):
    entry = struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, 2**31, 22)
    return Hostile("favicon.ico", b"\0\0\1\0\1\0" + entry + MARK)


@family
def with_the_magic_of_another(rng):
    magic = rng.choice(
        [
            b"\xff\xd8\xff",
            b"\x89PNG\r\n\x1a\n",
            b"RIFF\x40\0\0\0WEBP",
            b"\xff\xd8\xff\xe0\0\x10JFIF",
        ]
    )
    return Hostile(f"photo.{rng.choice(['jpg', 'png', 'webp'])}", magic + MARK + rng.randbytes(600))


@family
def program_called_a_photo(rng):
    magic = rng.choice(
        [b"MZ\x90\0", b"\x7fELF\2\1\1", b"\xca\xfe\xba\xbe", b"#!/bin/sh\n", b"\0asm"]
    )
    return Hostile(rng.choice(["photo.jpg", "bill.pdf", "people.xlsx"]), magic + MARK + bytes(300))


@family
def nothing(rng):
    return Hostile(rng.choice(["a.jpg", "a.pdf", "a.xlsx", "a.csv"]), b"")


@family
def photo_under_another_name(rng):
    return Hostile(rng.choice(["a.pdf", "a.exe", "a.jpg.html", "a.svg"]), photo(rng))
