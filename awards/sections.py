"""What awards hold of a person, as sections of the copy of one's data."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.apps import apps
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from awards.models import (
    HardshipYear,
    HomeVisit,
    Honour,
    ModelWorker,
    ReturnForCompletion,
    SubsidyCase,
    YearlyVerification,
)
from awards.rules.steps import render
from awards.states import CaseState
from union_portal import my_data
from union_portal.kit.money import yuan
from union_portal.models import Decision, NoticeEntry
from union_portal.my_data import of_model

_CASE = SubsidyCase._meta.label_lower


def _told(prefix: str = "") -> Q:
    """What a round still weighs is nothing yet: it is told when it is decided."""
    decided = [CaseState.GRANTED, CaseState.REFUSED]
    return Q(**{f"{prefix}round__isnull": True}) | Q(**{f"{prefix}state__in": decided})


def _decisions(person: int) -> Q:
    """About a case of the person, or about the person."""
    cases = SubsidyCase.objects.filter(person=person).values("pk")
    return Q(subject_type=_CASE, subject_id__in=cases) | Q(
        subject_type="members.person", subject_id=person
    )


def _steps(steps: Sequence[Mapping[str, Any]]) -> str:
    """An explained sum as sentences, each with its clause and what it adds."""
    return "\n".join(
        " ".join(filter(None, (step["clause"], render(step), _added(step["amount_fen"]))))
        for step in steps
    )


def _added(fen: int) -> str:
    return yuan(fen) if fen else ""


def _kind(label: str) -> str:
    return str(apps.get_model(label)._meta.verbose_name)


def register() -> None:
    """Honours, subsidies, what was found out about them, and how it was decided and published."""
    my_data.add(
        of_model("honours", _("Honours"), Honour, "person", order=30),
        of_model("model_worker", _("Enrolment as a model worker"), ModelWorker, "person", order=31),
        of_model(
            "verifications", _("Yearly proofs"), YearlyVerification, "model_worker__person",
            order=32,
        ),
        of_model(
            "hardship_years", _("Years of hardship"), HardshipYear, "model_worker__person", order=33
        ),
        of_model(
            "subsidies", _("Subsidies"), SubsidyCase,
            lambda person: Q(person=person) & _told(), order=34, words={"steps": _steps},
        ),
        of_model(
            "home_visits", _("Home visits"), HomeVisit,
            lambda person: Q(case__person=person) & _told("case__"), order=35,
        ),
        of_model(
            "returns", _("What you were asked to complete"), ReturnForCompletion, "case__person",
            order=36,
        ),
        of_model(
            "decisions", _("Decisions"), Decision, _decisions, order=37,
            words={"steps": _steps, "subject_type": _kind},
        ),
        of_model(
            "notices", _("Public notices that name you"), NoticeEntry,
            lambda person: Q(decision__in=Decision.objects.filter(_decisions(person))), order=38,
        ),
    )  # fmt: skip
