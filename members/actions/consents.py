"""What people agree to, purpose by purpose: texts, consents, and their withdrawal.

Whatever needs a consent asks `require` before it processes anything. A consent is to one text: a
new version is asked for anew. Withdrawing stops new processing; it undoes nothing that was done,
and what has to be kept by law is kept.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from members import consent_samples
from members.actions.refusals import PeopleRefused
from members.models import (
    Channel,
    Consent,
    ConsentPurpose,
    ConsentText,
    JoinApplication,
    Person,
)
from members.queries.privacy import consent_to, standing_consents, text_in_force, wants_sms
from union_portal import access, audit, files, notifications, turns
from union_portal.access import Permission
from union_portal.kit.refusals import require_text
from union_portal.models import Account, StoredFile

EVIDENCE: Final = "consent_evidence"


Withdrawn = Callable[[Person, str, Account], object]
_withdrawn: list[Withdrawn] = []


class ConsentMissing(PeopleRefused):
    """The person has not agreed to what was about to be done, or has withdrawn."""


def _may_fetch(account: Account, file: StoredFile) -> bool:
    """The person who signed, and whoever keeps the register of their union."""
    return is_ones_own(account, file) or access.may(
        account, Permission.PERSON_EDIT, file.organization
    )


def is_ones_own(account: Account, file: StoredFile) -> bool:
    """Whether a file is about the person who logs in with this account."""
    return (
        file.subject_type == Person._meta.label_lower
        and Person.objects.filter(account=account, pk=file.subject_id).exists()
    )


files.purpose(EVIDENCE, label=gettext_lazy("signed consent"), may=_may_fetch, is_sensitive=True)
notifications.ask_before_sms(wants_sms)


# -- texts -----------------------------------------------------------------------------------
@transaction.atomic
def draft(*, purpose: str, text: str, text_en: str, valid_from: date, by: Account) -> ConsentText:
    """Write the next version of the words of a purpose; nobody is asked before it is adopted."""
    access.require(by, Permission.RULES_EDIT)
    turns.take(f"consent:{purpose}")
    last = ConsentText.objects.filter(purpose=purpose).aggregate(last=Max("version"))["last"] or 0
    made = ConsentText.objects.create(
        purpose=ConsentPurpose(purpose),
        version=last + 1,
        valid_from=valid_from,
        written_by=by,
        **_words(text, text_en),
    )
    audit.record("consent_text.draft", made, by=by, purpose=purpose, version=made.version)
    return made


@transaction.atomic
def edit_draft(
    *, text: ConsentText, words: str, words_en: str, valid_from: date, by: Account
) -> None:
    """Correct words that nobody has adopted. Errors: PeopleRefused."""
    access.require(by, Permission.RULES_EDIT)
    held = _draft(text)
    changes = {**_words(words, words_en), "valid_from": valid_from, "written_by": by}
    ConsentText.objects.filter(pk=held.pk).update(**changes)
    text.refresh_from_db()
    audit.record("consent_text.edit", text, by=by)


@transaction.atomic
def adopt(*, text: ConsentText, by: Account, now: datetime) -> None:
    """Put words in force from their day on: from then they are what people are asked.

    Errors: PermissionDenied for whoever wrote them, PeopleRefused if they are adopted.
    """
    access.require(by, Permission.RULES_ADOPT)
    held = _draft(text)
    if held.written_by_id == by.pk:
        raise PermissionDenied(_("Whoever wrote a text does not adopt it."))
    ConsentText.objects.filter(pk=held.pk).update(adopted_by=by, adopted_at=now)
    text.refresh_from_db()
    audit.record("consent_text.adopt", text, by=by, purpose=text.purpose, version=text.version)


def install_samples(
    *, by: Account, second: Account, today: date, now: datetime
) -> list[ConsentText]:
    """Enter the sample texts; `second` adopts what `by` wrote. Purposes with a text are left."""
    made = []
    for sample in consent_samples.SAMPLES:
        if ConsentText.objects.filter(purpose=sample.purpose).exists():
            continue
        text = draft(
            purpose=sample.purpose,
            text=sample.text,
            text_en=sample.text_en,
            valid_from=today,
            by=by,
        )
        adopt(text=text, by=second, now=now)
        made.append(text)
    return made


def _draft(text: ConsentText) -> ConsentText:
    held = ConsentText.objects.select_for_update().get(pk=text.pk)
    if held.adopted_at is not None:
        raise PeopleRefused(
            gettext_noop("An adopted text is replaced, never edited."),
            gettext_noop("Write the next version."),
        )
    return held


def _words(text: str, text_en: str) -> dict[str, str]:
    message = gettext_noop("The text is missing.")
    remedy = gettext_noop("Write it in Chinese and in English.")
    return {
        "text": require_text(text, message, remedy),
        "text_en": require_text(text_en, message, remedy),
    }


# -- consents --------------------------------------------------------------------------------
@transaction.atomic
def give(
    *,
    person: Person,
    purpose: str,
    by: Account,
    now: datetime,
    today: date,
    evidence: StoredFile | None = None,
    seen: int | None = None,
) -> Consent:
    """Note that the person agrees to the text in force; agreeing twice notes it once.

    The person does it in the portal, or staff at the desk with the signed paper. `seen` is the
    version that was read: another one meanwhile is shown first. Errors: PermissionDenied,
    PeopleRefused without a text in force, without paper, for another version, and at the desk
    for a second sheet.
    """
    held = Person.objects.select_for_update(of=("self",), no_key=True).get(pk=person.pk)
    channel = channel_of(held, by)
    text = text_in_force(purpose, today)
    if text is None:
        raise PeopleRefused(
            gettext_noop("There is no text of this consent in force."),
            gettext_noop("It can be given once the office has adopted one."),
        )
    if seen is not None and seen != text.version:
        raise _other_text()
    if channel == Channel.DESK and evidence is None:
        raise PeopleRefused(
            gettext_noop("At the desk a consent is given on paper."),
            gettext_noop("Attach a photo or scan of the signed sheet."),
        )
    standing = standing_consents(held, purpose).filter(text=text).first()
    if standing is not None and channel == Channel.PORTAL:
        return standing
    if standing is not None:
        raise PeopleRefused(
            gettext_noop("The person has agreed to this text already."),
            gettext_noop("The sheet that was signed first stands."),
        )
    made = Consent.objects.create(
        person=held, text=text, channel=channel, given_at=now, given_by=by, evidence=evidence
    )
    audit.record(
        "consent.give", held, by=by, purpose=purpose, version=text.version, channel=str(channel)
    )
    return made


@transaction.atomic
def withdraw(
    *,
    person: Person,
    purpose: str,
    by: Account,
    now: datetime,
    evidence: StoredFile | None = None,
) -> int:
    """End every consent to a purpose, whatever its version; how many stood.

    Only new processing stops. Errors: PermissionDenied, PeopleRefused if none stands, or at
    the desk without paper.
    """
    held = Person.objects.select_for_update(of=("self",), no_key=True).get(pk=person.pk)
    channel = channel_of(held, by)
    if channel == Channel.DESK and evidence is None:
        raise PeopleRefused(
            gettext_noop("At the desk a consent is withdrawn on paper."),
            gettext_noop("Attach a photo or scan of the signed sheet."),
        )
    ended = standing_consents(held, purpose).update(withdrawn_at=now)
    if not ended:
        raise PeopleRefused(
            gettext_noop("There is no consent to withdraw."),
            gettext_noop("Nothing is processed on it."),
        )
    audit.record(
        "consent.withdraw",
        held,
        by=by,
        purpose=purpose,
        channel=str(channel),
        evidence=str(evidence.pk) if evidence else "",
    )
    for act in _withdrawn:
        act(held, purpose, by)
    return ended


def when_withdrawn(act: Withdrawn) -> None:
    """Have `act(person, purpose, by)` called as a consent is withdrawn, in one transaction.

    Whoever has begun something on a consent ends here what can still be ended.
    """
    _withdrawn.append(act)


def for_joining(seen: int | None, *, today: date) -> list[int]:
    """The numbers of the texts that somebody agrees to who applies to join; none without a text.

    `seen` is the number of the text that was read. Errors: PeopleRefused for another meanwhile.
    """
    text = text_in_force(ConsentPurpose.MEMBERSHIP, today)
    if text is None:
        return []
    if seen != text.pk:
        raise _other_text()
    return [text.pk]


def note_joined(application: JoinApplication, person: Person, texts: Iterable[int]) -> None:
    """Write down for a new member what the applicant agreed to."""
    had = Consent.objects.filter(person=person, withdrawn_at__isnull=True).values("text")
    for text in ConsentText.objects.filter(pk__in=list(texts)).exclude(pk__in=had):
        Consent.objects.create(
            person=person,
            text=text,
            channel=application.channel,
            given_at=application.applied_at,
            given_by=application.applied_by,
        )
        audit.record(
            "consent.give",
            person,
            by=application.applied_by or audit.Machine("public"),
            purpose=text.purpose,
            version=text.version,
            channel=application.channel,
        )


def _other_text() -> PeopleRefused:
    return PeopleRefused(
        gettext_noop("The text has changed since you opened the page."),
        gettext_noop("Read the new one, then decide."),
    )


def require(person: Person, purpose: str, *, today: date) -> Consent:
    """The person's consent to the text in force; ask before processing. Errors: ConsentMissing."""
    found = consent_to(person, purpose, today)
    if found is None:
        raise ConsentMissing(
            gettext_noop("The person has not agreed to this: %(purpose)s."),
            gettext_noop("It is given in the portal under “Consents”, or at the desk on paper."),
            {"purpose": ConsentPurpose(purpose).label},
        )
    return found


