"""Seeded defects: what the proof must notice when it is broken (see `switchboard`)."""


def plant(name: str) -> None:
    """Break this process as the named defect says; nothing for no name."""
