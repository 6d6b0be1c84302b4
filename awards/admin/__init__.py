"""What staff see of honours and subsidies, with buttons that call actions."""

from awards.admin import (
    appeals,
    cases,
    checks,
    honours,
    model_workers,
    queues,
    rounds,
    rule_sets,
)

__all__ = [
    "appeals",
    "cases",
    "checks",
    "honours",
    "model_workers",
    "queues",
    "rounds",
    "rule_sets",
]
