"""Reads of the awards app, scoped to the viewer."""

from awards.queries.candidates import (
    Candidate,
    Candidates,
    Summary,
    candidates,
    measured_again,
    person_facts,
)
from awards.queries.recheck import no_longer_payable

__all__ = [
    "Candidate",
    "Candidates",
    "Summary",
    "candidates",
    "measured_again",
    "no_longer_payable",
    "person_facts",
]
