"""What staff see of people: registers, bank accounts, imports, memberships, unions, consents."""

from members.admin import (
    bank_accounts,
    imports,
    joining,
    memberships,
    merges,
    people,
    person_privacy,
    privacy,
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
    "person_privacy",
    "privacy",
    "statistics",
    "transfers",
    "unions",
]
