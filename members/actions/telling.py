"""Tell people where their membership stands: SMS or letter, and at once in the portal."""

from typing import Any, Final

from django.db.models import CharField, F, JSONField, QuerySet, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from members.models import JoinApplication, Membership, MembershipTransfer, Person
from union_portal import notifications

TOPIC: Final = "membership"
JOINING: Final = "joining"

_TEXTS: Final = {
    "joining_returned": _(
        "Your application %(receipt)s to join %(union)s needs to be completed. The portal shows"
        " what is missing, under “Join the union”."
    ),
    "joining_refused": _(
        "Your application %(receipt)s to join %(union)s was refused. The portal shows the"
        " reason, under “Join the union”."
    ),
    "joining_approved": _(
        "Welcome to %(union)s: you are a member from today. With your name and identity number"
        " you can log in to the portal."
    ),
    "transfer_requested": _(
        "A transfer of your membership from %(source)s to %(target)s was asked for. If it was not"
        " you and you don't want it, take it back in the portal."
    ),
    "transfer_released": _(
        "%(source)s has released your membership; %(target)s has to accept it now."
    ),
    "transfer_accepted": _(
        "Your membership has been transferred from %(source)s to %(target)s, without a gap."
    ),
    "transfer_refused": _(
        "The transfer of your membership to %(target)s was refused; you stay in %(source)s. The"
        " portal shows the reason."
    ),
    "transfer_taken_back": _(
        "The transfer of your membership to %(target)s was taken back; you stay in %(source)s."
    ),
    "membership_active": _("Your membership of %(union)s is active again."),
    "membership_retained": _("Your membership of %(union)s is retained."),
    "membership_retired": _("You are noted as a retired member of %(union)s."),
    "membership_withdrawn": _(
        "Your membership of %(union)s has ended. If you did not want that, ask your union."
    ),
}


def register() -> None:
    """Make the texts known to the outbox."""
    notifications.topic(TOPIC, _("membership"))
    notifications.topic(JOINING, _("joining"))
    for name, text in _TEXTS.items():
        notifications.template(name, text=text)


def tell_change(membership: Membership, template: str) -> None:
    """Tell a member of a change that has just been noted."""
    newest = membership.changes.order_by("-id").first()
    about = f"change:{newest.pk}" if newest else f"begin:{membership.pk}"
    _tell(membership.person, membership, template, about, union=membership.organization.name)


def tell_transfer(transfer: MembershipTransfer, step: str) -> None:
    """Tell the member of a step of their transfer."""
    _tell(
        transfer.membership.person,
        transfer,
        f"transfer_{step}",
        f"transfer:{transfer.pk}:{step}",
        source=transfer.source.name,
        target=transfer.target.name,
    )


def tell_applicant(application: JoinApplication, step: str, key: object = "") -> None:
    """Tell whoever applied, at the number they gave: they may be in no register yet."""
    notifications.queue_messages(
        topic=JOINING,
        template=f"joining_{step}",
        rows=JoinApplication.objects.filter(pk=application.pk).values(
            key=Value(f"{application.pk}:{step}:{key}", CharField()),
            recipient=F("membership__person_id"),
            sealed_phone=F("phone"),
            about=Cast("pk", CharField()),
            facts=Value(
                {"receipt": application.receipt, "union": application.organization.name},
                JSONField(),
            ),
        ),
        subject_type=JoinApplication._meta.label_lower,
    )


def _tell(person: Person, subject: Any, template: str, key: str, **facts: str) -> None:
    people: QuerySet[Person] = Person.objects.filter(pk=person.pk, died_on__isnull=True)
    notifications.queue_messages(
        topic=TOPIC,
        template=template,
        rows=people.values(
            key=Value(key, CharField()),
            recipient=F("pk"),
            sealed_phone=F("phone"),
            about=Value(str(subject.pk), CharField()),
            facts=Value(facts, JSONField()),
        ),
        subject_type=subject._meta.label_lower,
    )
    notifications.queue_portal_message(
        topic=TOPIC, key=key, template=template, recipient=person.pk, subject=subject, **facts
    )
