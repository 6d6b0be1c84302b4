"""Bars keep to whole thousandths of the longest, and an empty chart stays empty."""

import pytest

from union_portal.kit.shares import thousandths


@pytest.mark.parametrize(
    ("part", "whole", "share"),
    [
        (0, 0, 0),
        (7, 0, 0),
        (0, 9, 0),
        (9, 9, 1000),
        (1, 2, 500),
        (1, 3, 333),
        (2, 3, 666),
        (1, 1001, 0),
        (999_999_999_999_999_999, 10**18, 999),
    ],
)
def test_a_part_is_told_in_whole_thousandths(part: int, whole: int, share: int) -> None:
    told = thousandths(part, whole)
    assert told == share
    assert type(told) is int
