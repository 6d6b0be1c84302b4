"""The finance office, for inputs that go as far as the database."""

from tests.disbursement.conftest import office

__all__ = ["office"]
