"""What staff see of people: registers, bank accounts, imports; and of merchants and offers."""

from members.admin import (
    bank_accounts,
    complaints,
    imports,
    merchant_papers,
    merchants,
    offers,
    people,
)

__all__ = [
    "bank_accounts",
    "complaints",
    "imports",
    "merchant_papers",
    "merchants",
    "offers",
    "people",
]
