"""Reads of the awards app, scoped to the viewer."""

from awards.queries.candidates import (
    Candidate,
    Candidates,
    Summary,
    candidates,
    measured_again,
    person_facts,
)

__all__ = [
    "Candidate",
    "Candidates",
    "Summary",
    "candidates",
    "measured_again",
    "person_facts",
]
