"""Model workers to measure: rows for the awards tests."""

from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any

from awards import sample_rules
from awards.models import (
    HardshipYear,
    Honour,
    HonourTitle,
    ModelWorker,
    YearlyVerification,
)
from awards.states import HonourState
from members.models import Person
from tests.cast import NOW, TODAY, Cast, make_person
from union_portal import lifecycle
from union_portal.models import Organization, RuleSet


def title(level: str = "municipal") -> HonourTitle:
    made, _ = HonourTitle.objects.get_or_create(
        code=f"{level}-model-worker", defaults={"name": f"{level} model worker", "level": level}
    )
    return made


def rule_set(
    cast: Cast, scheme: str, *, notice_days: int = 5, valid_to: date | None = None, **changes: Any
) -> RuleSet:
    """The demo's rules of a scheme, adopted; `changes` replace parameters."""
    sample = next(one for one in sample_rules.DEMO if one.scheme == scheme)
    fields = {name: value for name, value in vars(sample).items() if name != "parameters"}
    fields["notice_days"] = notice_days
    fields["valid_to"] = valid_to or sample.valid_to
    return RuleSet.objects.create(
        version=RuleSet.objects.filter(scheme=scheme).count() + 1,
        parameters={**sample.parameters, **changes},
        written_by=cast.rules_clerk,
        adopted_by=cast.decider,
        adopted_at=NOW,
        **fields,
    )


def model_worker(
    cast: Cast,
    person: Person | None = None,
    *,
    union: Organization | None = None,
    level: str | None = "municipal",
    is_revoked: bool = False,
    verified: bool | None = True,
    in_hardship: bool = False,
    year: int = TODAY.year,
    born_on: date = date(1955, 5, 1),
    sex: str = "male",
    **more: Any,
) -> ModelWorker:
    """A model worker who is entitled to the festival gift unless told otherwise.

    `verified` is True, False (found dead or without honour) or None (not verified).
    """
    person = person or make_person(union or cast.tree.union, born_on=born_on, sex=sex)
    worker = ModelWorker.objects.create(
        person=person, **{"kind": "enterprise", "enrolled_by": cast.officer, **more}
    )
    if level:
        honour = Honour.objects.create(
            person=person, title=title(level), conferred_on=date(2000, 5, 1)
        )
        if is_revoked:
            lifecycle.advance(
                honour,
                to=HonourState.REVOKED,
                by=cast.officer,
                reason="test",
                revoked_on=date(2020, 1, 1),
                revoked_reason="test",
            )
    if verified is not None:
        verify(cast, worker, year=year, is_alive=verified)
    if in_hardship:
        HardshipYear.objects.create(
            model_worker=worker, year=year, evidence="file", recorded_by=cast.officer
        )
    return worker


def verify(
    cast: Cast,
    worker: ModelWorker,
    *,
    year: int = TODAY.year,
    is_alive: bool = True,
    honour_retained: bool = True,
) -> YearlyVerification:
    return YearlyVerification.objects.create(
        model_worker=worker,
        year=year,
        is_alive=is_alive,
        honour_retained=honour_retained,
        evidence="phone call",
        verified_by=cast.qiao,
        verified_on=TODAY,
    )


@dataclass(frozen=True)
class Combination:
    """One point of the product of facts."""

    born_on: date
    is_male: bool
    is_farmer: bool
    lost: bool
    is_dead: bool
    honour: str  # "held", "revoked", "national"
    verified: str  # "no", "yes", "dead", "dishonoured"
    in_hardship: bool

    def facts(self, on: date) -> dict[str, Any]:
        """The facts as a person would write them down, without any query."""
        birthday_passed = (on.month, on.day) >= (self.born_on.month, self.born_on.day)
        return {
            "is_municipal": self.honour != "national",
            "is_alive": not self.is_dead and self.verified != "dead",
            "retains_honour": self.honour == "held" and self.verified != "dishonoured",
            "is_verified": self.verified == "yes",
            "in_hardship": self.in_hardship,
            "is_farmer": self.is_farmer,
            "is_male": self.is_male,
            "age": on.year - self.born_on.year - (0 if birthday_passed else 1),
            "has_lost_work_capacity": self.lost,
            "has_other_case": False,
        }


BIRTHS = (date(1966, 3, 2), date(1966, 3, 3), date(1971, 3, 2), date(1971, 3, 3))


def every_combination() -> list[Combination]:
    yes_no = (False, True)
    return [
        Combination(*values)
        for values in product(
            BIRTHS,
            yes_no,
            yes_no,
            yes_no,
            yes_no,
            ("held", "revoked", "national"),
            ("no", "yes", "dead", "dishonoured"),
            yes_no,
        )
    ]
