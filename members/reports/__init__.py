"""What staff and members print and download of people."""

from members.reports import letters, own_data, statistics

__all__ = ["letters", "own_data", "statistics"]
