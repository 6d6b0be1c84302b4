"""Reads of the awards app, scoped to the viewer."""

from awards.queries.candidates import (
    Candidate,
    Candidates,
    Summary,
    candidates,
    measured_again,
    person_facts,
)
from awards.queries.cases import (
    cases_for,
    cases_of,
    checks_waiting_for,
    decisions_of,
    explanation,
    live_application,
    may_see,
    model_workers_for,
    rounds_for,
    rounds_waiting_for,
    timeline,
    waiting_for,
)
from awards.queries.recheck import no_longer_payable

__all__ = [
    "Candidate",
    "Candidates",
    "Summary",
    "candidates",
    "cases_for",
    "cases_of",
    "checks_waiting_for",
    "decisions_of",
    "explanation",
    "live_application",
    "may_see",
    "measured_again",
    "model_workers_for",
    "no_longer_payable",
    "person_facts",
    "rounds_for",
    "rounds_waiting_for",
    "timeline",
    "waiting_for",
]
