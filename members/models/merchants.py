"""Merchants that honour the card: who they are, what was agreed, where they are found."""

import pgtrigger
from django.db import models
from django.utils import timezone
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from members.states import (
    MERCHANT,
    MERCHANT_AGREEMENT,
    AgreementState,
    MerchantState,
)
from union_portal.fields import SealedTextField, StateField
from union_portal.models import Account, Organization, StoredFile
from union_portal.row_guards import four_eyes, frozen, kept
from union_portal.triggers import Trigger


class Need(models.TextChoices):
    """What of life a category serves (衣食住行)."""

    CLOTHING = "clothing", _("clothing")
    FOOD = "food", _("food")
    HOUSING = "housing", _("housing and home")
    TRAVEL = "travel", _("travel")
    HEALTH = "health", _("health")
    LEARNING = "learning", _("learning and culture")
    LIFE = "life", _("everyday life")


class BenefitCategory(models.Model):
    """One of the categories that offers are sorted by; each serves a need."""

    code = models.SlugField(_("code"), max_length=30, unique=True)
    name = models.CharField(pgettext_lazy("of a thing", "name"), max_length=40, unique=True)
    name_en = models.CharField(_("English name"), max_length=60)
    need = models.CharField(
        pgettext_lazy("of an offer", "need"), max_length=10, choices=Need.choices
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("benefit category")
        verbose_name_plural = _("benefit categories")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        """In the reader's language."""
        return self.name_en if (get_language() or "").startswith("en") else self.name


class Merchant(models.Model):
    """A business that gives members something. `organization` is the union that looks after it.

    Approved alone is not enough: offers count only while an agreement is confirmed and its
    dates hold the day.
    """

    name = models.CharField(pgettext_lazy("of a thing", "name"), max_length=120)
    # Written with the name: the directory is searched by the sound of a name as well.
    pinyin = models.CharField(
        _("pinyin"), max_length=600, blank=True, db_default="", editable=False
    )
    initials = models.CharField(
        _("initials"), max_length=120, blank=True, db_default="", editable=False
    )
    uscc = models.CharField(_("unified social credit code"), max_length=18)
    category = models.ForeignKey(
        BenefitCategory, models.PROTECT, verbose_name=_("category"), related_name="merchants"
    )
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name=_("union in charge"), related_name="+"
    )
    introduction = models.TextField(_("introduction"), max_length=1000, blank=True)
    contact = models.CharField(_("contact person"), max_length=60)
    contact_phone = SealedTextField(_("phone of the contact"), kind="phone", null=False)
    contact_phone_shown = models.CharField(_("phone of the contact"), max_length=20, editable=False)
    licence = models.ForeignKey(
        StoredFile, models.PROTECT, verbose_name=_("business licence"), null=True, related_name="+"
    )
    # Told to whoever applied: shows where the application stands.
    receipt = models.CharField(_("receipt number"), max_length=16, unique=True, editable=False)
    # Of whoever applied on the public page: so many a day from one address.
    applied_from = models.CharField(
        _("keyed hash of the address"), max_length=64, blank=True, db_default="", editable=False
    )
    entered_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("entered by"), null=True, related_name="+"
    )
    entered_at = models.DateTimeField(_("entered at"), default=timezone.now, editable=False)
    reviewed_by = models.ForeignKey(
        Account,
        models.PROTECT,
        verbose_name=pgettext_lazy("of a merchant", "reviewed by"),
        null=True,
        related_name="+",
    )
    reviewed_at = models.DateTimeField(
        pgettext_lazy("of a merchant", "reviewed at"), null=True, editable=False
    )
    approved_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("approved by"), null=True, related_name="+"
    )
    approved_at = models.DateTimeField(_("approved at"), null=True, editable=False)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    state = StateField(choices=MerchantState.choices, default=MerchantState.APPLIED)

    class Meta:
        verbose_name = _("merchant")
        verbose_name_plural = _("merchants")
        ordering = ["name"]
        indexes = [models.Index(fields=["organization", "state"], name="merchant_organization")]
        constraints = [
            models.UniqueConstraint(
                fields=["uscc"],
                condition=~models.Q(state__in=["refused", "ended"]),
                name="merchant_one_live_per_code",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["approved", "suspended"])
                | models.Q(approved_by__isnull=False, reviewed_by__isnull=False),
                name="merchant_approved_by_someone",
            ),
            *four_eyes("merchant", "reviewed_by", "approved_by"),
        ]
        triggers = [MERCHANT.trigger(), *kept("merchant")]

    def __str__(self) -> str:
        return self.name


