"""Service cards: from the application to the bank's card, and the codes shown at a till."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.models.memberships import Channel
from members.models.people import Person, follows_merge
from members.states import (
    CARD_BATCH,
    LIVE_CARDS,
    NUMBERED_CARDS,
    SERVICE_CARD,
    CardBatchState,
    CardState,
)
from union_portal.fields import BlindIndexField, SealedTextField, StateField
from union_portal.models import Account, Organization, StoredFile
from union_portal.models.audit import append_only
from union_portal.row_guards import four_eyes, frozen, kept


class CardBank(models.Model):
    """A bank that issues cards: where to call, and how its files are laid out.

    `layout` is configuration, read and checked by `members.rules.card_files`.
    """

    name = models.CharField(_("name"), max_length=80, unique=True)
    code = models.CharField(_("short code in file names"), max_length=20, unique=True)
    hotline = models.CharField(_("phone of the bank"), max_length=30)
    # The first digits of its cards; empty: any.
    prefixes = models.CharField(_("card numbers begin with"), max_length=120, blank=True)
    layout = models.JSONField(_("layout of its files"), default=dict)
    # What is approved later in the month goes into the next month's batch; empty: no such day.
    cut_off_day = models.PositiveSmallIntegerField(_("cut-off day"), null=True, blank=True)
    # Who gets no card of it, beyond what holds everywhere: see `members.rules.card_applicants`.
    conditions = models.JSONField(_("conditions of its cards"), default=dict, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("card bank")
        verbose_name_plural = _("card banks")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(cut_off_day__isnull=True)
                | models.Q(cut_off_day__gte=1, cut_off_day__lte=28),
                name="card_bank_cut_off_day_of_every_month",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CardBatch(models.Model):
    """Applications that go to a bank in one file. The file is made once and kept."""

    number = models.CharField(_("batch number"), max_length=30, unique=True)
    bank = models.ForeignKey(CardBank, models.PROTECT, verbose_name=_("bank"), related_name="+")
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name=_("union"), related_name="+"
    )
    cards_count = models.PositiveIntegerField(_("cards"), default=0)
    file = models.ForeignKey(
        StoredFile, models.PROTECT, verbose_name=_("file"), null=True, related_name="+"
    )
    made_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("made by"), related_name="+"
    )
    made_at = models.DateTimeField(_("made at"), default=timezone.now, editable=False)
    sent_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("sent by"), null=True, related_name="+"
    )
    sent_at = models.DateTimeField(_("sent at"), null=True, editable=False)
    answered_at = models.DateTimeField(_("answered at"), null=True, editable=False)
    state = StateField(choices=CardBatchState.choices, default=CardBatchState.MADE)

    class Meta:
        verbose_name = _("card batch")
        verbose_name_plural = _("card batches")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["made", "cancelled"]) | models.Q(file__isnull=False),
                name="card_batch_sent_with_file",
            ),
        ]
        triggers = [
            CARD_BATCH.trigger(),
            frozen(
                "card_batch_frozen",
                "number, bank_id, file_id, cards_count",
                "card_batch: a batch that went to the bank stays as it is",
                when="OLD.state <> 'made'",
            ),
            *kept("card_batch"),
        ]

    def __str__(self) -> str:
        return self.number


class ServiceCard(models.Model):
    """One card of one member. At most one is live; the bank alone gives it its number.

    `handle` stands for the card in codes; it tells nothing of the person.
    """

    person = models.ForeignKey(
        Person, models.PROTECT, verbose_name=_("person"), related_name="cards"
    )
    # Where the card was applied for: what counts by county and month refer to.
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name=_("union"), related_name="+"
    )
    bank = models.ForeignKey(CardBank, models.PROTECT, verbose_name=_("bank"), related_name="+")
    number = SealedTextField(_("card number"), kind="card_number")
    fingerprint = BlindIndexField(_("fingerprint of the card"), source="number", kind="card_number")
    last_four = models.CharField(_("last four digits"), max_length=4, blank=True)
    handle = models.CharField(_("handle"), max_length=32, unique=True, editable=False)
    channel = models.CharField(_("came in"), max_length=8, choices=Channel.choices)
    # An application that came to nothing leaves room for another.
    replaces = models.ForeignKey(
        "self",
        models.PROTECT,
        verbose_name=_("replaces"),
        null=True,
        blank=True,
        related_name="replacements",
    )
    batch = models.ForeignKey(
        CardBatch,
        models.PROTECT,
        verbose_name=_("batch"),
        null=True,
        related_name="cards",
        db_index=False,
    )
    batch_row = models.PositiveIntegerField(_("row in the batch"), null=True)
    applied_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("applied by"), null=True, related_name="+"
    )
    applied_at = models.DateTimeField(_("applied at"), default=timezone.now, editable=False)
    checked_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("checked by"), null=True, related_name="+"
    )
    checked_at = models.DateTimeField(_("checked at"), null=True, editable=False)
    approved_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("approved by"), null=True, related_name="+"
    )
    approved_at = models.DateTimeField(_("approved at"), null=True, editable=False)
    issued_on = models.DateField(_("issued on"), null=True, blank=True)
    handed_out_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("handed out by"), null=True, related_name="+"
    )
    # The member's signature on the list of collected cards.
    receipt = models.ForeignKey(
        StoredFile, models.PROTECT, verbose_name=_("signed receipt"), null=True, related_name="+"
    )
    collected_at = models.DateTimeField(_("collected at"), null=True, editable=False)
    activated_on = models.DateField(_("activated on"), null=True, blank=True)
    bound_at = models.DateTimeField(_("bound to the portal at"), null=True, editable=False)
    # Until it is lifted: a card that was lost meanwhile comes back as suspended.
    suspended_at = models.DateTimeField(_("suspended at"), null=True, editable=False)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    state = StateField(choices=CardState.choices, default=CardState.DRAFT)

    class Meta:
        verbose_name = _("service card")
        verbose_name_plural = _("service cards")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["organization", "state", "id"], name="card_organization_state"),
            models.Index(fields=["state", "bank", "id"], name="card_state_bank"),
            models.Index(
                fields=["issued_on"],
                name="card_issued_on",
                condition=models.Q(issued_on__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                condition=models.Q(state__in=LIVE_CARDS),
                name="card_one_live",
            ),
            models.UniqueConstraint(fields=["fingerprint"], name="card_number_once"),
            models.UniqueConstraint(
                fields=["replaces"],
                condition=~models.Q(state="cancelled"),
                name="card_replaced_once",
            ),
            models.UniqueConstraint(fields=["batch", "batch_row"], name="card_row_once_per_batch"),
            models.CheckConstraint(
                condition=~models.Q(state__in=NUMBERED_CARDS)
                | models.Q(fingerprint__isnull=False, issued_on__isnull=False),
                name="card_issued_with_number",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="collected") | models.Q(collected_at__isnull=False),
                name="card_collected_with_instant",
            ),
            *four_eyes("card", "checked_by", "approved_by"),
        ]
        triggers = [
            SERVICE_CARD.trigger(),
            frozen(
                "card_frozen",
                "handle, replaces_id",
                "card: another holder is another card",
            ),
            follows_merge("card"),
            frozen(
                "card_number_kept",
                "fingerprint, last_four",
                "card: the bank's number is never edited",
                when="OLD.fingerprint IS NOT NULL",
            ),
            *kept("service_card"),
        ]

    def __str__(self) -> str:
        return f"{self.bank} …{self.last_four}" if self.last_four else f"C{self.pk:08d}"


class CardChange(models.Model):
    """A step of a card that its own columns don't tell, or tell only until it comes again.

    A returned application, a loss, a suspension and their ends; an earlier check or approval.
    """

    card = models.ForeignKey(
        ServiceCard, models.PROTECT, verbose_name=_("card"), related_name="changes"
    )
    old_state = models.CharField(_("from"), max_length=24, choices=CardState.choices)
    new_state = models.CharField(_("to"), max_length=24, choices=CardState.choices)
    at = models.DateTimeField(_("when"))
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    noted_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("noted by"), null=True, related_name="+"
    )

    class Meta:
        verbose_name = _("change of a card")
        verbose_name_plural = _("changes of cards")
        ordering = ["id"]
        triggers = append_only("card_change")

    def __str__(self) -> str:
        return f"{self.card}: {self.new_state}"


class CardResultFile(models.Model):
    """One file in which a bank tells what became of a batch. The same bytes are taken once."""

    batch = models.ForeignKey(
        CardBatch, models.PROTECT, verbose_name=_("batch"), related_name="results"
    )
    file = models.ForeignKey(StoredFile, models.PROTECT, verbose_name=_("file"), related_name="+")
    sha256 = models.CharField(_("SHA-256 digest"), max_length=64, unique=True)
    rows_count = models.PositiveIntegerField(_("rows"))
    taken_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("taken in by"), related_name="+"
    )
    taken_at = models.DateTimeField(_("taken in at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("result file of a bank")
        verbose_name_plural = _("result files of banks")
        ordering = ["-id"]
        triggers = append_only("card_result_file")

    def __str__(self) -> str:
        return str(self.file)


class CardVerdict(models.TextChoices):
    """What became of one row of a result file."""

    ISSUED = "issued", _("card issued")
    REFUSED = "refused", _("refused by the bank")
    REPEAT = "repeat", _("told before")
    UNKNOWN = "unknown", _("no such application in the batch")
    OTHER_PERSON = "other_person", _("name or identity number of somebody else")
    BAD_NUMBER = "bad_number", _("no card number of this bank")
    NUMBER_TAKEN = "number_taken", _("another card has this number")
    LATE = "late", _("the application is no longer with the bank")


class CardResultRow(models.Model):
    """One row of a result file and what it did. Rows that did nothing wait for a person."""

    file = models.ForeignKey(
        CardResultFile,
        models.PROTECT,
        verbose_name=_("file"),
        related_name="rows",
        db_index=False,
    )
    row = models.PositiveIntegerField(_("row"))
    card = models.ForeignKey(
        ServiceCard, models.PROTECT, verbose_name=_("card"), null=True, related_name="results"
    )
    shown = models.CharField(_("row as shown"), max_length=120, blank=True)
    cause = models.CharField(_("cause told by the bank"), max_length=120, blank=True)
    verdict = models.CharField(_("verdict"), max_length=14, choices=CardVerdict.choices)

    class Meta:
        verbose_name = _("row of a result file")
        verbose_name_plural = _("rows of a result file")
        ordering = ["file_id", "row"]
        constraints = [
            models.UniqueConstraint(fields=["file", "row"], name="card_result_row_once"),
        ]
        triggers = append_only("card_result_row")

    def __str__(self) -> str:
        return f"{self.row}: {self.get_verdict_display()}"
