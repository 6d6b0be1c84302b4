"""Transition tables of the members app."""

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

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


class JoinState(models.TextChoices):
    APPLIED = "applied", _("applied")
    CHECKED = "checked", _("checked by the union")
    RETURNED = "returned", _("returned for completion")
    APPROVED = "approved", _("approved")
    REFUSED = "refused", _("refused")
    TAKEN_BACK = "taken_back", _("taken back")


JOIN_APPLICATION = transitions(
    "join_application",
    {JoinState.APPLIED},
    {
        JoinState.APPLIED: {
            JoinState.CHECKED,
            JoinState.RETURNED,
            JoinState.REFUSED,
            JoinState.TAKEN_BACK,
        },
        JoinState.RETURNED: {JoinState.APPLIED, JoinState.TAKEN_BACK},
        JoinState.CHECKED: {
            JoinState.APPROVED,
            JoinState.RETURNED,
            JoinState.REFUSED,
            JoinState.TAKEN_BACK,
        },
    },
)
OPEN_APPLICATIONS: Final = (JoinState.APPLIED, JoinState.CHECKED, JoinState.RETURNED)


class MembershipState(models.TextChoices):
    ACTIVE = "active", _("member")
    RETAINED = "retained", _("membership retained")
    RETIRED = "retired", pgettext_lazy("of a member", "retired")
    TRANSFERRED = "transferred", _("transferred to another union")
    WITHDRAWN = "withdrawn", pgettext_lazy("of a member", "withdrawn")
    DECEASED = "deceased", _("deceased")


# Nobody is withdrawn by the clock: six months without dues raise a task, a person decides.
MEMBERSHIP = transitions(
    "membership",
    {MembershipState.ACTIVE, MembershipState.RETAINED, MembershipState.RETIRED},
    {
        MembershipState.ACTIVE: {
            MembershipState.RETAINED,
            MembershipState.RETIRED,
            MembershipState.TRANSFERRED,
            MembershipState.WITHDRAWN,
            MembershipState.DECEASED,
        },
        MembershipState.RETAINED: {
            MembershipState.ACTIVE,
            MembershipState.RETIRED,
            MembershipState.TRANSFERRED,
            MembershipState.WITHDRAWN,
            MembershipState.DECEASED,
        },
        MembershipState.RETIRED: {
            MembershipState.ACTIVE,
            MembershipState.TRANSFERRED,
            MembershipState.WITHDRAWN,
            MembershipState.DECEASED,
        },
    },
)
LIVE_MEMBERSHIPS: Final = (
    MembershipState.ACTIVE,
    MembershipState.RETAINED,
    MembershipState.RETIRED,
)


class TransferState(models.TextChoices):
    REQUESTED = "requested", _("waiting for the old union")
    RELEASED = "released", _("released, waiting for the new union")
    ACCEPTED = "accepted", _("accepted")
    REFUSED = "refused", _("refused")
    TAKEN_BACK = "taken_back", _("taken back")


MEMBERSHIP_TRANSFER = transitions(
    "membership_transfer",
    {TransferState.REQUESTED},
    {
        TransferState.REQUESTED: {
            TransferState.RELEASED,
            TransferState.REFUSED,
            TransferState.TAKEN_BACK,
        },
        TransferState.RELEASED: {
            TransferState.ACCEPTED,
            TransferState.REFUSED,
            TransferState.TAKEN_BACK,
        },
    },
)
OPEN_TRANSFERS: Final = (TransferState.REQUESTED, TransferState.RELEASED)


class MergeState(models.TextChoices):
    PROPOSED = "proposed", _("waiting for a second person")
    CONFIRMED = "confirmed", _("merged")
    REFUSED = "refused", _("refused")


PERSON_MERGE = transitions(
    "person_merge",
    {MergeState.PROPOSED},
    {MergeState.PROPOSED: {MergeState.CONFIRMED, MergeState.REFUSED}},
)


