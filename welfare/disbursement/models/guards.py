"""A column that knows its transaction."""

from django.db import models


class TransactionIdField(models.Field):
    """The 64-bit id of a transaction: the same inside savepoints, unlike `xmin`."""

    def db_type(self, connection: object) -> str:
        return "xid8"

    def get_internal_type(self) -> str:
        return "TransactionIdField"
