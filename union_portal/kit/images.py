"""Photos: decoded, bounded and written anew, so that only pixels remain."""

import io
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_noop
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from union_portal.kit.refusals import Refused

MAX_PIXELS: Final = 50_000_000
_DECODING: Final = threading.Lock()
LONGEST_SIDE: Final = 4_000
_MEDIA_TYPES: Final = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_MODES: Final = {
    "JPEG": ("L", "RGB"),
    "PNG": ("L", "LA", "RGB", "RGBA", "1"),
    "WEBP": ("RGB", "RGBA"),
}
_BROKEN: Final = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
)


class ImageError(Refused):
    """A picture that cannot be accepted, with the remedy."""


@dataclass(frozen=True)
class CleanImage:
    """A picture written anew: no EXIF, no place, no comments, upright."""

    content: bytes
    media_type: str
    width: int
    height: int


def clean_image(content: bytes, *, max_pixels: int = MAX_PIXELS) -> CleanImage:
    """Decode a JPEG, PNG or WebP and write it anew without metadata.

    The size in pixels is read from the header before anything is decoded; sides over 4,000
    pixels are scaled down, of an animation the first frame stays. Errors: ImageError.
    """
    try:
        with warnings.catch_warnings(), _strict_decoding():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(content), formats=tuple(_MEDIA_TYPES))
            if picture.width * picture.height > max_pixels:
                raise _too_many_pixels(max_pixels)
            return _written_anew(picture)
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(max_pixels) from error
    except _BROKEN as error:
        raise ImageError(
            gettext_noop("The picture is damaged or incomplete."),
            gettext_noop("Take the photo again or export it anew as JPEG."),
        ) from error


@contextmanager
def _strict_decoding() -> Iterator[None]:
    """Refuse cut pictures even where WeasyPrint has told Pillow to tolerate them."""
    with _DECODING:
        tolerated = ImageFile.LOAD_TRUNCATED_IMAGES
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        try:
            yield
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = tolerated


def _too_many_pixels(max_pixels: int) -> ImageError:
    return ImageError(
        gettext_noop("The picture has more than %(megapixels)s million pixels."),
        gettext_noop("Take the photo at a lower resolution."),
        {"megapixels": max_pixels // 1_000_000},
    )


def _written_anew(picture: Image.Image) -> CleanImage:
    kind = str(picture.format)
    picture.load()
    upright = ImageOps.exif_transpose(picture)
    if upright.mode == "P":
        upright = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    if upright.mode not in _MODES[kind]:
        has_alpha = upright.has_transparency_data and kind != "JPEG"
        upright = upright.convert("RGBA" if has_alpha else "RGB")
    bare = Image.new(upright.mode, upright.size)
    bare.paste(upright)
    sink = io.BytesIO()
    bare.save(sink, kind, **({"quality": 90} if kind != "PNG" else {}))
    return CleanImage(sink.getvalue(), _MEDIA_TYPES[kind], bare.width, bare.height)
