"""Shape and constraints of the members app."""

from members.models.imports import (
    ImportFinding,
    ImportRun,
    RowKind,
    Severity,
    StagedPerson,
    StagedRow,
)
from members.models.logins import LoginCode
from members.models.people import BankAccount, Person, Sex

__all__ = [
    "BankAccount",
    "ImportFinding",
    "ImportRun",
    "LoginCode",
    "Person",
    "RowKind",
    "Severity",
    "Sex",
    "StagedPerson",
    "StagedRow",
]
