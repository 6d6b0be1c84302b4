"""Applications to join: checked by the union, approved by the county."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.actions import join_applications, joining
from members.forms_membership import CompletionForm, ProfileForm
from members.models import JoinApplication, MemberProfile
from members.queries import in_an_address
from members.queries import memberships as queries
from members.queries.people import number_in
from members.states import JoinState
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, every, not_by, only_in
from union_portal.admin.fields import ReasonForm, union_field
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.trail import name_acts
from union_portal.forms import IdentityField, ReadField
from union_portal.kit.names import read_name
from union_portal.kit.phone import read_mobile
from union_portal.models import Account


class MessageForm(forms.Form):
    message = forms.CharField(
        label=_("What is missing or wrong"),
        min_length=2,
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The applicant reads it."),
    )


class ShortReasonForm(ReasonForm):
    reason = forms.CharField(
        label=_("Reason"),
        min_length=2,
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The applicant reads it."),
    )


def enter_form(obj: None, by: Account) -> type[forms.Form]:
    class EnterForm(ProfileForm):
        name = ReadField(reader=read_name, label=_("Name"), max_length=60)
        national_id = IdentityField()
        phone = ReadField(reader=read_mobile, label=_("Phone"), max_length=30)
        employer = forms.CharField(label=_("Employer"), max_length=120)
        organization = union_field(by, Permission.MEMBERSHIP_EDIT)

        field_order = ("name", "national_id", "phone", "employer", "organization")

    return EnterForm


def completion_form(application: JoinApplication, by: Account) -> type[forms.Form]:
    """Filled with what is known; number and phone are sealed, and the phone is asked again."""

    class Completion(CompletionForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["initial"] = {
                "name": application.name,
                "employer": application.employer,
                **join_applications.details(application).get("profile", {}),
            }
            super().__init__(*args, **kwargs)

    return Completion


def _enter(obj: None, by: Account, data: dict[str, Any]) -> str:
    own = ("name", "national_id", "phone", "employer", "organization")
    entered = join_applications.apply_at_desk(
        by=by,
        today=timezone.localdate(),
        now=timezone.now(),
        profile={name: data[name] for name in joining_fields(data, own)},
        **{name: data[name] for name in own},
    )
    return reverse("admin:members_joinapplication_change", args=[entered.pk])


def joining_fields(data: dict[str, Any], own: tuple[str, ...]) -> list[str]:
    return [name for name in data if name not in own]


def _complete(application: JoinApplication, by: Account, data: dict[str, Any]) -> None:
    own = ("name", "national_id", "phone", "employer")
    joining.complete(
        application=application,
        by=by,
        today=timezone.localdate(),
        profile={name: data[name] for name in joining_fields(data, own)},
        **{name: data[name] for name in own},
    )


def _facts(application: JoinApplication, by: Account) -> list[tuple[Any, Any]]:
    return [
        (_("Name"), application.name),
        (_("Identity number"), application.national_id_shown),
        (_("Union"), application.organization),
        (_("Employer"), application.employer or "–"),
        (_("Filled in by somebody else"), _("yes") if application.is_by_other else _("no")),
        (_("Other open applications of this number"), queries.others_with_number(application)),
    ]


name_acts(
    {
        "joinapplication.apply": gettext_noop("Applied to join"),
        "person.join": gettext_noop("Joined a union"),
        "person.transfer": gettext_noop("Moved to another union"),
        "person.profile": gettext_noop("Further fields changed"),
        "membership.begin": gettext_noop("Membership begun"),
        "membership.export": gettext_noop("Memberships exported"),
        "membershiptransfer.request": gettext_noop("Transfer asked for"),
        "unionprofile.describe": gettext_noop("Official fields changed"),
        "unionprofile.export": gettext_noop("Official fields exported"),
        "unionyear.report": gettext_noop("Year reported"),
    }
)


@admin.register(JoinApplication)
class JoinApplicationAdmin(ScopedModelAdmin):
    section = "people"
    icon = "person_add"
    order = 12
    view_permissions = (
        Permission.MEMBERSHIP_EDIT,
        Permission.MEMBERSHIP_APPROVE,
        Permission.TRAIL_VIEW,
    )
    list_display = (
        "receipt",
        "name",
        "national_id_shown",
        "organization",
        "employer",
        "channel",
        "applied_at",
        "state",
    )
    list_filter = ("state", "channel", "is_by_other")
    list_select_related = ("organization",)
    search_fields = ("name__startswith", "=receipt")
    fields = (
        "receipt",
        "name",
        "national_id_shown",
        "phone_shown",
        "employer",
        "organization",
        "channel",
        "is_by_other",
        "applied_by",
        "applied_at",
        "checked_by",
        "checked_at",
        "decided_by",
        "decided_at",
        "reason",
        "membership_link",
        "state",
    )
    readonly_fields = fields
    empty_hint = _("Whoever applies in the portal stands here; on paper, enter it yourself.")
    list_buttons = (
        Button(
            name="enter",
            label=_("Enter an application on paper"),
            permission=Permission.MEMBERSHIP_EDIT,
            act=_enter,
            explain=_("It is marked as filled in by another hand; the applicant signs the paper."),
            done=_("The application is entered: compare it with the card, then check it."),
            form_for=enter_form,
        ),
    )
    buttons = (
        Button(
            name="check",
            label=_("Checked: pass it on"),
            permission=Permission.MEMBERSHIP_EDIT,
            act=lambda obj, by, data: joining.check(application=obj, by=by, now=timezone.now()),
            explain=_("You have compared it with founding document, identity card and roster."),
            done=_("The county federation decides next."),
            why_not=only_in(JoinState.APPLIED),
            facts=_facts,
        ),
        Button(
            name="approve",
            label=_("Approve"),
            permission=Permission.MEMBERSHIP_APPROVE,
            act=lambda obj, by, data: (
                joining.approve(
                    application=obj, by=by, today=timezone.localdate(), now=timezone.now()
                )
                and None
            ),
            explain=_("Person and membership are written at once; the new member is told."),
            done=_("The membership has begun."),
            why_not=every(
                only_in(JoinState.CHECKED),
                not_by("checked_by", _("Whoever checked an application does not decide on it.")),
            ),
            facts=_facts,
        ),
        Button(
            name="return",
            label=_("Return for completion"),
            permission=Permission.MEMBERSHIP_EDIT,
            act=lambda obj, by, data: joining.give_back(
                application=obj, by=by, now=timezone.now(), **data
            ),
            explain=_("The applicant is told by SMS and completes it, in the portal or with you."),
            why_not=only_in(JoinState.APPLIED),
            form=MessageForm,
        ),
        Button(
            name="return-checked",
            label=_("Return for completion after the check"),
            permission=Permission.MEMBERSHIP_APPROVE,
            act=lambda obj, by, data: joining.give_back(
                application=obj, by=by, now=timezone.now(), **data
            ),
            explain=_("The union checks it again afterwards."),
            why_not=every(
                only_in(JoinState.CHECKED),
                not_by("checked_by", _("Whoever checked an application does not decide on it.")),
            ),
            form=MessageForm,
        ),
        Button(
            name="complete",
            label=_("Complete it for the applicant"),
            permission=Permission.MEMBERSHIP_EDIT,
            act=_complete,
            explain=_("What is asked for was told you in person or on paper."),
            why_not=only_in(JoinState.RETURNED),
            form_for=completion_form,
        ),
        Button(
            name="refuse",
            label=_("Refuse"),
            permission=Permission.MEMBERSHIP_EDIT,
            act=lambda obj, by, data: joining.refuse(
                application=obj, by=by, now=timezone.now(), **data
            ),
            explain=_("The applicant reads the reason and may apply again."),
            why_not=only_in(JoinState.APPLIED),
            form=ShortReasonForm,
            danger=True,
        ),
        Button(
            name="refuse-checked",
            label=_("Refuse after the check"),
            permission=Permission.MEMBERSHIP_APPROVE,
            act=lambda obj, by, data: joining.refuse(
                application=obj, by=by, now=timezone.now(), **data
            ),
            explain=_("The applicant reads the reason and may apply again."),
            why_not=every(
                only_in(JoinState.CHECKED),
                not_by("checked_by", _("Whoever checked an application does not decide on it.")),
            ),
            form=ShortReasonForm,
            danger=True,
        ),
        Button(
            name="take-back",
            label=_("Take back for the applicant"),
            permission=Permission.MEMBERSHIP_EDIT,
            act=lambda obj, by, data: joining.take_back(application=obj, by=by),
            explain=_("The applicant told you that they do not want to join any more."),
            why_not=only_in(JoinState.APPLIED, JoinState.CHECKED, JoinState.RETURNED),
            danger=True,
        ),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[JoinApplication], search_term: str
    ) -> tuple[QuerySet[JoinApplication], bool]:
        """A receipt, the beginning of a name, or a whole number by its keyed hash."""
        if (found := number_in(search_term)) is not None:
            column, print_ = found
            return queryset.filter(**{column: print_}), False
        return super().get_search_results(request, queryset, search_term)

    def in_an_address(self, searched: str) -> str:
        return in_an_address(searched)

    def get_search_help_text(self, request: HttpRequest) -> Any:
        return _("Receipt number, beginning of the name, or a whole identity number or phone")

    def facts(self, request: HttpRequest, obj: JoinApplication) -> list[Fact]:
        tones = {JoinState.APPROVED: "good", JoinState.REFUSED: "bad"}
        told = [Fact(_("State"), obj.get_state_display(), tones.get(JoinState(obj.state), "wait"))]
        if others := queries.others_with_number(obj):
            told.append(Fact(_("Other open applications of this number"), others, "bad"))
        return told

    def panels(self, request: HttpRequest, obj: JoinApplication) -> list[Panel]:
        said = MemberProfile(**join_applications.details(obj).get("profile", {}))
        return [Panel(_("Further fields"), (_("Field"), _("Answer")), profile_rows(said))]

    @admin.display(description=_("membership"), empty_value="–")
    def membership_link(self, application: JoinApplication) -> Any:
        if application.membership_id is None:
            return None
        url = reverse("admin:members_membership_change", args=[application.membership_id])
        return format_html('<a href="{}">{}</a>', url, _("membership"))


def profile_rows(profile: MemberProfile) -> list[tuple[Any, Any]]:
    """The further fields as people read them, those without an answer as a dash."""
    names = [field for field in MemberProfile._meta.local_fields if field.name in _SHOWN]
    return [(field.verbose_name, _shown(profile, field.name)) for field in names]


_SHOWN = frozenset(ProfileForm.base_fields)


def _shown(profile: MemberProfile, name: str) -> Any:
    value = getattr(profile, name)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    told = getattr(profile, f"get_{name}_display", None)
    return (told() if told else value) or "–"


desk.add_queue(
    desk.Queue(
        "joining-checks",
        _("Applications to join to check"),
        Permission.MEMBERSHIP_EDIT,
        JoinApplication,
        queries.applications_to_check,
        icon="person_add",
    ),
    desk.Queue(
        "joining-approvals",
        _("Applications to join to approve"),
        Permission.MEMBERSHIP_APPROVE,
        JoinApplication,
        queries.applications_to_approve,
        icon="how_to_reg",
    ),
)