def require_where_asked(person: Person, purpose: str, *, today: date) -> None:
    """The same from the day on which the office has a text of this purpose in force.

    Before, nobody could agree to anything. Errors: ConsentMissing.
    """
    if text_in_force(purpose, today) is not None:
        require(person, purpose, today=today)


def channel_of(person: Person, by: Account) -> Channel:
    """Through which door somebody acts for a person. Errors: PermissionDenied."""
    if person.account_id == by.pk:
        return Channel.PORTAL
    access.require(by, Permission.PERSON_EDIT, person.organization)
    return Channel.DESK


def explain(purpose: str) -> str:
    """What it means to withdraw, as the person reads it before doing so."""
    told: dict[str, Any] = {
        ConsentPurpose.MEMBERSHIP: _(
            "Your union sees that you withdrew and uses your data for nothing beyond the register"
            " itself. Your membership and its history stay on record; to leave the union, turn to"
            " its office."
        ),
        ConsentPurpose.CARD: _(
            "Nothing more is given to the bank, and no new card can be applied for. A card that"
            " the bank has opened stays open; the bank closes it if you ask."
        ),
        ConsentPurpose.SENSITIVE: _(
            "New applications for relief and subsidies can't be taken. What was decided and paid"
            " stays on record, as accounts have to be kept."
        ),
        ConsentPurpose.NOTICES: _(
            "You get no more text messages. Everything is told here, under “Messages”. A log-in"
            " code still comes when you ask for one."
        ),
        ConsentPurpose.FAMILY: _(
            "Children under 14 can't be entered any more. Those you entered stay until you remove"
            " them."
        ),
    }
    return str(told[ConsentPurpose(purpose)])
