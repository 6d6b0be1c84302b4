"""What staff see of people: registers, bank accounts, imports, service cards."""

from members.admin import bank_accounts, card_banks, card_batches, cards, imports, people

__all__ = ["bank_accounts", "card_banks", "card_batches", "cards", "imports", "people"]
