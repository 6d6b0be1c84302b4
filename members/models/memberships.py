"""Who belongs to which union since when: joining, moving, leaving.

Membership follows the labour relation: joined once, carried over dynamically
(工会会员会籍管理办法, 2016). Each change is kept.
"""

# The SQL below is made of words of our own.
# ruff: noqa: S608

import pgtrigger
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.models.people import Person, follows_merge
from members.states import (
    JOIN_APPLICATION,
    LIVE_MEMBERSHIPS,
    MEMBERSHIP,
    MEMBERSHIP_TRANSFER,
    OPEN_TRANSFERS,
    JoinState,
    MembershipState,
    TransferState,
)
from union_portal.fields import BlindIndexField, SealedTextField, StateField
from union_portal.models import Account, Organization
from union_portal.models.audit import append_only, refuse_truncate
from union_portal.row_guards import four_eyes, frozen, guard, kept, refusal
from union_portal.triggers import Trigger


class Channel(models.TextChoices):
    """Through which door a membership or a card came in."""

    PORTAL = "portal", _("by the member in the portal")
    DESK = "desk", _("by the union")
    IMPORT = "import", _("from a file")


_NO_GAP = (
    guard(
        "NOT EXISTS (SELECT 1 FROM members_membership m"
        " WHERE m.id = NEW.previous_id AND m.person_id = NEW.person_id"
        " AND m.state = 'transferred' AND m.ended_on = NEW.joined_on)",
        "membership_without_gap",
        "membership: it begins on the day on which the one before ended",
    )
    + "RETURN NEW;"
)


class Membership(models.Model):
    """One person in one union from a day on. Live at most once a person.

    A transfer ends one and begins the next on the same day: `previous` chains them, and the
    database knows no gap between them.
    """

    person = models.ForeignKey(
        Person, models.PROTECT, verbose_name=_("person"), related_name="memberships"
    )
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name=_("union"), related_name="+", db_index=False
    )
    joined_on = models.DateField(_("in this union since"))
    # The first joining of any union: carried over from one membership to the next.
    first_joined_on = models.DateField(_("member since"))
    ended_on = models.DateField(_("ended on"), null=True, blank=True)
    previous = models.OneToOneField(
        "self",
        models.PROTECT,
        verbose_name=_("membership before"),
        null=True,
        blank=True,
        related_name="next",
    )
    channel = models.CharField(_("came in"), max_length=8, choices=Channel.choices)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    state = StateField(choices=MembershipState.choices, default=MembershipState.ACTIVE)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["organization", "state", "id"], name="membership_organization"),
            # Few are anything else at a time, and found among a million by that.
            models.Index(
                fields=["state", "id"],
                name="membership_not_active",
                condition=~models.Q(state="active"),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                condition=models.Q(state__in=LIVE_MEMBERSHIPS),
                name="membership_one_live",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=LIVE_MEMBERSHIPS, ended_on__isnull=True)
                | (~models.Q(state__in=LIVE_MEMBERSHIPS) & models.Q(ended_on__isnull=False)),
                name="membership_ended_with_day",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_on__isnull=True)
                | models.Q(ended_on__gte=models.F("joined_on")),
                name="membership_ends_after_start",
            ),
            models.CheckConstraint(
                condition=models.Q(first_joined_on__lte=models.F("joined_on")),
                name="membership_first_joined_before",
            ),
        ]
        triggers = [
            MEMBERSHIP.trigger(),
            frozen(
                "membership_frozen",
                "organization_id, joined_on, previous_id",
                "membership: a membership is ended, never moved",
            ),
            follows_merge("membership"),
            Trigger(
                name="membership_without_gap",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.previous_id IS NOT NULL"),
                func=_NO_GAP,
            ),
            *kept("membership"),
        ]

    def __str__(self) -> str:
        return f"{self.person} – {self.organization}"


