"""One row per human, and the bank accounts money may go to."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.states import BANK_ACCOUNT, BankAccountState
from union_portal.fields import BlindIndexField, SealedTextField, StateField
from union_portal.models import Account, Organization, StoredFile
from union_portal.triggers import Trigger

_LONGEST_BIGRAMS = 24


class Sex(models.TextChoices):
    MALE = "male", _("male")
    FEMALE = "female", _("female")


class Bigrams(models.Func):
    """The pairs of neighbouring characters of a text: "欧阳明" is 欧阳, 阳明 (and 明).

    Written with built-in functions only, so that it can stand in an index: trigrams are
    empty for the two-character pieces that names are searched by.
    """

    template = (
        "array_remove(ARRAY["
        + ", ".join(f"substr(%(expressions)s, {n}, 2)" for n in range(1, _LONGEST_BIGRAMS + 1))
        + "], '')"
    )
    output_field = ArrayField(models.TextField())


class Person(models.Model):
    """A human, known by the 18-digit number (GB 11643), once in the whole database."""

    name = models.CharField(_("name"), max_length=60)
    pinyin = models.CharField(_("pinyin"), max_length=160, editable=False)
    initials = models.CharField(_("initials"), max_length=40, editable=False)
    sex = models.CharField(_("sex"), max_length=6, choices=Sex.choices)
    born_on = models.DateField(_("born on"))
    national_id = SealedTextField(_("identity number"), kind="national_id", null=False)
    # Unique by a constraint below: `unique=True` would add a second index for LIKE.
    national_id_index = BlindIndexField(
        _("look-up print of the ID number"), source="national_id", kind="national_id", null=False
    )
    national_id_shown = models.CharField(
        _("identity number"), max_length=18, editable=False, help_text=_("masked")
    )
    phone = SealedTextField(_("phone"), kind="phone")
    phone_index = BlindIndexField(_("look-up print of the phone"), source="phone", kind="phone")
    phone_shown = models.CharField(_("phone"), max_length=20, editable=False, blank=True)
    address = SealedTextField(_("address"), kind="address")
    employer = models.CharField(_("employer"), max_length=120, blank=True)
    organization = models.ForeignKey(
        Organization,
        models.PROTECT,
        related_name="people",
        verbose_name=_("union"),
        db_index=False,  # person_organization below begins with it
    )
    died_on = models.DateField(_("died on"), null=True, blank=True)
    account = models.OneToOneField(
        Account,
        models.PROTECT,
        verbose_name=_("account"),
        null=True,
        editable=False,
        related_name="person",
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        indexes = [
            models.Index(fields=["organization", "id"], name="person_organization"),
            models.Index(
                fields=["initials"], name="person_initials", opclasses=["varchar_pattern_ops"]
            ),
            models.Index(fields=["name"], name="person_name", opclasses=["varchar_pattern_ops"]),
            models.Index(
                fields=["phone_index"],
                name="person_phone",
                condition=models.Q(phone_index__isnull=False),
            ),
            GinIndex(Bigrams("name"), name="person_name_pieces"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["national_id_index"], name="person_national_id_once"),
            models.CheckConstraint(
                condition=models.Q(born_on__gte="1900-01-01"), name="person_born_since_1900"
            ),
            models.CheckConstraint(
                condition=models.Q(died_on__isnull=True)
                | models.Q(died_on__gte=models.F("born_on")),
                name="person_dies_after_birth",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class BankAccount(models.Model):
    """An account of the person. Entered by one, confirmed by another, never edited."""

    person = models.ForeignKey(
        Person, models.PROTECT, verbose_name=_("person"), related_name="bank_accounts"
    )
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
                fields=["person"],
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
        ]
        triggers = [
            BANK_ACCOUNT.trigger(),
            Trigger(
                name="bank_account_frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "((NEW.person_id, NEW.fingerprint, NEW.holder)"
                    " IS DISTINCT FROM (OLD.person_id, OLD.fingerprint, OLD.holder))"
                ),
                func="""
                    RAISE EXCEPTION 'bank_account: an account is replaced, never edited'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_account_frozen';
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bank_name} …{self.last_four}"
