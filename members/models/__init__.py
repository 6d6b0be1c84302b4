"""Shape and constraints of the members app."""

from members.models.people import BankAccount, Person, Sex

__all__ = ["BankAccount", "Person", "Sex"]
