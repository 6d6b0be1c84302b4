"""What staff see of people: registers, accounts, imports, unions, cards, merchants, consents."""

from members.admin import (
    bank_accounts,
    card_banks,
    card_batches,
    card_steps,
    cards,
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
    "card_banks",
    "card_batches",
    "card_steps",
    "cards",
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
