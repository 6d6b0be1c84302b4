"""What staff see of people: registers, bank accounts, imports."""

from members.admin import bank_accounts, imports, people, redemptions

__all__ = ["bank_accounts", "imports", "people", "redemptions"]
