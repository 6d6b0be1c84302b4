"""What members and the kernel hold of a person, as sections of the copy of one's data."""

from collections.abc import Callable, Iterator

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from axes.models import AccessLog
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members import queries
from members.actions.corrections import FIELDS
from members.models import (
    BankAccount,
    CardChange,
    CardCode,
    Consent,
    Correction,
    FamilyMember,
    Favourite,
    JoinApplication,
    LoginCode,
    MemberProfile,
    Membership,
    MembershipChange,
    MembershipTransfer,
    MerchantComplaint,
    MerchantLogin,
    Person,
    PersonMerge,
    Rating,
    Redemption,
    ServiceCard,
)
from union_portal import my_data, notifications
from union_portal.models import (
    Account,
    Appeal,
    FileDownload,
    Message,
    ReportRun,
    StoredFile,
)
from union_portal.my_data import Row, entry, of_model

_SECRET = "what opens a log-in is told to nobody"  # noqa: S105
_MASKED = "the whole number is told beside it"
# The packages' own tables name their columns in English.
_OF_LOG_INS = {
    "user": _("account"),
    "username": _("log-in name"),
    "created_at": _("logged in at"),
    "attempt_time": _("logged in at"),
    "last_seen_at": _("last used at"),
    "logout_time": _("logged out at"),
    "ip": _("network address"),
    "ip_address": _("network address"),
    "user_agent": _("browser, as it names itself"),
    "http_accept": _("kinds of pages that the browser takes"),
    "path_info": _("page of the log-in"),
}


def _account(person: int) -> int | None:
    return Person.objects.filter(pk=person).values_list("account", flat=True).first()


def _name(person: int) -> str:
    found = Account.objects.filter(person=person).first()
    return found.username if found else ""


def _applied(person: int) -> Q:
    """By the same identity number: an application knows no person before it is approved."""
    prints = Person.objects.filter(pk=person).values("national_id_index")
    return Q(national_id_index__in=prints)


def _of_account(column: str) -> Callable[[int], Q]:
    return lambda person: Q(**{f"{column}__person": person})


def _told(person: int) -> Iterator[Row]:
    """Messages with their words, as they were told."""
    for message in notifications.messages_for(person).order_by("pk"):
        yield [
            entry("id", "ID", message.pk),
            entry("channel", _("channel"), message.get_channel_display()),
            entry("created_at", _("created at"), message.created_at),
            entry("sent_at", _("sent at"), message.sent_at),
            entry("read_at", _("read at"), message.read_at),
            entry("state", _("state"), message.get_state_display()),
            entry("text", _("text"), _shown(message)),
        ]


def _shown(message: Message) -> str:
    """A code is a secret even when it has expired."""
    if message.topic in notifications.ASKED_FOR:
        return str(_("A log-in code that you asked for"))
    return notifications.text_of(message)


def _looked(person: int) -> Iterator[Row]:
    for looked in queries.who_looked(Person.objects.get(pk=person)).order_by("pk"):
        yield [
            entry("at", _("when"), looked.at),
            entry("actor", _("who"), looked.actor),
            entry("action", _("what"), looked.action),
            entry("reason", _("why"), looked.reason),
        ]


def _files(person: int) -> Q:
    """Uploaded by the person, or filed about them; the bytes are fetched one by one."""
    about = Q(subject_type=Person._meta.label_lower, subject_id=str(person))
    account = _account(person)
    return about | Q(uploaded_by=account) if account else about


def register() -> None:
    """Add the sections of this app and of the kernel."""
    my_data.add(
        of_model(
            "person", _("Person"), Person, "pk", order=1,
            leave_out={"national_id_shown": _MASKED, "phone_shown": _MASKED,
                       "pinyin": "made of the name", "initials": "made of the name"},
        ),
        of_model("profile", _("Further fields"), MemberProfile, "person", order=2),
        of_model("memberships", _("Memberships"), Membership, "person", order=3),
        of_model(
            "membership_changes", _("Changes of memberships"), MembershipChange,
            "membership__person", order=4,
        ),
        of_model(
            "membership_transfers", _("Transfers"), MembershipTransfer, "membership__person",
            order=5,
        ),
        of_model(
            "join_applications", _("Applications to join"), JoinApplication, _applied, order=6,
            leave_out={"national_id_shown": _MASKED, "phone_shown": _MASKED},
        ),
        of_model("bank_accounts", _("Bank accounts"), BankAccount, "person", order=7),
        of_model("family", _("Family"), FamilyMember, "person", order=8,
                 leave_out={"national_id_shown": _MASKED}),
        of_model("consents", _("Consents"), Consent, "person", order=9),
        of_model(
            "corrections", _("Corrections asked for"), Correction, "person", order=10,
            words={"field": lambda name: str(FIELDS[name].label)},
        ),
        of_model("merges", _("Merged rows"), PersonMerge,
                 lambda person: Q(kept=person) | Q(merged=person), order=11),
        of_model(
            "cards", _("Service cards"), ServiceCard, "person", order=20,
            leave_out={"handle": "a secret between the card and the till"},
        ),
        of_model("card_changes", _("Changes of cards"), CardChange, "card__person", order=21),
        of_model(
            "card_codes", _("Codes of cards"), CardCode, "card__person", order=21,
            leave_out=dict.fromkeys(
                ("digest", "former_digest"), "a secret between the card and the till"
            ),
        ),
        of_model(
            "redemptions", _("Uses of offers"), Redemption, "person", order=22,
            leave_out={"code_digest": "a secret between the card and the till"},
        ),
        of_model("ratings", _("Ratings"), Rating, "redemption__person", order=23),
        of_model("favourites", _("Favourites"), Favourite, "person", order=24),
        of_model("complaints", _("Complaints about merchants"), MerchantComplaint, "person",
                 order=25),
        of_model(
            "account", _("Log-in"), Account, "person", order=70,
            leave_out={"password": _SECRET, "session_round": "a counter of the portal's own"},
        ),
        of_model("factors", _("Second factors and passkeys"), Authenticator, _of_account("user"),
                 order=71, leave_out={"data": _SECRET}),
        of_model("sessions", _("Open sessions"), UserSession, _of_account("user"), order=72,
                 leave_out={"session_key": _SECRET, "data": "empty"}, labels=_OF_LOG_INS),
        of_model("log_ins", _("Log-ins so far"), AccessLog,
                 lambda person: Q(username=_name(person)), order=73,
                 leave_out={"session_hash": _SECRET}, labels=_OF_LOG_INS),
        of_model(
            "login_codes", _("Questions for a log-in code"), LoginCode, "person", order=74,
            leave_out={"code_hash": _SECRET, "asked_for": "a keyed hash",
                       "asked_from": "a keyed hash"},
        ),
        of_model("merchant_logins", _("Work at the till of a merchant"), MerchantLogin,
                 _of_account("account"), order=75),
        my_data.Section("messages", _("Messages"), _told, (Message,), 80),
        of_model("files", _("Files"), StoredFile, _files, order=81),
        of_model("fetched", _("Files that you fetched"), FileDownload, _of_account("account"),
                 order=82),
        of_model("reports", _("Reports that you asked for"), ReportRun,
                 _of_account("requested_by"), order=83),
        of_model("appeals", _("Appeals"), Appeal, _of_account("appellant"), order=84),
        my_data.Section("looked", _("Who looked at my data"), _looked, (), 90),
    )  # fmt: skip