class CardState(models.TextChoices):
    DRAFT = "draft", _("being prepared")
    UNION_REVIEW = "union_review", _("with the union")
    CITY_REVIEW = "city_review", _("with the city union")
    READY = "ready", _("waiting for the bank's batch")
    SENT_TO_BANK = "sent_to_bank", _("with the bank")
    ISSUED = "issued", _("issued, to be collected")
    COLLECTED = "collected", _("collected, to be activated")
    ACTIVE = "active", pgettext_lazy("of a card", "active")
    SUSPENDED = "suspended", _("suspended")
    LOST = "lost", _("reported lost")
    REPLACED = "replaced", _("replaced")
    CANCELLED = "cancelled", _("cancelled")


# The bank is the system of record: a loss reported here suspends the benefits, and a card that
# turns up again is used again only while none has taken its place (one live card per member).
SERVICE_CARD = transitions(
    "service_card",
    {CardState.DRAFT, CardState.UNION_REVIEW, CardState.ACTIVE},
    {
        CardState.DRAFT: {CardState.UNION_REVIEW, CardState.CANCELLED},
        CardState.UNION_REVIEW: {CardState.DRAFT, CardState.CITY_REVIEW, CardState.CANCELLED},
        CardState.CITY_REVIEW: {CardState.DRAFT, CardState.READY, CardState.CANCELLED},
        CardState.READY: {CardState.SENT_TO_BANK, CardState.CITY_REVIEW, CardState.CANCELLED},
        CardState.SENT_TO_BANK: {CardState.ISSUED, CardState.CITY_REVIEW, CardState.CANCELLED},
        CardState.ISSUED: {CardState.COLLECTED, CardState.LOST, CardState.CANCELLED},
        CardState.COLLECTED: {CardState.ACTIVE, CardState.LOST, CardState.CANCELLED},
        CardState.ACTIVE: {CardState.SUSPENDED, CardState.LOST, CardState.CANCELLED},
        CardState.SUSPENDED: {CardState.ACTIVE, CardState.LOST, CardState.CANCELLED},
        CardState.LOST: {
            CardState.ACTIVE,
            CardState.SUSPENDED,
            CardState.REPLACED,
            CardState.CANCELLED,
        },
    },
)
LIVE_CARDS: Final = (
    CardState.DRAFT,
    CardState.UNION_REVIEW,
    CardState.CITY_REVIEW,
    CardState.READY,
    CardState.SENT_TO_BANK,
    CardState.ISSUED,
    CardState.COLLECTED,
    CardState.ACTIVE,
    CardState.SUSPENDED,
)
NUMBERED_CARDS: Final = (
    CardState.ISSUED,
    CardState.COLLECTED,
    CardState.ACTIVE,
    CardState.SUSPENDED,
    CardState.LOST,
    CardState.REPLACED,
)


class CardBatchState(models.TextChoices):
    MADE = "made", _("made, not sent")
    SENT = "sent", _("sent to the bank")
    ANSWERED = "answered", _("answered by the bank")
    CANCELLED = "cancelled", _("cancelled")


# Answered means that every card of it has its answer; a file that answers some leaves it sent.
CARD_BATCH = transitions(
    "card_batch",
    {CardBatchState.MADE},
    {
        CardBatchState.MADE: {CardBatchState.SENT, CardBatchState.CANCELLED},
        CardBatchState.SENT: {CardBatchState.ANSWERED},
    },
)


class MerchantState(models.TextChoices):
    APPLIED = "applied", _("applied")
    INVITED = "invited", _("invited, to be completed")
    REVIEWED = "reviewed", _("reviewed, waiting for approval")
    APPROVED = "approved", _("approved")
    SUSPENDED = "suspended", _("suspended")
    REFUSED = "refused", _("refused")
    ENDED = "ended", _("ended")


