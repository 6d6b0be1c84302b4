"""What staff see of people: registers, bank accounts, imports, memberships, unions."""

from members.admin import (
    bank_accounts,
    imports,
    joining,
    memberships,
    merges,
    people,
    statistics,
    transfers,
    unions,
)

__all__ = [
    "bank_accounts",
    "imports",
    "joining",
    "memberships",
    "merges",
    "people",
    "statistics",
    "transfers",
    "unions",
]
