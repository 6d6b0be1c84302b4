"""Each single use of an offer: the code shown, the use itself, and what the member says of it."""

# The SQL below is made of words of our own.
# ruff: noqa: S608

import pgtrigger
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.models.cards import ServiceCard
from members.models.merchants import Merchant, MerchantLogin, MerchantPlace
from members.models.offers import BenefitOffer, BenefitProgramme
from members.models.people import Person
from members.states import COMPLAINT, REDEMPTION, ComplaintState, RedemptionState
from union_portal.fields import FenField, StateField
from union_portal.models import Account, Organization
from union_portal.row_guards import frozen, guard, kept
from union_portal.triggers import Trigger


class CodeKind(models.TextChoices):
    LIVE = "live", _("shown on the phone")
    PRINTED = "printed", _("printed in advance")


class CardCode(models.Model):
    """A code that stands for a card at a till: a keyed hash, an end, and no personal data.

    A card has one live code, renewed in place while its page is open, and printed ones that
    each count once.
    """

    card = models.ForeignKey(
        ServiceCard, models.CASCADE, verbose_name=_("card"), related_name="codes"
    )
    kind = models.CharField(_("kind"), max_length=8, choices=CodeKind.choices)
    digest = models.CharField(_("keyed hash of the code"), max_length=64, unique=True)
    offer = models.ForeignKey(
        BenefitOffer, models.CASCADE, verbose_name=_("offer"), null=True, related_name="+"
    )
    # The offer as the member saw it: another one meanwhile is told before anything is used.
    offer_revision = models.PositiveIntegerField(_("revision of the offer"), null=True)
    position = models.PositiveSmallIntegerField(_("position on the sheet"), default=0)
    issued_at = models.DateTimeField(_("made at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires at"))
    used_at = models.DateTimeField(_("used at"), null=True, editable=False)
    # The code that stood here before: whoever is typing it while the page renews it is served
    # until its own minute ends.
    former_digest = models.CharField(
        _("keyed hash of the code before"), max_length=64, blank=True, default="", db_default=""
    )
    former_expires_at = models.DateTimeField(_("the code before expires at"), null=True)

    class Meta:
        verbose_name = _("code of a card")
        verbose_name_plural = _("codes of cards")
        constraints = [
            models.UniqueConstraint(
                fields=["card"], condition=models.Q(kind="live"), name="card_code_one_live"
            ),
            models.CheckConstraint(
                condition=models.Q(offer__isnull=True, offer_revision__isnull=True)
                | models.Q(offer__isnull=False, offer_revision__isnull=False),
                name="card_code_offer_as_seen",
            ),
            models.CheckConstraint(
                condition=models.Q(former_digest="") | models.Q(former_expires_at__isnull=False),
                name="card_code_former_expires",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="card_code_expires"),
            models.Index(
                fields=["former_digest"],
                name="card_code_former",
                condition=~models.Q(former_digest=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


# Counts move with each use, within the checks of the rows they stand in: neither a quota nor
# the budget can be passed, whoever writes.
_COUNTED = (
    """
    IF TG_OP = 'INSERT' THEN
        SELECT o.quota_per_member, o.state, o.revision, o.merchant_id, o.subsidy_fen,
               o.programme_id
        INTO held FROM members_benefitoffer o WHERE o.id = NEW.offer_id FOR UPDATE;
"""
    + guard(
        "held.state <> 'published' OR held.revision <> NEW.revision",
        "redemption_of_published_offer",
        "redemption: the offer is not open as it was shown",
    )
    + guard(
        "held.merchant_id <> NEW.merchant_id OR held.subsidy_fen <> NEW.subsidy_fen"
        " OR held.programme_id IS DISTINCT FROM NEW.programme_id",
        "redemption_as_offered",
        "redemption: merchant, subsidy or programme are not those of the offer",
    )
    + """
        PERFORM 1 FROM members_servicecard c
        WHERE c.id = NEW.card_id AND c.person_id = NEW.person_id AND c.state = 'active'
        FOR SHARE;
"""
    + guard(
        "NOT FOUND",
        "redemption_by_active_card",
        "redemption: the card is not active, or somebody else's",
    )
    + guard(
        "NEW.ordinal > COALESCE(held.quota_per_member, NEW.ordinal)",
        "redemption_within_member_quota",
        "redemption: the member has used it as often as allowed",
    )
    + """
        UPDATE members_benefitoffer SET used_count = used_count + 1 WHERE id = NEW.offer_id;
        UPDATE members_benefitprogramme SET committed_fen = committed_fen + NEW.subsidy_fen
        WHERE id = NEW.programme_id;
    ELSIF NEW.state = 'undone' AND OLD.state = 'done' THEN
        UPDATE members_benefitoffer SET used_count = used_count - 1 WHERE id = NEW.offer_id;
        UPDATE members_benefitprogramme SET committed_fen = committed_fen - NEW.subsidy_fen
        WHERE id = NEW.programme_id;
    END IF;
    RETURN NULL;
"""
)


class WrongCode(models.Model):
    """A code that no card has, typed at a till: counted, and shown to whoever watches the tills."""

    login = models.ForeignKey(
        MerchantLogin, models.CASCADE, verbose_name=_("till"), related_name="+", db_index=False
    )
    asked_from = models.CharField(_("print of the address"), max_length=64)
    typed_at = models.DateTimeField(_("typed at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("wrong code at a till")
        verbose_name_plural = _("wrong codes at tills")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["login", "typed_at"], name="wrong_code_login"),
            models.Index(fields=["asked_from", "typed_at"], name="wrong_code_asked_from"),
        ]

    def __str__(self) -> str:
        return f"{self.login_id}: {self.pk}"


class Redemption(models.Model):
    """One use of one offer by one member at one till. Taken back it leaves its trace."""

    offer = models.ForeignKey(
        BenefitOffer, models.PROTECT, verbose_name=_("offer"), related_name="redemptions"
    )
    revision = models.PositiveIntegerField(_("revision of the offer"))
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="+", db_index=False
    )
    place = models.ForeignKey(
        MerchantPlace, models.PROTECT, verbose_name=_("place"), null=True, related_name="+"
    )
    card = models.ForeignKey(
        ServiceCard, models.PROTECT, verbose_name=_("card"), related_name="redemptions"
    )
    person = models.ForeignKey(
        Person, models.PROTECT, verbose_name=_("person"), related_name="redemptions"
    )
    # The member's union on that day: use is counted by county.
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name=_("union"), related_name="+"
    )
    programme = models.ForeignKey(
        BenefitProgramme,
        models.PROTECT,
        verbose_name=_("programme"),
        null=True,
        related_name="redemptions",
    )
    ordinal = models.PositiveSmallIntegerField(_("which use by this member"))
    code_digest = models.CharField(_("keyed hash of the code"), max_length=64)
    code_kind = models.CharField(_("kind of code"), max_length=8, choices=CodeKind.choices)
    subsidy_fen = FenField(_("subsidy"), default=0)
    redeemed_at = models.DateTimeField(_("used at"), db_default=Now())
    redeemed_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("confirmed by"), related_name="+"
    )
    undone_at = models.DateTimeField(_("taken back at"), null=True, editable=False)
    undone_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("taken back by"), null=True, related_name="+"
    )
    undone_reason = models.CharField(_("why taken back"), max_length=200, blank=True)
    state = StateField(choices=RedemptionState.choices, default=RedemptionState.DONE)

    class Meta:
        verbose_name = _("use of an offer")
        verbose_name_plural = _("uses of offers")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["merchant", "redeemed_at"], name="redemption_merchant_day"),
            models.Index(fields=["redeemed_at"], name="redemption_day"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["code_digest"], name="redemption_code_once"),
            models.UniqueConstraint(
                fields=["offer", "person", "ordinal"],
                condition=models.Q(state="done"),
                name="redemption_ordinal_once",
            ),
            models.CheckConstraint(
                condition=models.Q(ordinal__gte=1), name="redemption_counts_from_one"
            ),
            models.CheckConstraint(
                condition=models.Q(state="done", undone_at__isnull=True)
                | models.Q(state="undone", undone_at__isnull=False, undone_by__isnull=False),
                name="redemption_undone_by_someone",
            ),
        ]
        triggers = [
            REDEMPTION.trigger(),
            frozen(
                "redemption_frozen",
                "offer_id, revision, merchant_id, place_id, card_id, person_id, organization_id,"
                " programme_id, ordinal, code_digest, code_kind, subsidy_fen, redeemed_at,"
                " redeemed_by_id",
                "redemption: what was used is never edited",
            ),
            Trigger(
                name="redemption_counted",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("state"),
                declare=[("held", "record")],
                func=_COUNTED,
            ),
            *kept("redemption"),
        ]

    def __str__(self) -> str:
        return f"R{self.pk:08d}"


