"""What may be asked about consents, corrections and family, by the person and by staff."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from members.models import (
    Consent,
    ConsentPurpose,
    ConsentText,
    Correction,
    FamilyMember,
    Person,
)
from members.states import CorrectionState
from union_portal import access
from union_portal.access import Permission
from union_portal.models import Account, ReportRun
from union_portal.states import ReportState

COPY_KINDS = ("my_data_pdf", "my_data_json")
COPY_DAYS = 7


def texts_in_force(on: date) -> QuerySet[ConsentText]:
    """The newest adopted text of each purpose whose day has come."""
    return (
        ConsentText.objects.filter(adopted_at__isnull=False, valid_from__lte=on)
        .order_by("purpose", "-version")
        .distinct("purpose")
    )


def text_in_force(purpose: str, on: date) -> ConsentText | None:
    """What people are asked for this purpose on a day, if anything."""
    return texts_in_force(on).filter(purpose=purpose).first()


def standing_consents(person: Person, purpose: str) -> QuerySet[Consent]:
    """What the person agreed to and did not withdraw, whatever the version."""
    return Consent.objects.filter(person=person, text__purpose=purpose, withdrawn_at__isnull=True)


def consent_to(person: Person, purpose: str, on: date) -> Consent | None:
    """The person's consent to the text in force on that day, if it stands."""
    text = text_in_force(purpose, on)
    return standing_consents(person, purpose).filter(text=text).first() if text else None


def agreeing(purpose: str, on: date) -> QuerySet[Consent]:
    """The standing consents to the text in force, of everybody: for sets, by `person`."""
    text = text_in_force(purpose, on)
    standing = Consent.objects.filter(withdrawn_at__isnull=True)
    return standing.filter(text=text) if text else standing.none()


def wants_sms(recipient: int) -> bool:
    """Whether a person is told by text message: unless they agreed once and withdrew.

    What an office has to tell goes out without a consent; a withdrawal is heeded.
    """
    asked = Consent.objects.filter(person=recipient, text__purpose=ConsentPurpose.NOTICES)
    newest = asked.order_by(F("withdrawn_at").desc(nulls_first=True)).first()
    return newest is None or newest.withdrawn_at is None


@dataclass(frozen=True)
class Purpose:
    """One purpose as the person sees it: what is asked now, and what they said."""

    purpose: ConsentPurpose
    text: ConsentText | None
    consent: Consent | None
    history: list[Consent]

    @property
    def is_old(self) -> bool:
        """Whether what was agreed to is not what is asked now."""
        return self.consent is not None and self.consent.text != self.text

    @property
    def is_open(self) -> bool:
        """Whether there is something to agree to."""
        return self.text is not None and (self.consent is None or self.is_old)


def purposes_of(person: Person, on: date) -> list[Purpose]:
    """Each purpose on its own, with the words in force and the person's answers."""
    texts = {text.purpose: text for text in texts_in_force(on)}
    given: dict[str, list[Consent]] = {}
    for consent in Consent.objects.filter(person=person).select_related("text", "evidence"):
        given.setdefault(consent.text.purpose, []).append(consent)
    return [_of(purpose, texts.get(purpose), given.get(purpose, [])) for purpose in ConsentPurpose]


def _of(purpose: ConsentPurpose, text: ConsentText | None, given: list[Consent]) -> Purpose:
    standing = next((one for one in given if one.withdrawn_at is None), None)
    return Purpose(purpose, text, standing, given)


def consents_missing(person: int, on: date) -> QuerySet[ConsentText]:
    """Texts in force that the person should answer and has not; a withdrawal is an answer.

    That of the register, and new versions of what they agreed to: all others are asked for where
    they are needed.
    """
    answered = Consent.objects.filter(person=person, text=OuterRef("pk"))
    older = Consent.objects.filter(
        person=person, text__purpose=OuterRef("purpose"), withdrawn_at__isnull=True
    )
    return ConsentText.objects.filter(
        ~Exists(answered),
        Q(purpose=ConsentPurpose.MEMBERSHIP) | Exists(older),
        pk__in=texts_in_force(on).values("pk"),
    ).order_by("purpose")


def corrections_of(person: Person) -> QuerySet[Correction]:
    """What the person asked to have corrected, newest first."""
    return Correction.objects.filter(person=person).select_related("evidence")


def corrections_waiting_for(account: Account) -> QuerySet[Correction]:
    """Open ones of the unions whose people this account keeps."""
    return Correction.objects.filter(
        access.scope(account, Permission.PERSON_EDIT, "person__organization__path"),
        state=CorrectionState.ASKED,
    )


def family_of(person: Person) -> QuerySet[FamilyMember]:
    """The people of a member's family, the eldest first."""
    return FamilyMember.objects.filter(person=person).select_related("guardian_consent__text")


def copies_of(person: Person, account: Account) -> QuerySet[ReportRun]:
    """The copies of one's own data that this account asked for, newest first."""
    return ReportRun.objects.filter(
        kind__in=COPY_KINDS,
        subject_type=Person._meta.label_lower,
        subject_id=str(person.pk),
        requested_by=account,
    ).select_related("file", "job")


def copies_ready(person: Person, account: Account, on: date) -> QuerySet[ReportRun]:
    """Those that can be fetched today."""
    since = Q(file__created_at__date__gte=on - timedelta(days=COPY_DAYS))
    return copies_of(person, account).filter(since, state=ReportState.READY)
