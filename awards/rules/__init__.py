"""The subsidy rules: values in, explained amount out. No rows, no clock, no settings."""

from awards.rules.assessment import Assessment, assess
from awards.rules.clauses import Award, Clause, SchemeRules
from awards.rules.parameters import ParameterMissing, check, prepare
from awards.rules.schemes import (
    FESTIVAL_GIFT,
    HARDSHIP_APPLICATION,
    LIVING_ALLOWANCE,
    SCHEMES,
    SPECIAL_HARDSHIP,
)
from awards.rules.steps import Step, render

__all__ = [
    "FESTIVAL_GIFT",
    "HARDSHIP_APPLICATION",
    "LIVING_ALLOWANCE",
    "SCHEMES",
    "SPECIAL_HARDSHIP",
    "Assessment",
    "Award",
    "Clause",
    "ParameterMissing",
    "SchemeRules",
    "Step",
    "assess",
    "check",
    "prepare",
    "render",
]
