"""What staff see of honours, subsidies and the rules they follow."""

from awards.admin import appeals, cases, honours, model_workers, rounds, rules

__all__ = ["appeals", "cases", "honours", "model_workers", "rounds", "rules"]
