"""Photos decoded and written anew, so that only pixels remain; runs confined, see `images`."""

import io
import struct
import warnings
from collections.abc import Iterator
from typing import Final

from django.utils.translation import gettext_noop
from PIL import Image, ImageOps, MpoImagePlugin, UnidentifiedImageError

from union_portal.kit.confined import Answer
from union_portal.kit.refusals import Refused

LONGEST_SIDE: Final = 5_000
MEDIA_TYPES: Final = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
# A JPEG that brings further pictures, as phones write them for depth: its first one counts.
_MANY_IN_ONE: Final = MpoImagePlugin.MpoImageFile.format
_MODES: Final = {
    "JPEG": ("L", "RGB"),
    "PNG": ("L", "LA", "RGB", "RGBA", "1"),
    "WEBP": ("RGB", "RGBA"),
}
_JPEG_SCALES: Final = (2, 4, 8)
_ORIENTATION: Final = 0x0112
_BROKEN: Final = (
    UnidentifiedImageError,
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    OverflowError,
    struct.error,
)


def write_anew(content: bytes, *, max_pixels: int) -> Iterator[Answer]:
    """The picture upright, without metadata, no side over 5,000 pixels; of an animation the first.

    The size in pixels is read from the header before anything is decoded. Errors: Refused.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(content), formats=tuple(MEDIA_TYPES))
            if picture.width * picture.height > max_pixels:
                raise too_many_pixels(max_pixels)
            yield _written(picture)
    except Refused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise too_many_pixels(max_pixels) from error
    except _BROKEN as error:
        raise damaged() from error


def too_many_pixels(max_pixels: int) -> Refused:
    return Refused(
        gettext_noop("The picture has more than %(megapixels)s million pixels."),
        gettext_noop("Take the photo at a lower resolution."),
        {"megapixels": max_pixels // 1_000_000},
    )


def damaged() -> Refused:
    return Refused(
        gettext_noop("The picture is damaged or incomplete."),
        gettext_noop("Take the photo again or export it anew as JPEG."),
    )


def warm_up() -> None:
    """Load all that a picture may need: later no file can be opened."""
    turned = Image.Exif()
    turned[_ORIENTATION] = 6
    for kind in MEDIA_TYPES:
        for mode in ("RGB", "P"):
            sink = io.BytesIO()
            picture = Image.new(mode, (8, 8)).convert("RGB" if kind == "JPEG" else mode)
            picture.save(sink, kind, exif=turned.tobytes())
            list(write_anew(sink.getvalue(), max_pixels=64))


def _written(picture: Image.Image) -> Answer:
    kind = "JPEG" if picture.format == _MANY_IN_ONE else str(picture.format)
    if kind == "JPEG":
        _ask_for_less(picture)
    picture.load()
    ImageOps.exif_transpose(picture, in_place=True)
    plain = _reduced(_in_a_common_mode(picture, kind))
    plain.info.clear()
    sink = io.BytesIO()
    plain.save(sink, kind, **({"quality": 90} if kind != "PNG" else {}))
    told = {"media_type": MEDIA_TYPES[kind], "width": plain.width, "height": plain.height}
    return Answer(told, sink.getvalue())


def _ask_for_less(picture: Image.Image) -> None:
    """A JPEG that is too large is decoded at a half, a quarter or an eighth: it costs so much less.

    That keeps cameras' pictures of 50 million pixels within the memory of one of twelve.
    """
    width, height = picture.size
    for scale in _JPEG_SCALES:
        if max(width, height) > LONGEST_SIDE * scale // 2:
            picture.draft(None, (max(1, width // scale), max(1, height // scale)))


def _in_a_common_mode(picture: Image.Image, kind: str) -> Image.Image:
    if picture.mode in _MODES[kind]:
        return picture
    has_alpha = picture.has_transparency_data and kind != "JPEG"
    return picture.convert("RGBA" if has_alpha else "RGB")


def _reduced(picture: Image.Image) -> Image.Image:
    longest = max(picture.size)
    if longest <= LONGEST_SIDE:
        return picture
    plain = picture.convert("L") if picture.mode == "1" else picture
    return plain.reduce(-(-longest // LONGEST_SIDE))
