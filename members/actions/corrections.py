"""A person says what is wrong about them; staff of their union correct it or say why not.

Source: Personal Information Protection Law, art. 46.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from members.actions import consents, people, profiles
from members.actions.refusals import PeopleRefused
from members.models import (
    Correction,
    Education,
    Employment,
    HukouType,
    MemberProfile,
    Person,
    PoliticalStatus,
    TechnicalGrade,
)
from members.rules.rows import read_employer, read_line
from members.states import CorrectionState
from union_portal import access, audit, files, lifecycle, notifications
from union_portal.access import Permission
from union_portal.kit import masks, names
from union_portal.kit.phone import read_mobile
from union_portal.kit.refusals import Refused, require_text
from union_portal.models import Account, StoredFile

EVIDENCE: Final = "correction_evidence"
TOPIC: Final = "correction"
_ADDRESS_LONGEST: Final = 200
_LINE_LONGEST: Final = 300
YES, NO = "yes", "no"

notifications.topic(TOPIC, gettext_lazy("correction"))
notifications.template(
    "correction_done",
    gettext_lazy("What you asked to have corrected was corrected: %(field)s. %(answer)s"),
)
notifications.template(
    "correction_declined",
    gettext_lazy("What you asked to have corrected stays as it is: %(field)s. Reason: %(answer)s"),
)


def _may_fetch(account: Account, file: StoredFile) -> bool:
    return consents.is_ones_own(account, file) or access.may(
        account, Permission.PERSON_EDIT, file.organization
    )


files.purpose(
    EVIDENCE, label=gettext_lazy("evidence for a correction"), may=_may_fetch, is_sensitive=True
)


@dataclass(frozen=True)
class Field:
    """What can be corrected: how it is read, whose action writes it, and what holds now."""

    label: str | Promise
    read: Callable[[str], str]
    write: Callable[..., Any] | None
    holds: Callable[[Person], str]
    choices: tuple[tuple[str, Any], ...] = ()
    mask: Callable[[str], str] = str


def _line(longest: int) -> Callable[[str], str]:
    return lambda text: read_line(text, longest)


def _one_of(choices: Any) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in dict(choices):
            raise PeopleRefused(
                gettext_noop("This is none of the values."), gettext_noop("Choose one of the list.")
            )
        return text

    return read


def _write_profile(*, reason: str, **given: Any) -> list[str]:
    """The register's further fields take no reason: the answer stands on the correction."""
    return profiles.write(**given)


def _profile(label: Any, column: str, choices: Any = ()) -> Field:
    def holds(person: Person) -> str:
        profile = MemberProfile.objects.filter(person=person).first()
        value = getattr(profile, column, "")
        if column == "is_farmer_worker":
            value = YES if value else NO
        return str(dict(choices).get(value, value)) if choices else str(value)

    return Field(
        label, _one_of(choices) if choices else _line(20), _write_profile, holds, tuple(choices)
    )


_YES_NO: Final = ((YES, gettext_lazy("yes")), (NO, gettext_lazy("no")))
FIELDS: Final[dict[str, Field]] = {
    "name": Field(gettext_lazy("name"), names.read_name, people.update, lambda one: one.name),
    "phone": Field(
        gettext_lazy("phone"), read_mobile, people.update, lambda one: one.phone_shown,
        mask=masks.mask_phone,
    ),
    "address": Field(
        gettext_lazy("address"), _line(_ADDRESS_LONGEST), people.update,
        lambda one: "–", mask=lambda text: text[:3] + "…",
    ),
    "employer": Field(
        gettext_lazy("employer"), read_employer, people.update, lambda one: one.employer
    ),
    "ethnicity": _profile(gettext_lazy("ethnicity"), "ethnicity"),
    "education": _profile(gettext_lazy("education"), "education", Education.choices),
    "political_status": _profile(
        gettext_lazy("political status"), "political_status", PoliticalStatus.choices
    ),
    "hukou_type": _profile(gettext_lazy("hukou"), "hukou_type", HukouType.choices),
    "employment": _profile(gettext_lazy("employment"), "employment", Employment.choices),
    "technical_grade": _profile(
        gettext_lazy("technical grade"), "technical_grade", TechnicalGrade.choices
    ),
    "is_farmer_worker": _profile(gettext_lazy("farmer worker"), "is_farmer_worker", _YES_NO),
    # Identity number, birth date, bank account, membership …: staff do it where it belongs.
    "other": Field(gettext_lazy("something else"), _line(_LINE_LONGEST), None, lambda one: "–"),
}  # fmt: skip


