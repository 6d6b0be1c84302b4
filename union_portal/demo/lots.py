"""The demo's dice: the same words give the same lots, on every machine and every time."""

import random

Lots = random.Random


def lots(*words: object) -> Lots:
    """Dice of their own for whatever the words name."""
    return Lots("demo:" + ":".join(map(str, words)))
