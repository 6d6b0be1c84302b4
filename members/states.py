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


class ImportState(models.TextChoices):
    UPLOADED = "uploaded", _("being checked")
    CHECKED = "checked", _("checked, waiting for confirmation")
    CONFIRMED = "confirmed", _("being written")
    APPLIED = "applied", _("written")
    REFUSED = "refused", _("file refused")
    CANCELLED = "cancelled", _("cancelled")


# A confirmed file whose people changed since its preview is checked once more.
IMPORT_RUN = transitions(
    "import_run",
    {ImportState.UPLOADED},
    {
        ImportState.UPLOADED: {
            ImportState.CHECKED,
            ImportState.REFUSED,
            ImportState.CANCELLED,
        },
        ImportState.CHECKED: {ImportState.CONFIRMED, ImportState.CANCELLED},
        ImportState.CONFIRMED: {
            ImportState.APPLIED,
            ImportState.UPLOADED,
            ImportState.CANCELLED,
        },
    },
)
