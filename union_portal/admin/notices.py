"""Public notices and the objections to them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from union_portal import access, notices
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, every, only_in
from union_portal.admin.fields import ReasonForm
from union_portal.admin.filters import in_words, scheme_titles
from union_portal.admin.pages import Fact, Panel, Told
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.kit import masks, money
from union_portal.models import Account, Notice, NoticeEntry, Objection
from union_portal.states import NoticeState, ObjectionState

ENTRIES_SHOWN = 50


def _totals(notice: Notice) -> dict[str, int]:
    counted = notice.entries.aggregate(people=Count("id"), total_fen=Sum("amount_fen"))
    return {"people": counted["people"], "total_fen": counted["total_fen"] or 0}


def _facts(notice: Notice, by: Account) -> list[tuple[Any, Any]]:
    totals = _totals(notice)
    return [
        (_("People on the list"), totals["people"]),
        (_("Sum"), money.shown(totals["total_fen"])),
        (_("Working days"), notice.days),
        (_("The posting day counts"), _("yes") if notice.counts_first_day else _("no")),
    ]


def _window_ended(notice: Notice, by: Account) -> Any:
    if notice.ends_on and timezone.localdate() <= notice.ends_on:
        return _("The window runs until %(day)s.") % {"day": notice.ends_on}
    return None


class EntryObjectionForm(forms.Form):
    """An objection that came on paper or by phone."""

    position = forms.IntegerField(label=_("Number on the list"), min_value=1)
    objector = forms.CharField(label=_("Real name or sealing body"), max_length=60)
    is_body = forms.BooleanField(label=_("Made by a body under its seal"), required=False)
    phone = forms.CharField(label=_("Phone"), max_length=20, required=False)
    text = forms.CharField(
        label=_("Objection"), max_length=4000, widget=forms.Textarea(attrs={"rows": 5})
    )


def _enter_objection(notice: Notice, by: Account, data: dict[str, Any]) -> None:
    entry = notice.entries.filter(position=data.pop("position")).first()
    if entry is None:
        raise ValidationError(_("There is no entry of that number on the list."))
    notices.file_objection(entry=entry, by=by, today=timezone.localdate(), **data)


@admin.register(Notice)
class NoticeAdmin(ScopedModelAdmin):
    section = "publicity"
    icon = "campaign"
    order = 10
    view_permissions = (
        Permission.NOTICE_PREPARE,
        Permission.NOTICE_PUBLISH,
        Permission.SUBSIDY_DECIDE,
        Permission.TRAIL_VIEW,
    )
    list_display = ("title", "state", "people", "posted_on", "ends_on", "open_objections")
    list_filter = ("state", ("scheme", in_words(_("scheme"), scheme_titles)))
    list_select_related = ("organization",)
    search_fields = ("title", "=period")
    fields = (
        "title",
        "shown_scheme",
        "period",
        "organization",
        "text",
        "place",
        "contact",
        "days",
        "counts_first_day",
        "posted_on",
        "ends_on",
        "prepared_by",
        "published_by",
        "state",
    )
    readonly_fields = fields
    buttons = (
        Button(
            name="publish",
            label=_("Publish"),
            permission=Permission.NOTICE_PUBLISH,
            act=lambda obj, by, data: (
                notices.publish(notice=obj, by=by, today=timezone.localdate()) and None
            ),
            explain=_(
                "The list is shown on the public page from today. List and window can't be"
                " changed afterwards."
            ),
            done=_("The notice is public."),
            why_not=only_in(NoticeState.DRAFT),
            facts=_facts,
        ),
        Button(
            name="close",
            label=_("Close the window"),
            permission=Permission.NOTICE_PUBLISH,
            act=lambda obj, by, data: (
                notices.close(notice=obj, by=by, today=timezone.localdate()) and None
            ),
            explain=_(
                "Every decision on the list without an open objection becomes payable; the"
                " others wait for the answer to their objection."
            ),
            done=_("The window is closed."),
            why_not=every(only_in(NoticeState.PUBLISHED), _window_ended),
            facts=_facts,
        ),
        Button(
            name="objection",
            label=_("Enter an objection"),
            permission=Permission.OBJECTION_ANSWER,
            act=_enter_objection,
            explain=_("For objections on paper or by phone. It stops whatever is not sent yet."),
            done=_("The objection is entered."),
            why_not=only_in(NoticeState.PUBLISHED, NoticeState.CLOSED),
            form=EntryObjectionForm,
        ),
        Button(
            name="withdraw",
            label=_("Give up the draft"),
            permission=Permission.NOTICE_PREPARE,
            act=lambda obj, by, data: notices.withdraw(notice=obj, by=by, **data),
            explain=_("Its decisions can stand on a new list."),
            why_not=only_in(NoticeState.DRAFT),
            form=ReasonForm,
            danger=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notice]:
        is_open = Q(entries__objections__state=ObjectionState.OPEN)
        return (
            super()
            .get_queryset(request)
            .annotate(
                counted=Count("entries", distinct=True),
                waiting=Count("entries__objections", filter=is_open, distinct=True),
            )
        )

    @admin.display(description=_("scheme"))
    def shown_scheme(self, notice: Any) -> str:
        return scheme_titles().get(notice.scheme, notice.scheme)

    @admin.display(description=_("number of people"))
    def people(self, notice: Any) -> int:
        return int(notice.counted)

    @admin.display(description=_("open objections"))
    def open_objections(self, notice: Any) -> int:
        return int(notice.waiting)

    def facts(self, request: HttpRequest, obj: Notice) -> list[Fact]:
        totals = _totals(obj)
        return [
            Fact(_("State"), obj.get_state_display()),
            Fact(_("People on the list"), totals["people"]),
            Fact(_("Sum"), money.shown(totals["total_fen"])),
        ]

    def panels(self, request: HttpRequest, obj: Notice) -> list[Panel]:
        entries = list(obj.entries.order_by("position")[:ENTRIES_SHOWN])
        # Most lists name no grounds: then there is no column for them.
        is_with_grounds = any(entry.shown_ground for entry in entries)
        rows = [
            (
                e.position,
                e.shown_name,
                e.shown_employer,
                *([e.shown_ground] if is_with_grounds else []),
                money.shown(e.amount_fen),
            )
            for e in entries
        ]
        grounds = [_("Ground")] if is_with_grounds else []
        columns = (_("No."), _("Name"), _("Employer"), *grounds, _("Amount"))
        public = obj.state in (NoticeState.PUBLISHED, NoticeState.CLOSED)
        return [
            Panel(
                _("The list as the public sees it"),
                columns,
                rows,
                note=gettext("The first %(count)s entries.") % {"count": ENTRIES_SHOWN},
                link=reverse("portal:notice", args=[obj.pk]) if public else "",
                link_text=_("Open the public page"),
            )
        ]


class AnswerForm(forms.Form):
    upheld = forms.TypedChoiceField(
        label=_("Outcome"),
        choices=[
            ("no", _("dismissed: the decision stands")),
            ("yes", _("upheld: the decision is withdrawn")),
        ],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    answer = forms.CharField(
        label=_("Answer"),
        min_length=4,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("What was examined, and what follows. The objector is told."),
    )


def _phone(objection: Objection, by: Account, data: dict[str, Any]) -> Told:
    number = notices.unmask_phone(objection=objection, by=by, **data)
    return Told(_("The objector's phone number, shown this once."), number)


@admin.register(Objection)
class ObjectionAdmin(ScopedModelAdmin):
    section = "publicity"
    icon = "feedback"
    order = 20
    view_permissions = (Permission.OBJECTION_ANSWER, Permission.TRAIL_VIEW)
    scope_path = "decision__organization__path"
    list_display = ("__str__", "objector", "notice", "entry_shown", "filed_at", "state")
    list_filter = ("state", "is_body")
    list_select_related = ("entry__notice", "decision__organization")
    search_fields = ("objector",)
    fields = (
        "objector",
        "is_body",
        "phone_shown",
        "notice",
        "entry_shown",
        "text",
        "filed_at",
        "received_by",
        "answer",
        "answered_by",
        "answered_at",
        "state",
    )
    readonly_fields = fields
    buttons = (
        Button(
            name="answer",
            label=_("Answer"),
            permission=Permission.OBJECTION_ANSWER,
            act=lambda obj, by, data: notices.answer(objection=obj, by=by, **data),
            explain=_("While it is open, nothing on this entry is paid."),
            done=_("The objection is answered."),
            why_not=only_in(ObjectionState.OPEN),
            form=AnswerForm,
        ),
        Button(
            name="unmask",
            label=_("Show the phone number"),
            permission=Permission.PERSON_UNMASK,
            act=_phone,
            explain=_("To call back. That you looked, when and why stays in the log."),
            why_not=lambda obj, by: None if obj.phone else _("No phone number was left."),
            form=ReasonForm,
            reauth=True,
        ),
        Button(
            name="take-back",
            label=_("Taken back by the objector"),
            permission=Permission.OBJECTION_ANSWER,
            act=lambda obj, by, data: notices.take_back(objection=obj, by=by, **data),
            explain=_("Write down how the objector said so."),
            why_not=only_in(ObjectionState.OPEN),
            form=ReasonForm,
            danger=True,
        ),
    )

    @admin.display(description=_("phone"))
    def phone_shown(self, objection: Objection) -> str:
        return masks.mask_phone(str(objection.phone)) if objection.phone else "–"

    @admin.display(description=_("notice"))
    def notice(self, objection: Objection) -> Any:
        url = reverse("portal:notice", args=[objection.entry.notice_id])
        return format_html('<a href="{}">{}</a>', url, objection.entry.notice)

    @admin.display(description=_("entry"))
    def entry_shown(self, objection: Objection) -> str:
        entry: NoticeEntry = objection.entry
        return f"{entry.position} · {entry.shown_name} · {money.shown(entry.amount_fen)}"


def _open_objections(account: Account) -> QuerySet[Objection]:
    reach = access.scope(account, Permission.OBJECTION_ANSWER, "decision__organization__path")
    return Objection.objects.filter(reach, state=ObjectionState.OPEN)


def _drafts(account: Account) -> QuerySet[Notice]:
    reach = access.scope(account, Permission.NOTICE_PUBLISH)
    return Notice.objects.filter(reach, state=NoticeState.DRAFT)


def _ended(account: Account) -> QuerySet[Notice]:
    reach = access.scope(account, Permission.NOTICE_PUBLISH)
    return notices.ended(timezone.localdate()).filter(reach)


desk.add_queue(
    desk.Queue(
        "objections",
        _("Objections to answer"),
        Permission.OBJECTION_ANSWER,
        Objection,
        _open_objections,
    ),
    desk.Queue(
        "notice-drafts",
        _("Notices to publish"),
        Permission.NOTICE_PUBLISH,
        Notice,
        _drafts,
    ),
    desk.Queue(
        "notices-ended",
        _("Notices whose window has ended"),
        Permission.NOTICE_PUBLISH,
        Notice,
        _ended,
    ),
)
