"""Requests to end a run: heard once, and never in the middle of its clean-up."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

REQUESTS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    """Somebody asked this run to end."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def listen() -> None:
    """From now on a request to end raises Interrupted."""
    _answer(_interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    # Once is enough: what follows is the clean-up, which must not be cut short itself.
    # (A handler and not SIG_IGN, which the clean-up's own programs would inherit.)
    _answer(lambda number, frame: None)
    raise Interrupted(number)


def _answer(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in REQUESTS:
        signal.signal(number, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Requests wait until the block is done."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, REQUESTS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
