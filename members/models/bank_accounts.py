"""The accounts that money may go to: of people, and of merchants."""

from typing import Any

import pgtrigger
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.models.people import Person
from members.states import BANK_ACCOUNT, BankAccountState
from union_portal.fields import BlindIndexField, SealedTextField, StateField
from union_portal.models import Account, StoredFile
from union_portal.triggers import Trigger


class PayableAccount(models.Model):
    """An account at a bank. Entered by one, confirmed by another, never edited."""

    holder = models.CharField(_("account holder"), max_length=60)
    number = SealedTextField(_("account number"), kind="bank_account", null=False)
    fingerprint = BlindIndexField(
        _("fingerprint of the account"), source="number", kind="bank_account", null=False
    )
    last_four = models.CharField(_("last four digits"), max_length=4)
    bank_name = models.CharField(_("bank"), max_length=80)
    bank_code = models.CharField(_("bank code (CNAPS)"), max_length=14, blank=True)
    evidence = models.ForeignKey(
        StoredFile,
        models.PROTECT,
        verbose_name=_("evidence"),
        null=True,
        blank=True,
        related_name="+",
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    entered_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("entered by"), null=True, related_name="+"
    )
    entered_at = models.DateTimeField(_("entered at"), default=timezone.now, editable=False)
    confirmed_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("confirmed by"), null=True, related_name="+"
    )
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, editable=False)
    state = StateField(choices=BankAccountState.choices, default=BankAccountState.PROPOSED)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.bank_name} …{self.last_four}"


def account_constraints(table: str, owner: str) -> list[Any]:
    """One confirmed account an owner, confirmed by somebody else than who entered it."""
    return [
        models.UniqueConstraint(
            fields=[owner],
            condition=models.Q(state="confirmed"),
            name=f"{table}_one_confirmed",
        ),
        models.CheckConstraint(
            condition=models.Q(confirmed_by__isnull=True)
            | ~models.Q(confirmed_by=models.F("entered_by")),
            name=f"{table}_confirmed_by_another",
        ),
        models.CheckConstraint(
            condition=~models.Q(state="confirmed") | models.Q(confirmed_by__isnull=False),
            name=f"{table}_confirmed_by_someone",
        ),
    ]


def account_frozen(table: str, owner: str) -> Trigger:
    """Owner, number and holder stay as they were entered."""
    return Trigger(
        name=f"{table}_frozen",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Condition(
            f"((NEW.{owner}_id, NEW.fingerprint, NEW.holder)"
            f" IS DISTINCT FROM (OLD.{owner}_id, OLD.fingerprint, OLD.holder))"
        ),
        func=f"""
                    RAISE EXCEPTION '{table}: an account is replaced, never edited'
                        USING ERRCODE = 'check_violation', CONSTRAINT = '{table}_frozen';
                """,
    )


class BankAccount(PayableAccount):
    """An account of the person."""

    person = models.ForeignKey(
        Person, models.PROTECT, verbose_name=_("person"), related_name="bank_accounts"
    )

    class Meta(PayableAccount.Meta):
        abstract = False
        verbose_name = _("bank account")
        verbose_name_plural = _("bank accounts")
        indexes = [models.Index(fields=["fingerprint"], name="bank_account_fingerprint")]
        constraints = account_constraints("bank_account", "person")
        triggers = [BANK_ACCOUNT.trigger(), account_frozen("bank_account", "person")]
