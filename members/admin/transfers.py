"""接转: released by the old union, accepted by the new one."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.actions import transfers
from members.models import MembershipTransfer
from members.queries import memberships as queries
from members.states import TransferState
from union_portal import access
from union_portal.access import Permission
from union_portal.admin import desk, pages
from union_portal.admin.buttons import Button, Offer, Text, only_in
from union_portal.admin.fields import union_field
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin, open_first, reader
from union_portal.forms import IdentityField, ReadField
from union_portal.kit.names import read_name
from union_portal.models import Account, Organization


class AnswerForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        min_length=2,
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The other side and the member read it."),
    )


def request_form(obj: None, by: Account) -> type[forms.Form]:
    class RequestForm(AnswerForm):
        name = ReadField(reader=read_name, label=_("Name"), max_length=60)
        national_id = IdentityField()
        employer = forms.CharField(label=_("New employer"), max_length=120)
        target = union_field(by, Permission.MEMBERSHIP_EDIT)

        field_order = ("name", "national_id", "employer", "target", "reason")

    return RequestForm


def _request(obj: None, by: Account, data: dict[str, Any]) -> str:
    asked = transfers.request_by_number(by=by, **data)
    return reverse("admin:members_membershiptransfer_change", args=[asked.pk])


def _accept(transfer: MembershipTransfer, by: Account, data: dict[str, Any]) -> None:
    transfers.accept(transfer=transfer, by=by, today=timezone.localdate(), now=timezone.now())


def _facts(transfer: MembershipTransfer, by: Account) -> list[tuple[Any, Any]]:
    return [
        (_("Member"), f"{transfer.membership.person} · "
                      f"{transfer.membership.person.national_id_shown}"),
        (_("Old union"), transfer.source),
        (_("New union"), transfer.target),
        (_("New employer"), transfer.employer or "–"),
        (_("Reason"), transfer.reason),
    ]  # fmt: skip


def _asked_by_staff(transfer: MembershipTransfer, account: Account) -> Text | None:
    if transfer.requested_by_id == transfer.membership.person.account_id:
        return _("The member asked for it, and takes it back in the portal.")
    return only_in(TransferState.REQUESTED, TransferState.RELEASED)(transfer, account)


@admin.register(MembershipTransfer)
class MembershipTransferAdmin(ScopedModelAdmin):
    """One row with two unions: each sees it and takes its own steps."""

    section = "people"
    icon = "swap_horiz"
    order = 14
    view_permissions = (
        Permission.MEMBERSHIP_EDIT,
        Permission.MEMBERSHIP_APPROVE,
        Permission.TRAIL_VIEW,
    )
    scope_path = "target__path"
    list_display = (
        "person",
        "source",
        "target",
        "employer",
        "requested_at",
        "state",
    )
    list_filter = ("state",)
    list_select_related = ("membership__person", "source", "target")
    search_fields = ("membership__person__name__startswith",)
    fields = (
        "person",
        "source",
        "target",
        "employer",
        "reason",
        "answer",
        "state",
    )
    readonly_fields = fields
    shows_trail = False
    empty_hint = _("Members who change unions stand here; ask for one with the card before you.")
    list_buttons = (
        Button(
            name="request",
            label=_("Ask for a member of another union"),
            permission=Permission.MEMBERSHIP_EDIT,
            act=_request,
            explain=_("Name and number as on the card. The old union releases, then you accept."),
            done=_("The old union is asked, and the member told."),
            form_for=request_form,
        ),
    )
    buttons = (
        Button(
            name="release",
            label=_("Release"),
            permission=Permission.MEMBERSHIP_EDIT,
            act=lambda obj, by, data: transfers.release(transfer=obj, by=by, now=timezone.now()),
            explain=_("Nothing moves yet: the new union has to accept."),
            done=_("Released. The new union accepts next."),
            why_not=only_in(TransferState.REQUESTED),
            facts=_facts,
        ),
        Button(
            name="accept",
            label=_("Accept"),
            permission=Permission.MEMBERSHIP_EDIT,
            act=_accept,
            explain=_("The old membership ends today and the new one begins today."),
            done=_("The member belongs to the new union from today."),
            why_not=only_in(TransferState.RELEASED),
            facts=_facts,
        ),
        Button(
            name="refuse",
            label=_("Refuse to release"),
            permission=Permission.MEMBERSHIP_EDIT,
            act=lambda obj, by, data: transfers.refuse(
                transfer=obj, by=by, now=timezone.now(), **data
            ),
            explain=_("The member stays in the old union and reads the reason."),
            why_not=only_in(TransferState.REQUESTED),
            form=AnswerForm,
            danger=True,
        ),
        Button(
            name="decline",
            label=_("Decline to take in"),
            permission=Permission.MEMBERSHIP_EDIT,
            act=lambda obj, by, data: transfers.refuse(
                transfer=obj, by=by, now=timezone.now(), **data
            ),
            explain=_("The member stays in the old union and reads the reason."),
            why_not=only_in(TransferState.REQUESTED, TransferState.RELEASED),
            form=AnswerForm,
            danger=True,
        ),
        Button(
            name="take-back",
            label=_("Take back"),
            permission=Permission.MEMBERSHIP_EDIT,
            act=lambda obj, by, data: transfers.take_back(transfer=obj, by=by),
            explain=_("Your union does not ask for the member any more."),
            why_not=_asked_by_staff,
            danger=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[MembershipTransfer]:
        """Of either side; joined with the person, who is shown to both only while on the way."""
        rows = queries.transfers_for(reader(request), *self.view_permissions)
        return rows.select_related(*self.list_select_related).filter(
            membership__person__name__isnull=False
        )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return super().has_view_permission(request)
        sides = (obj.source, obj.target)
        return any(super(MembershipTransferAdmin, self).has_view_permission(request, side)
                   for side in sides)  # fmt: skip

    def offers(self, request: HttpRequest, obj: MembershipTransfer) -> list[Offer]:
        return open_first(
            button.offer(obj, reader(request), self._do_url(button, obj))
            for button in self.buttons
            if access.may(reader(request), button.permission, side_of(button, obj))
        )

    def do(self, request: HttpRequest, object_id: str, name: str) -> HttpResponseBase:
        obj = self.get_object(request, object_id)
        button = next((one for one in self.buttons if one.name == name), None)
        if obj is None or button is None:
            raise Http404
        access.require(reader(request), button.permission, side_of(button, obj))
        back = reverse(self.url_name("changelist"))
        return pages.confirm(pages.Asked(self, request, button, obj, back))

    @admin.display(description=_("member"))
    def person(self, transfer: MembershipTransfer) -> str:
        person = transfer.membership.person
        return f"{person} {person.national_id_shown}"

    def facts(self, request: HttpRequest, obj: MembershipTransfer) -> list[Fact]:
        tones = {TransferState.ACCEPTED: "good", TransferState.REFUSED: "bad"}
        tone = tones.get(TransferState(obj.state), "wait")
        return [Fact(_("State"), obj.get_state_display(), tone)]

    def panels(self, request: HttpRequest, obj: MembershipTransfer) -> list[Panel]:
        """Its steps as the row tells them: the log belongs to one side alone."""
        steps = (
            (pgettext_lazy("a step", "Asked for"), obj.requested_by, obj.requested_at),
            (_("Released"), obj.released_by, obj.released_at),
            (_("Accepted or refused"), obj.decided_by, obj.decided_at),
        )
        rows = [
            (what, who, localtime(at).strftime("%Y-%m-%d %H:%M"))
            for what, who, at in steps
            if at is not None
        ]
        return [Panel(_("Steps"), (_("Step"), _("By"), _("When")), rows)]


def side_of(button: Button, transfer: MembershipTransfer) -> Organization:
    """The union that takes the step."""
    return transfer.source if button.name in ("release", "refuse") else transfer.target


desk.add_queue(
    desk.Queue(
        "transfers-out",
        _("Members to release"),
        Permission.MEMBERSHIP_EDIT,
        MembershipTransfer,
        queries.transfers_to_release,
        icon="logout",
    ),
    desk.Queue(
        "transfers-in",
        _("Members to accept"),
        Permission.MEMBERSHIP_EDIT,
        MembershipTransfer,
        queries.transfers_to_accept,
        icon="login",
    ),
)
