"""Why an action on honours and subsidies says no."""

from typing import NoReturn

from django.db import Error
from django.utils.translation import gettext_noop

from awards.rules import Step
from awards.rules.steps import shown
from union_portal.kit.refusals import Refused


class AwardsRefused(Refused):
    """The step can't be taken as asked; the text names what and how to mend it."""


class RuleRefused(AwardsRefused):
    """A clause refuses; `clause` names it."""

    def __init__(self, step: Step, remedy: str = "") -> None:
        super().__init__(step["message"], remedy, shown(step["values"]))
        self.clause = step["clause"]

    @property
    def message(self) -> str:
        return f"{self.clause}: {super().message}"


def require_other(by: object, *others: object) -> None:
    """Four eyes: whoever took an earlier step does not take this one."""
    if by in [other for other in others if other is not None]:
        raise AwardsRefused(
            gettext_noop("You took an earlier step of this case."),
            gettext_noop("Ask a colleague: every step is taken by another person."),
        )


def constraint_of(error: Error) -> str:
    """The constraint that the database names as broken; empty if it names none."""
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""


def once_more(error: Error, **meanings: tuple[str, str]) -> NoReturn:
    """Say what a broken constraint means, or raise the error as it is."""
    meaning = meanings.get(constraint_of(error))
    if meaning is None:
        raise error
    raise AwardsRefused(*meaning) from error