@transaction.atomic
def ask(
    *,
    person: Person,
    field: str,
    wanted: str,
    words: str,
    by: Account,
    now: datetime,
    evidence: StoredFile | None = None,
) -> Correction:
    """Ask for one field to be corrected; the person does it themselves.

    Errors: PermissionDenied, kit refusals for a value that can't be, PeopleRefused while the
    same field waits already.
    """
    if person.account_id != by.pk:
        raise PermissionDenied(_("People ask for corrections of their own data."))
    known = FIELDS[field]
    value = require_text(
        known.read(wanted),
        gettext_noop("What it should be is missing."),
        gettext_noop("Write what is right."),
    )
    made = Correction(
        person=person, field=field, wanted=value, words=words.strip()[:300], evidence=evidence,
        asked_at=now,
    )  # fmt: skip
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError as error:
        if "correction_one_open_per_field" not in str(error):
            raise
        raise PeopleRefused(
            gettext_noop("A correction of this waits for its answer already."),
            gettext_noop("Your union answers it first; then you can ask again."),
        ) from None
    audit.record("correction.ask", made, by=by, organization=person.organization, field=field)
    return made


@transaction.atomic
def carry_out(*, correction: Correction, by: Account, now: datetime, answer: str = "") -> None:
    """Write what the person asked for, through the action that writes this field; tell them.

    What no action writes was done elsewhere: then the answer says what. Errors:
    PermissionDenied, Stale, kit refusals, Refused without an answer where one is needed.
    """
    person = correction.person
    access.require(by, Permission.PERSON_EDIT, person.organization)
    known = FIELDS[correction.field]
    said = answer.strip()
    _require_not_own(person, by)
    if known.write is None:
        said = require_text(
            answer,
            gettext_noop("The answer is missing."),
            gettext_noop("Say what was done; the member reads it."),
        )
    _close(correction, CorrectionState.DONE, by, now, said)
    if known.write is not None:
        value: Any = str(correction.wanted)
        if correction.field == "is_farmer_worker":
            value = value == YES
        reason = said or _("The member asked for the correction.")
        known.write(person=person, by=by, reason=reason, **{correction.field: value})
    _tell(correction, "correction_done", said)


@transaction.atomic
def decline(*, correction: Correction, by: Account, now: datetime, answer: str) -> None:
    """Leave it as it is and say why; the person reads it. Errors: Refused without a reason."""
    access.require(by, Permission.PERSON_EDIT, correction.person.organization)
    _require_not_own(correction.person, by)
    said = require_text(
        answer,
        gettext_noop("The reason is missing."),
        gettext_noop("Say why it stays as it is; the member reads it."),
    )
    _close(correction, CorrectionState.DECLINED, by, now, said)
    _tell(correction, "correction_declined", said)


def shown(correction: Correction) -> str:
    """What was asked for, as lists show it: numbers and addresses masked, choices in words."""
    known = FIELDS[correction.field]
    value = str(correction.wanted)
    return str(dict(known.choices).get(value) or known.mask(value))


def whole(correction: Correction) -> str:
    """What was asked for, as its judge reads it."""
    known = FIELDS[correction.field]
    return str(dict(known.choices).get(str(correction.wanted), correction.wanted))


def _require_not_own(person: Person, by: Account) -> None:
    if person.account_id == by.pk:
        raise Refused(
            gettext_noop("You asked for this yourself."), gettext_noop("A colleague answers it.")
        )


def _close(
    correction: Correction, to: CorrectionState, by: Account, now: datetime, answer: str
) -> None:
    lifecycle.advance(
        correction, to=to, by=by, answered_by=by, answered_at=now, answer=answer[:300]
    )


def _tell(correction: Correction, template: str, answer: str) -> None:
    notifications.queue_portal_message(
        topic=TOPIC,
        key=str(correction.pk),
        template=template,
        recipient=correction.person_id,
        subject=correction,
        field=str(FIELDS[correction.field].label),
        answer=answer,
    )
