"""Shape and constraints of the awards app."""

from awards.models.cases import Ground, HomeVisit, ReturnForCompletion, SubsidyCase
from awards.models.honours import Honour, HonourLevel, HonourTitle
from awards.models.model_workers import (
    HardshipYear,
    ModelWorker,
    ModelWorkerKind,
    YearlyVerification,
)
from awards.models.rounds import CountyCheck, Scheme, SubsidyRound

__all__ = [
    "CountyCheck",
    "Ground",
    "HardshipYear",
    "HomeVisit",
    "Honour",
    "HonourLevel",
    "HonourTitle",
    "ModelWorker",
    "ModelWorkerKind",
    "ReturnForCompletion",
    "Scheme",
    "SubsidyCase",
    "SubsidyRound",
    "YearlyVerification",
]
