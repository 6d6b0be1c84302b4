"""The tree of unions."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from union_portal import organizations
from union_portal.access import Permission
from union_portal.admin.buttons import Button, Text
from union_portal.admin.fields import DateInput, ReasonForm, union_field
from union_portal.admin.pages import Panel
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.kit.credit_code import read_credit_code
from union_portal.kit.refusals import Refused
from union_portal.models import Account, Organization, OrganizationLevel


class DescriptionForm(forms.Form):
    """What is known of a union. Cleaned text goes to the action as it stands."""

    name = forms.CharField(label=pgettext_lazy("of a thing", "Name"), max_length=120)
    short_name = forms.CharField(label=_("Short name"), max_length=40, required=False)
    division_code = forms.RegexField(
        regex=r"^[0-9]{6}$",
        label=_("Division code"),
        required=False,
        help_text=_("GB/T 2260, six digits"),
    )
    uscc = forms.CharField(
        label=_("Unified social credit code"), max_length=18, required=False, empty_value=None
    )
    phone = forms.CharField(label=_("Office phone"), max_length=30, required=False)
    address = forms.CharField(label=_("Address"), max_length=200, required=False)
    witness_email = forms.EmailField(
        label=_("E-mail address of the log's witness"),
        required=False,
        help_text=Organization._meta.get_field("witness_email").help_text,
    )
    founded_on = forms.DateField(label=_("Founded on"), required=False, widget=DateInput())

    def clean_uscc(self) -> str | None:
        typed = self.cleaned_data["uscc"]
        if not typed:
            return None
        try:
            return read_credit_code(typed).code
        except Refused as refusal:
            raise ValidationError(str(refusal)) from refusal


class NewUnionForm(DescriptionForm):
    level = forms.ChoiceField(
        label=_("Level"),
        choices=[
            choice
            for choice in OrganizationLevel.choices
            if choice[0] != OrganizationLevel.FEDERATION
        ],
    )


def description_form(union: Organization, account: Account) -> type[forms.Form]:
    """The form filled with what is known."""

    class Filled(DescriptionForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["initial"] = {name: getattr(union, name) for name in self.base_fields}
            super().__init__(*args, **kwargs)

    return Filled


def parent_form(union: Organization, account: Account) -> type[forms.Form]:
    class ParentForm(ReasonForm):
        parent = union_field(account, Permission.ACCOUNT_MANAGE)

    return ParentForm


def _create(parent: Organization, by: Account, data: dict[str, Any]) -> str:
    made = organizations.create(parent=parent, by=by, **data)
    return reverse("admin:union_portal_organization_change", args=[made.pk])


def _no_root(union: Organization, account: Account) -> Text | None:
    if union.level == OrganizationLevel.FEDERATION:
        return _("The federation is the root of the tree.")
    return None if union.is_active else _("It is closed already.")


@admin.register(Organization)
class OrganizationAdmin(ScopedModelAdmin):
    section = "people"
    icon = "account_tree"
    order = 40
    view_permissions = (
        Permission.PERSON_VIEW,
        Permission.ACCOUNT_MANAGE,
        Permission.ROLE_GRANT,
    )
    scope_path = "path"
    list_display = ("name", "level", "parent", "division_code", "uscc", "is_active")
    list_filter = ("level", "is_active")
    list_select_related = ("parent",)
    search_fields = ("name", "short_name", "uscc", "division_code")
    fields = (
        "name",
        "short_name",
        "level",
        "parent",
        "division_code",
        "uscc",
        "phone",
        "address",
        "witness_email",
        "founded_on",
        "is_active",
    )
    readonly_fields = fields
    buttons = (
        Button(
            name="describe",
            label=_("Correct"),
            permission=Permission.ACCOUNT_MANAGE,
            act=lambda obj, by, data: organizations.describe(organization=obj, by=by, **data),
            explain=_("The log keeps which columns were changed, and by whom."),
            form_for=description_form,
        ),
        Button(
            name="add",
            label=_("Add a union below"),
            permission=Permission.ACCOUNT_MANAGE,
            act=_create,
            explain=_("Roles held for this union reach the new one as well."),
            form=NewUnionForm,
        ),
        Button(
            name="move",
            label=_("Move"),
            permission=Permission.ACCOUNT_MANAGE,
            act=lambda obj, by, data: organizations.move(organization=obj, by=by, **data),
            explain=_("It moves with everything below it: other roles will reach it then."),
            why_not=_no_root,
            form_for=parent_form,
            danger=True,
        ),
        Button(
            name="close",
            label=_("Close the union"),
            permission=Permission.ACCOUNT_MANAGE,
            act=lambda obj, by, data: organizations.close(organization=obj, by=by, **data),
            explain=_("The union no longer exists. Its people and its history stay."),
            why_not=_no_root,
            form=ReasonForm,
            danger=True,
        ),
    )

    def organization_of(self, obj: Any) -> Organization:
        return obj

    def panels(self, request: HttpRequest, obj: Organization) -> list[Panel]:
        rows = [
            (child.name, child.get_level_display(), child.division_code)
            for child in obj.children.order_by("path")
        ]
        return [
            Panel(
                _("Right below"),
                (pgettext_lazy("of a thing", "Name"), _("Level"), _("Division code")),
                rows,
            )
        ]
