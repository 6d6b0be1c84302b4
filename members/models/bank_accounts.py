"""The accounts that money may go to: of people, and of merchants."""

from typing import TYPE_CHECKING, ClassVar

import pgtrigger
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.models.payees import one_payee, payee_field
from members.models.people import Person, follows_merge
from members.states import BANK_ACCOUNT, BankAccountState
from union_portal.fields import BlindIndexField, SealedTextField, StateField
from union_portal.models import Account, StoredFile
from union_portal.triggers import Trigger

if TYPE_CHECKING:
    from members.models.merchants import Merchant


class BankAccount(models.Model):
    """An account of a person, or of a merchant whose statements are settled to it.

    Entered by one, confirmed by another, never edited.
    """

    person = models.ForeignKey(
        Person,
        models.PROTECT,
        verbose_name=_("person"),
        null=True,
        blank=True,
        related_name="bank_accounts",
    )
    merchant = models.ForeignKey(
        "members.Merchant",
        models.PROTECT,
        verbose_name=_("merchant"),
        null=True,
        blank=True,
        related_name="bank_accounts",
    )
    payee = payee_field()
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
        verbose_name = _("bank account")
        verbose_name_plural = _("bank accounts")
        indexes = [models.Index(fields=["fingerprint"], name="bank_account_fingerprint")]
        constraints = [
            models.UniqueConstraint(
                fields=["payee"],
                condition=models.Q(state="confirmed"),
                name="bank_account_one_confirmed",
            ),
            models.CheckConstraint(
                condition=models.Q(confirmed_by__isnull=True)
                | ~models.Q(confirmed_by=models.F("entered_by")),
                name="bank_account_confirmed_by_another",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="confirmed") | models.Q(confirmed_by__isnull=False),
                name="bank_account_confirmed_by_someone",
            ),
            one_payee("bank_account"),
        ]
        triggers = [
            BANK_ACCOUNT.trigger(),
            Trigger(
                name="bank_account_frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "((NEW.merchant_id, NEW.fingerprint, NEW.holder) IS DISTINCT"
                    " FROM (OLD.merchant_id, OLD.fingerprint, OLD.holder))"
                ),
                func="""
                    RAISE EXCEPTION 'bank_account: an account is replaced, never edited'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_account_frozen';
                """,
            ),
            follows_merge("bank_account"),
        ]

    def __str__(self) -> str:
        return f"{self.bank_name} …{self.last_four}"

    @property
    def owner(self) -> "Person | Merchant":
        """Whose account it is: of one of the two, by a constraint."""
        owner = self.person or self.merchant
        assert owner is not None
        return owner


class MerchantAccounts(models.Manager["MerchantAccount"]):
    """The accounts of merchants alone."""

    def get_queryset(self) -> models.QuerySet["MerchantAccount"]:
        return super().get_queryset().filter(merchant__isnull=False)


class MerchantAccount(BankAccount):
    """The same table, as those see it who look after merchants."""

    objects: ClassVar[MerchantAccounts] = MerchantAccounts()

    class Meta:
        proxy = True
        verbose_name = _("account of a merchant")
        verbose_name_plural = _("accounts of merchants")

    @property
    def owner(self) -> "Merchant":
        """The merchant, by the condition of the manager."""
        assert self.merchant is not None
        return self.merchant