MERCHANT = transitions(
    "merchant",
    {MerchantState.APPLIED, MerchantState.INVITED},
    {
        MerchantState.APPLIED: {MerchantState.REVIEWED, MerchantState.REFUSED},
        MerchantState.INVITED: {MerchantState.REVIEWED, MerchantState.REFUSED},
        MerchantState.REVIEWED: {
            MerchantState.APPROVED,
            MerchantState.APPLIED,
            MerchantState.INVITED,
            MerchantState.REFUSED,
        },
        MerchantState.APPROVED: {MerchantState.SUSPENDED, MerchantState.ENDED},
        MerchantState.SUSPENDED: {MerchantState.APPROVED, MerchantState.ENDED},
    },
)


class AgreementState(models.TextChoices):
    ENTERED = "entered", _("entered, not confirmed")
    CONFIRMED = "confirmed", _("confirmed")
    REJECTED = "rejected", _("rejected")
    TERMINATED = "terminated", _("terminated")


# It expires by its dates, which every use asks; no step is needed for that.
MERCHANT_AGREEMENT = transitions(
    "merchant_agreement",
    {AgreementState.ENTERED},
    {
        AgreementState.ENTERED: {AgreementState.CONFIRMED, AgreementState.REJECTED},
        AgreementState.CONFIRMED: {AgreementState.TERMINATED},
    },
)


class OfferState(models.TextChoices):
    DRAFT = "draft", pgettext_lazy("of an offer", "being written")
    SUBMITTED = "submitted", _("waiting for approval")
    PUBLISHED = "published", _("published")
    PAUSED = "paused", _("paused")
    ENDED = "ended", _("ended")


BENEFIT_OFFER = transitions(
    "benefit_offer",
    {OfferState.DRAFT},
    {
        OfferState.DRAFT: {OfferState.SUBMITTED, OfferState.ENDED},
        OfferState.SUBMITTED: {OfferState.PUBLISHED, OfferState.DRAFT, OfferState.ENDED},
        OfferState.PUBLISHED: {OfferState.PAUSED, OfferState.ENDED},
        OfferState.PAUSED: {OfferState.PUBLISHED, OfferState.DRAFT, OfferState.ENDED},
    },
)


class RedemptionState(models.TextChoices):
    DONE = "done", _("used")
    UNDONE = "undone", _("taken back")


REDEMPTION = transitions(
    "redemption", {RedemptionState.DONE}, {RedemptionState.DONE: {RedemptionState.UNDONE}}
)


class ComplaintState(models.TextChoices):
    OPEN = "open", _("waiting for an answer")
    ANSWERED = "answered", _("answered")


COMPLAINT = transitions(
    "complaint", {ComplaintState.OPEN}, {ComplaintState.OPEN: {ComplaintState.ANSWERED}}
)


class CorrectionState(models.TextChoices):
    ASKED = "asked", _("asked for")
    DONE = "done", _("corrected")
    DECLINED = "declined", _("declined")


CORRECTION = transitions(
    "correction",
    {CorrectionState.ASKED},
    {CorrectionState.ASKED: {CorrectionState.DONE, CorrectionState.DECLINED}},
)


LIFECYCLES: Final = {
    "members.bankaccount": BANK_ACCOUNT,
    "members.importrun": IMPORT_RUN,
    "members.joinapplication": JOIN_APPLICATION,
    "members.membership": MEMBERSHIP,
    "members.membershiptransfer": MEMBERSHIP_TRANSFER,
    "members.personmerge": PERSON_MERGE,
    "members.servicecard": SERVICE_CARD,
    "members.cardbatch": CARD_BATCH,
    "members.merchant": MERCHANT,
    "members.merchantagreement": MERCHANT_AGREEMENT,
    "members.merchantaccount": BANK_ACCOUNT,
    "members.benefitoffer": BENEFIT_OFFER,
    "members.redemption": REDEMPTION,
    "members.merchantcomplaint": COMPLAINT,
    "members.correction": CORRECTION,
}
