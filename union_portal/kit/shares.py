"""How long a bar is beside the longest one, in whole numbers."""


def thousandths(part: int, whole: int) -> int:
    """`part` in thousandths of `whole`, rounded down; 0 where the whole is 0."""
    return part * 1000 // whole if whole else 0