class MembershipChange(models.Model):
    """One change of a membership: what yearly statistics count, and what the member reads."""

    membership = models.ForeignKey(
        Membership, models.PROTECT, verbose_name=_("membership"), related_name="changes"
    )
    old_state = models.CharField(
        _("from"), max_length=24, choices=MembershipState.choices, blank=True
    )
    new_state = models.CharField(_("to"), max_length=24, choices=MembershipState.choices)
    on = models.DateField(_("on"))
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    noted_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("noted by"), null=True, related_name="+"
    )
    noted_at = models.DateTimeField(_("noted at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("change of a membership")
        verbose_name_plural = _("changes of memberships")
        ordering = ["-on", "-id"]
        indexes = [models.Index(fields=["on", "new_state"], name="membership_change_day")]
        triggers = append_only("membership_change")

    def __str__(self) -> str:
        return f"{self.membership}: {self.new_state}"


class JoinApplication(models.Model):
    """Someone asks to join a union; only an approved application makes a person and a membership.

    `details` are the further real-name fields as JSON, sealed: some of them are sensitive.
    A number may have several open ones: were the second refused, the public page would tell
    strangers whose number has applied. That one membership comes of them the database sees to.
    """

    name = models.CharField(_("name"), max_length=60)
    national_id = SealedTextField(_("identity number"), kind="national_id", null=False)
    national_id_index = BlindIndexField(
        _("look-up print of the ID number"), source="national_id", kind="national_id", null=False
    )
    national_id_shown = models.CharField(_("identity number"), max_length=18, editable=False)
    phone = SealedTextField(_("phone"), kind="phone", null=False)
    phone_index = BlindIndexField(
        _("look-up print of the phone"), source="phone", kind="phone", null=False
    )
    phone_shown = models.CharField(_("phone"), max_length=20, editable=False)
    details = SealedTextField(_("further fields"), kind="profile")
    employer = models.CharField(_("employer"), max_length=120, blank=True)
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name=_("union"), related_name="+", db_index=False
    )
    # Told to whoever applied; with the phone it shows where the application stands.
    receipt = models.CharField(_("receipt number"), max_length=16, unique=True, editable=False)
    is_by_other = models.BooleanField(_("filled in by somebody else"), default=False)
    channel = models.CharField(_("came in"), max_length=8, choices=Channel.choices)
    applied_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("applied by"), null=True, related_name="+"
    )
    applied_at = models.DateTimeField(_("applied at"), default=timezone.now, editable=False)
    # Keyed hash of the address it came from: how often is counted, where from is not kept.
    asked_from = models.CharField(
        _("print of the address"), max_length=64, blank=True, editable=False, db_default=""
    )
    checked_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("checked by"), null=True, related_name="+"
    )
    checked_at = models.DateTimeField(_("checked at"), null=True, editable=False)
    decided_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("decided by"), null=True, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, editable=False)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    membership = models.OneToOneField(
        Membership,
        models.PROTECT,
        verbose_name=_("membership"),
        null=True,
        blank=True,
        related_name="application",
    )
    state = StateField(choices=JoinState.choices, default=JoinState.APPLIED)

    class Meta:
        verbose_name = _("application to join")
        verbose_name_plural = _("applications to join")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["organization", "state", "id"], name="join_organization_state"),
            models.Index(fields=["national_id_index", "applied_at"], name="join_number"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state="approved")
                | models.Q(
                    membership__isnull=False, checked_by__isnull=False, decided_by__isnull=False
                ),
                name="join_approved_with_membership",
            ),
            *four_eyes("join", "checked_by", "decided_by"),
        ]
        triggers = [
            JOIN_APPLICATION.trigger(),
            # What came to nothing is forgotten in time (retention); what made a member is kept.
            Trigger(
                name="join_kept",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.state NOT IN ('refused', 'taken_back')"),
                func=refusal("join_kept", "join: only what came to nothing is forgotten"),
            ),
            refuse_truncate("join_application"),
        ]

    def __str__(self) -> str:
        return self.receipt


class MembershipTransfer(models.Model):
    """A membership on its way to another union: the old one releases, the new one accepts."""

    membership = models.ForeignKey(
        Membership, models.PROTECT, verbose_name=_("membership"), related_name="transfers"
    )
    source = models.ForeignKey(
        Organization, models.PROTECT, verbose_name=_("old union"), related_name="+"
    )
    target = models.ForeignKey(
        Organization, models.PROTECT, verbose_name=_("new union"), related_name="+"
    )
    reason = models.CharField(_("reason"), max_length=200)
    employer = models.CharField(_("new employer"), max_length=120, blank=True)
    requested_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("requested by"), related_name="+"
    )
    requested_at = models.DateTimeField(_("requested at"), default=timezone.now, editable=False)
    released_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("released by"), null=True, related_name="+"
    )
    released_at = models.DateTimeField(_("released at"), null=True, editable=False)
    decided_by = models.ForeignKey(
        Account,
        models.PROTECT,
        verbose_name=_("accepted or refused by"),
        null=True,
        related_name="+",
    )
    decided_at = models.DateTimeField(_("accepted or refused at"), null=True, editable=False)
    answer = models.CharField(_("answer"), max_length=200, blank=True)
    made = models.OneToOneField(
        Membership,
        models.PROTECT,
        verbose_name=_("new membership"),
        null=True,
        related_name="made_by",
    )
    state = StateField(choices=TransferState.choices, default=TransferState.REQUESTED)

    class Meta:
        verbose_name = _("transfer of a membership")
        verbose_name_plural = _("transfers of memberships")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["source", "state"], name="transfer_source_state"),
            models.Index(fields=["target", "state"], name="transfer_target_state"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["membership"],
                condition=models.Q(state__in=OPEN_TRANSFERS),
                name="transfer_one_open",
            ),
            models.CheckConstraint(
                condition=~models.Q(source=models.F("target")), name="transfer_moves"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="accepted")
                | models.Q(made__isnull=False, released_by__isnull=False, decided_by__isnull=False),
                name="transfer_accepted_by_both",
            ),
        ]
        triggers = [
            MEMBERSHIP_TRANSFER.trigger(),
            frozen(
                "transfer_frozen",
                "membership_id, source_id, target_id",
                "transfer: another union is another transfer",
            ),
            *kept("membership_transfer"),
        ]

    def __str__(self) -> str:
        return f"{self.source} → {self.target}"

    @property
    def organization(self) -> Organization:
        """In whose log its steps stand: whoever takes the member in answers for them."""
        return self.target
