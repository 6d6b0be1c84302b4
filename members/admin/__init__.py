"""What staff see of people: registers, bank accounts, imports, consents, corrections."""

from members.admin import bank_accounts, imports, people, person_privacy, privacy

__all__ = ["bank_accounts", "imports", "people", "person_privacy", "privacy"]
