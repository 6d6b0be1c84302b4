"""Transition tables of the members app."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from union_portal.states import transitions


class BankAccountState(models.TextChoices):
    PROPOSED = "proposed", _("entered, not confirmed")
    CONFIRMED = "confirmed", _("confirmed")
    REJECTED = "rejected", _("rejected")
    RETIRED = "retired", _("retired")


# Only CONFIRMED may be paid to; a correction is a new row that retires the old one.
BANK_ACCOUNT = transitions(
    "bank_account",
    {BankAccountState.PROPOSED},
    {
        BankAccountState.PROPOSED: {BankAccountState.CONFIRMED, BankAccountState.REJECTED},
        BankAccountState.CONFIRMED: {BankAccountState.RETIRED},
    },
)
