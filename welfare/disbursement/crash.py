"""Named places between the database and the world outside, where dying would be worst."""


def point(name: str) -> None:
    """Nothing; a proof puts in its place what kills or stops the process here.

    Commits need no such call: the proof finds them by itself.
    """