class MerchantAgreement(models.Model):
    """What a merchant and the federation signed, from a day to a day; two never overlap."""

    merchant = models.ForeignKey(
        Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="agreements"
    )
    number = models.CharField(_("number of the agreement"), max_length=40, unique=True)
    signed_on = models.DateField(_("signed on"))
    valid_from = models.DateField(_("valid from"))
    valid_to = models.DateField(_("valid to"))
    tender = models.CharField(_("tender or approval"), max_length=120, blank=True)
    document = models.ForeignKey(
        StoredFile, models.PROTECT, verbose_name=_("document"), null=True, related_name="+"
    )
    entered_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("entered by"), related_name="+"
    )
    entered_at = models.DateTimeField(_("entered at"), default=timezone.now, editable=False)
    confirmed_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("confirmed by"), null=True, related_name="+"
    )
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, editable=False)
    terminated_on = models.DateField(_("terminated on"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    state = StateField(choices=AgreementState.choices, default=AgreementState.ENTERED)

    class Meta:
        verbose_name = _("merchant agreement")
        verbose_name_plural = _("merchant agreements")
        ordering = ["-valid_from"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(valid_to__gte=models.F("valid_from")),
                name="agreement_ends_after_start",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="confirmed") | models.Q(confirmed_by__isnull=False),
                name="agreement_confirmed_by_someone",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="terminated") | models.Q(terminated_on__isnull=False),
                name="agreement_terminated_with_day",
            ),
            *four_eyes("agreement", "entered_by", "confirmed_by"),
        ]
        triggers = [
            MERCHANT_AGREEMENT.trigger(),
            frozen(
                "agreement_frozen",
                "merchant_id, number, signed_on, valid_from, valid_to, document_id",
                "agreement: a signed agreement is replaced, never edited",
                when="OLD.state <> 'entered'",
            ),
            Trigger(
                name="agreement_without_overlap",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition("NEW.state = 'confirmed'"),
                func="""
                    PERFORM 1 FROM members_merchant WHERE id = NEW.merchant_id FOR UPDATE;
                    IF EXISTS (
                        SELECT 1 FROM members_merchantagreement a
                        WHERE a.merchant_id = NEW.merchant_id AND a.id <> NEW.id
                          AND a.state = 'confirmed'
                          AND daterange(a.valid_from, a.valid_to, '[]')
                              && daterange(NEW.valid_from, NEW.valid_to, '[]')
                    ) THEN
                        RAISE EXCEPTION 'agreement: another one holds on some of these days'
                            USING ERRCODE = 'check_violation',
                                  CONSTRAINT = 'agreement_without_overlap';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *kept("merchant_agreement"),
        ]

    def __str__(self) -> str:
        return self.number


class MerchantPlace(models.Model):
    """A shop with its point on the map (GCJ-02, degrees)."""

    merchant = models.ForeignKey(
        Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="places"
    )
    name = models.CharField(pgettext_lazy("of a thing", "name"), max_length=80)
    address = models.CharField(_("address"), max_length=200)
    division_code = models.CharField(
        _("division code"), max_length=6, help_text=_("GB/T 2260, six digits")
    )
    latitude = models.DecimalField(_("latitude"), max_digits=9, decimal_places=6)
    longitude = models.DecimalField(_("longitude"), max_digits=9, decimal_places=6)
    phone = models.CharField(_("phone"), max_length=30, blank=True)
    hours = models.CharField(_("opening hours"), max_length=80, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("place of a merchant")
        verbose_name_plural = _("places of merchants")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["merchant", "name"], name="merchant_place_name_once"),
            models.CheckConstraint(
                condition=models.Q(latitude__gte=3, latitude__lte=54)
                & models.Q(longitude__gte=73, longitude__lte=136),
                name="merchant_place_in_china",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class MerchantLogin(models.Model):
    """An account that checks codes at a till. It holds no role: it acts for one merchant alone."""

    account = models.OneToOneField(
        Account, models.PROTECT, verbose_name=_("account"), related_name="merchant_login"
    )
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="logins"
    )
    place = models.ForeignKey(
        MerchantPlace,
        models.PROTECT,
        verbose_name=_("place"),
        null=True,
        blank=True,
        related_name="+",
    )
    given_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("given by"), related_name="+"
    )
    given_at = models.DateTimeField(_("given at"), default=timezone.now, editable=False)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("log-in of a merchant")
        verbose_name_plural = _("log-ins of merchants")

    def __str__(self) -> str:
        return f"{self.account} – {self.merchant}"