class Rating(models.Model):
    """What the member thought of one use."""

    redemption = models.OneToOneField(
        Redemption, models.PROTECT, verbose_name=_("use"), related_name="rating"
    )
    stars = models.PositiveSmallIntegerField(_("stars"))
    words = models.CharField(_("words"), max_length=300, blank=True)
    rated_at = models.DateTimeField(_("rated at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("rating")
        verbose_name_plural = _("ratings")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(stars__gte=1, stars__lte=5), name="rating_of_five_stars"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.redemption_id}: {self.stars}"


class MerchantComplaint(models.Model):
    """A member complains of a merchant; staff answer, and may suspend it."""

    person = models.ForeignKey(
        Person, models.PROTECT, verbose_name=_("person"), related_name="merchant_complaints"
    )
    # The member's union on that day: whoever answers is told this much of the member.
    organization = models.ForeignKey(
        Organization,
        models.PROTECT,
        verbose_name=_("union"),
        related_name="+",
        db_index=False,  # read, never searched by
    )
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="complaints"
    )
    redemption = models.ForeignKey(
        Redemption, models.PROTECT, verbose_name=_("use"), null=True, related_name="complaints"
    )
    text = models.TextField(_("complaint"), max_length=1000)
    filed_at = models.DateTimeField(_("filed at"), default=timezone.now, editable=False)
    answer = models.TextField(_("answer"), max_length=1000, blank=True)
    answered_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("answered by"), null=True, related_name="+"
    )
    answered_at = models.DateTimeField(_("answered at"), null=True, editable=False)
    state = StateField(choices=ComplaintState.choices, default=ComplaintState.OPEN)

    class Meta:
        verbose_name = _("complaint about a merchant")
        verbose_name_plural = _("complaints about merchants")
        ordering = ["-id"]
        indexes = [models.Index(fields=["merchant", "state"], name="complaint_merchant_state")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="open")
                | (models.Q(answered_by__isnull=False) & ~models.Q(answer="")),
                name="complaint_answered_with_words",
            ),
        ]
        triggers = [COMPLAINT.trigger(), *kept("merchant_complaint")]

    def __str__(self) -> str:
        return f"{self.merchant}: {self.pk}"
