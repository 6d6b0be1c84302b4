"""What merchants give members, and the money that some of it costs the federation."""

import pgtrigger
from django.db import models
from django.utils import timezone
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from members.models.merchants import BenefitCategory, Merchant, MerchantPlace
from members.models.people import Person
from members.states import BENEFIT_OFFER, OfferState
from union_portal.fields import FenField, StateField
from union_portal.models import Account, Organization
from union_portal.row_guards import four_eyes, frozen, kept, refusal
from union_portal.triggers import Trigger


class BenefitProgramme(models.Model):
    """The money of one year for subsidised offers, in fen.

    `committed_fen` is written by the trigger of redemptions alone; the check keeps it within
    the budget, whoever writes.
    """

    name = models.CharField(pgettext_lazy("of a thing", "name"), max_length=80)
    year = models.PositiveSmallIntegerField(_("year"), unique=True)
    fund_code = models.CharField(_("fund"), max_length=40)
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name=_("union"), related_name="+"
    )
    budget_fen = FenField(_("budget"))
    committed_fen = FenField(_("used"), default=0, editable=False)

    class Meta:
        verbose_name = _("benefit programme")
        verbose_name_plural = _("benefit programmes")
        ordering = ["-year"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(committed_fen__gte=0)
                & models.Q(committed_fen__lte=models.F("budget_fen")),
                name="programme_within_budget",
            ),
        ]
        triggers = kept("benefit_programme")

    def __str__(self) -> str:
        return self.name


class OfferKind(models.TextChoices):
    PRICE = "price", _("members' price")
    DISCOUNT = "discount", _("discount")
    SUBSIDY = "subsidy", _("subsidised by the union")
    GIFT = "gift", _("extra service or gift")


class BenefitOffer(models.Model):
    """One thing that members get. Money, quotas and terms change with a new revision only.

    `used_count` is written by the trigger of redemptions alone.
    """

    merchant = models.ForeignKey(
        Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="offers"
    )
    category = models.ForeignKey(
        BenefitCategory, models.PROTECT, verbose_name=_("category"), related_name="offers"
    )
    programme = models.ForeignKey(
        BenefitProgramme,
        models.PROTECT,
        verbose_name=_("programme"),
        null=True,
        blank=True,
        related_name="offers",
    )
    title = models.CharField(_("title"), max_length=80)
    title_en = models.CharField(_("English title"), max_length=120, blank=True)
    text = models.TextField(_("what members get"), max_length=1000)
    terms = models.TextField(_("terms"), max_length=1000, blank=True)
    kind = models.CharField(_("kind"), max_length=8, choices=OfferKind.choices)
    price_fen = FenField(_("price for members"), null=True, blank=True)
    discount = models.DecimalField(
        _("discount"), max_digits=3, decimal_places=1, null=True, blank=True,
        help_text=_("what is still paid, in tenths: 8.5 means 85%"),
    )  # fmt: skip
    subsidy_fen = FenField(_("subsidy for each use"), default=0)
    valid_from = models.DateField(_("valid from"))
    valid_to = models.DateField(_("valid to"))
    quota_total = models.PositiveIntegerField(_("uses in total"), null=True, blank=True)
    quota_per_member = models.PositiveSmallIntegerField(
        _("uses by each member"), null=True, blank=True
    )
    used_count = models.PositiveIntegerField(_("used"), default=0, editable=False)
    places = models.ManyToManyField(MerchantPlace, verbose_name=_("places"), related_name="offers")
    revision = models.PositiveIntegerField(_("revision"), default=1, editable=False)
    entered_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("entered by"), null=True, related_name="+"
    )
    entered_at = models.DateTimeField(_("entered at"), default=timezone.now, editable=False)
    approved_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("approved by"), null=True, related_name="+"
    )
    approved_at = models.DateTimeField(_("approved at"), null=True, editable=False)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    state = StateField(choices=OfferState.choices, default=OfferState.DRAFT)

    class Meta:
        verbose_name = _("benefit offer")
        verbose_name_plural = _("benefit offers")
        ordering = ["-id"]
        indexes = [models.Index(fields=["state", "category"], name="offer_state_category")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(valid_to__gte=models.F("valid_from")),
                name="offer_ends_after_start",
            ),
            models.CheckConstraint(
                condition=models.Q(quota_total__isnull=True)
                | models.Q(used_count__lte=models.F("quota_total")),
                name="offer_within_quota",
            ),
            models.CheckConstraint(
                condition=models.Q(subsidy_fen=0)
                | models.Q(
                    subsidy_fen__gt=0,
                    kind="subsidy",
                    programme__isnull=False,
                    quota_total__isnull=False,
                    quota_per_member__isnull=False,
                ),
                name="offer_subsidy_bounded",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="price") | models.Q(price_fen__gte=0),
                name="offer_price_told",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="discount") | models.Q(discount__gt=0, discount__lt=10),
                name="offer_discount_told",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["draft", "submitted", "ended"])
                | models.Q(approved_by__isnull=False),
                name="offer_published_by_someone",
            ),
            *four_eyes("offer", "entered_by", "approved_by"),
        ]
        triggers = [
            BENEFIT_OFFER.trigger(),
            frozen(
                "offer_frozen",
                "merchant_id, category_id, programme_id, title, text, terms, kind, price_fen,"
                " discount, subsidy_fen, valid_from, valid_to, quota_total, quota_per_member",
                "offer: what is published is changed by a new revision",
                when="OLD.state IN ('submitted', 'published', 'paused', 'ended')",
            ),
            # A code is taken for a revision: a change of what is offered counts one further,
            # and nothing else does.
            Trigger(
                name="offer_revised",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "NEW.revision <> OLD.revision + (CASE WHEN OLD.state = 'paused'"
                    " AND NEW.state = 'draft' THEN 1 ELSE 0 END)"
                ),
                func=refusal(
                    "offer_revised", "offer: what was published is changed as the next revision"
                ),
            ),
            *kept("benefit_offer"),
        ]

    def __str__(self) -> str:
        """In the reader's language, where it has a title in it."""
        is_english = (get_language() or "").startswith("en")
        return self.title_en if is_english and self.title_en else self.title

    @property
    def left(self) -> int | None:
        """How many uses are left; None without a limit."""
        return None if self.quota_total is None else self.quota_total - self.used_count


class Favourite(models.Model):
    """An offer that a member keeps at hand."""

    person = models.ForeignKey(
        Person, models.CASCADE, verbose_name=_("person"), related_name="favourites", db_index=False
    )
    offer = models.ForeignKey(
        BenefitOffer, models.CASCADE, verbose_name=_("offer"), related_name="favourites"
    )
    added_at = models.DateTimeField(_("added at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("favourite")
        verbose_name_plural = _("favourites")
        constraints = [
            models.UniqueConstraint(fields=["person", "offer"], name="favourite_once"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.offer_id}"
