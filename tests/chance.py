"""Whether a text tells a short number, or only numbers that chance and the clock put into it."""

import re

# A request's number or a row's random key; a moment to the millionth of a second. Any four digits
# stand in one of them, or in the name of a static file, once in some hundred runs.
_CHANCE = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?"
)


def tells(text: str, short: str) -> bool:
    """Whether the number stands in the text by itself, outside of random keys and moments."""
    return bool(re.search(rf"(?<![0-9A-Za-z]){short}(?![0-9A-Za-z])", _CHANCE.sub("", text)))
