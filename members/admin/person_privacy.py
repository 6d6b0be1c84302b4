"""What a person's staff page tells of consents and family, and the desk's buttons for them."""

from typing import Any

from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from members.actions import consents, family
from members.forms_privacy import FamilyForm, PaperField
from members.models import Consent, ConsentPurpose, FamilyMember, Person
from members.queries import privacy as queries
from union_portal import files
from union_portal.access import Permission
from union_portal.admin.buttons import Button, Text
from union_portal.admin.pages import Panel
from union_portal.admin.trail import name_acts
from union_portal.models import Account, StoredFile

name_acts(
    {
        "family.enter": gettext_noop("Family member entered"),
        "family.remove": gettext_noop("Family member removed"),
        "person.file_fetched": gettext_noop("A paper about the person was fetched"),
    }
)


class ConsentForm(forms.Form):
    purpose = forms.ChoiceField(label=_("Purpose"), choices=ConsentPurpose.choices)
    paper = PaperField(label=_("Signed sheet (photo or PDF)"))


class WithdrawForm(forms.Form):
    purpose = forms.ChoiceField(label=_("Purpose"), choices=ConsentPurpose.choices)
    letter = PaperField(label=_("Signed withdrawal (photo or PDF)"))


class FamilyChoice(forms.ModelChoiceField):
    def label_from_instance(self, obj: FamilyMember) -> str:
        return f"{obj.name} · {obj.get_relation_display()}"


def remove_form(person: Person, by: Account) -> type[forms.Form]:
    class RemoveForm(forms.Form):
        member = FamilyChoice(label=_("Who"), queryset=queries.family_of(person))

    return RemoveForm


def _stored(person: Person, upload: Any, by: Account) -> StoredFile:
    return files.store(
        purpose=consents.EVIDENCE,
        name=upload.name,
        content=upload,
        subject=person,
        organization=person.organization,
        by=by,
    )


def _give(person: Person, by: Account, data: dict[str, Any]) -> None:
    consents.give(
        person=person, purpose=data["purpose"], by=by, now=timezone.now(),
        today=timezone.localdate(), evidence=_stored(person, data["paper"], by),
    )  # fmt: skip


def _withdraw(person: Person, by: Account, data: dict[str, Any]) -> None:
    consents.withdraw(
        person=person, purpose=data["purpose"], by=by, now=timezone.now(),
        evidence=_stored(person, data["letter"], by),
    )  # fmt: skip


def _enter(person: Person, by: Account, data: dict[str, Any]) -> None:
    family.enter(person=person, by=by, today=timezone.localdate(), now=timezone.now(), **data)


def _remove(person: Person, by: Account, data: dict[str, Any]) -> None:
    family.remove(member=data["member"], by=by)


def _is_dead(person: Person, account: Account) -> Text | None:
    return _("The person has died.") if person.died_on else None


def _without_family(person: Person, account: Account) -> Text | None:
    if queries.family_of(person).exists():
        return None
    return _("No family member is entered.")


BUTTONS = (
    Button(
        name="consent",
        label=_("Record a consent"),
        permission=Permission.PERSON_EDIT,
        act=_give,
        explain=_("To the text in force, which the person has signed on paper."),
        done=_("The consent is recorded."),
        why_not=_is_dead,
        form=ConsentForm,
    ),
    Button(
        name="withdrawal",
        label=_("Record a withdrawal"),
        permission=Permission.PERSON_EDIT,
        act=_withdraw,
        explain=_("Nothing new is processed for this purpose from now on."),
        done=_("The withdrawal is recorded."),
        form=WithdrawForm,
    ),
    Button(
        name="family",
        label=_("Enter a family member"),
        permission=Permission.PERSON_EDIT,
        act=_enter,
        explain=_("A child under 14 needs its guardian and the consent for family data."),
        done=_("Entered."),
        why_not=_is_dead,
        form=FamilyForm,
    ),
    Button(
        name="family-remove",
        label=_("Remove a family member"),
        permission=Permission.PERSON_EDIT,
        act=_remove,
        explain=_("The entry is forgotten, with birth date and identity number."),
        done=_("Removed."),
        why_not=_without_family,
        form_for=remove_form,
        danger=True,
    ),
)


def panels(person: Person) -> list[Panel]:
    """Consents with their papers, and the family, masked."""
    given = Consent.objects.filter(person=person).select_related("text", "evidence")
    return [
        Panel(
            _("Consents"),
            (_("Purpose"), _("Given"), _("Came in"), _("Paper"), _("Withdrawn")),
            [
                (
                    one.text,
                    _at(one.given_at),
                    one.get_channel_display(),
                    _paper(one.evidence),
                    _at(one.withdrawn_at) if one.withdrawn_at else "–",
                )
                for one in given
            ],
        ),
        Panel(
            _("Family"),
            (_("Name"), _("Relation"), _("Born"), _("Identity number"), _("Guardian")),
            [
                (
                    one.name,
                    one.get_relation_display(),
                    one.born_on,
                    one.national_id_shown or "–",
                    one.guardian or "–",
                )
                for one in queries.family_of(person)
            ],
        ),
    ]


def _at(moment: Any) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"


def _paper(file: StoredFile | None) -> SafeString | str:
    if file is None:
        return "–"
    url = reverse("portal:file", args=[file.pk])
    return format_html('<a href="{}">{}</a>', url, gettext("the signed sheet"))
