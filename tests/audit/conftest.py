"""The finance office whose books are edited."""

from tests.disbursement.conftest import doomed_office

__all__ = ["doomed_office"]
