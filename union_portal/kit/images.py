"""Photos: decoded, bounded and written anew, so that only pixels remain."""

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_noop

from union_portal.kit import confined
from union_portal.kit.confined import MEBIBYTE
from union_portal.kit.refusals import Refused

MAX_PIXELS: Final = 50_000_000
# Enough for a camera's 50 million pixels decoded at a half, with its copy turned upright.
_BOUNDS: Final = confined.Bounds(memory=152 * MEBIBYTE, seconds=20)
_MOST_BYTES: Final = 64 * MEBIBYTE


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
    """Decode a JPEG, PNG or WebP in a confined process and write it anew without metadata.

    Sides over 5,000 pixels are scaled down, of an animation the first frame stays.
    Errors: ImageError, also for a picture that wants too much memory or time.
    """
    try:
        answer = confined.ask(
            "picture",
            content,
            bounds=_BOUNDS,
            refusal=ImageError,
            most_bytes=_MOST_BYTES,
            max_pixels=max_pixels,
        )
    except confined.Failed as failure:
        raise _too_costly() if failure.is_excess else damaged() from failure
    told = answer.told
    return CleanImage(answer.content, told["media_type"], told["width"], told["height"])


def _too_costly() -> ImageError:
    return ImageError(
        gettext_noop("The picture is too large to be opened."),
        gettext_noop("Take the photo at a lower resolution or save it anew as JPEG."),
    )


def damaged() -> ImageError:
    """The refusal of a picture that can't be decoded."""
    return ImageError(
        gettext_noop("The picture is damaged or incomplete."),
        gettext_noop("Take the photo again or export it anew as JPEG."),
    )
