"""Transition tables of the welfare app."""

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from union_portal.states import transitions


class StatementState(models.TextChoices):
    ISSUED = "issued", _("with the merchant")
    APPROVED = "approved", _("approved for payment")
    CANCELLED = "cancelled", _("cancelled")


MERCHANT_STATEMENT = transitions(
    "merchant_statement",
    {StatementState.ISSUED},
    {StatementState.ISSUED: {StatementState.APPROVED, StatementState.CANCELLED}},
)


class StatementLineState(models.TextChoices):
    COUNTED = "counted", _("counted")
    DISPUTED = "disputed", _("disputed")
    REMOVED = "removed", _("taken off")


# What was taken off is never put back: it may stand in another statement instead.
STATEMENT_LINE = transitions(
    "statement_line",
    {StatementLineState.COUNTED},
    {
        StatementLineState.COUNTED: {StatementLineState.DISPUTED, StatementLineState.REMOVED},
        StatementLineState.DISPUTED: {StatementLineState.COUNTED, StatementLineState.REMOVED},
    },
)

LIFECYCLES: Final = {
    "welfare.merchantstatement": MERCHANT_STATEMENT,
    "welfare.statementline": STATEMENT_LINE,
}
