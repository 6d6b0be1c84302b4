"""Service cards as staff see them: lists, one card's life, and what was issued where and when."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_noop, pgettext
from django.utils.translation import gettext_lazy as _

from members.actions.card_exports import VIEWERS, seen_by
from members.admin import card_sheets
from members.admin.card_filters import HolderCountyFilter, IssuedMonthFilter
from members.admin.card_lists import LIST_BUTTONS
from members.admin.card_steps import BUTTONS
from members.models import ServiceCard
from members.queries import cards as queries_cards
from members.queries.card_history import history
from members.queries.cards import Counts
from members.states import CardState
from union_portal import access
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin, reader
from union_portal.admin.shown import column, link, stamp, titled
from union_portal.admin.trail import Step, acts_on, name_acts
from union_portal.downloads import download_sheet
from union_portal.models import Account

TONES = {
    CardState.ACTIVE: "good",
    CardState.LOST: "bad",
    CardState.SUSPENDED: "bad",
    CardState.CANCELLED: "bad",
    CardState.REPLACED: "",
}
FIRST_YEAR = 2000
_APPLY = "servicecard.apply"

name_acts(
    {
        _APPLY: gettext_noop("Applied for"),
        "servicecard.apply_set": gettext_noop("Applied for in bulk"),
        "servicecard.activate_set": gettext_noop("Activated by the bank's list"),
        "servicecard.wrong_number": gettext_noop("A wrong card number was typed"),
        "servicecard.export": gettext_noop("Exported"),
        "servicecard.hand_out_list": gettext_noop("List to sign printed"),
        "cardbatch.make": gettext_noop("Batch made"),
        "cardresultfile.take": gettext_noop("Result file taken in"),
        "cardbank.describe": gettext_noop("Bank described"),
        "consent.give": gettext_noop("Consent given"),
    }
)


@admin.register(ServiceCard)
class ServiceCardAdmin(ScopedModelAdmin):
    section = "benefits"
    icon = "badge"
    order = 10
    view_permissions = VIEWERS
    scope_path = queries_cards.PLACE
    empty_hint = _("Members apply in the portal, or a clerk applies for them here.")
    list_display = (
        "shown_person",
        "shown_identity",
        "shown_number",
        "shown_union",
        "shown_bank",
        "state",
        "shown_applied",
        "issued_on",
    )
    list_filter = (
        ("state", titled(_("state"), admin.ChoicesFieldListFilter)),
        ("bank", titled(_("bank"))),
        HolderCountyFilter,
        IssuedMonthFilter,
    )
    list_select_related = ("person__organization", "bank")
    search_fields = ("last_four",)
    list_before_template = "admin/card_list_head.html"
    ordering = ("-id",)
    is_register = True
    fields = (
        "shown_reference",
        "person_link",
        "shown_identity",
        "shown_union",
        "applied_from",
        "shown_bank",
        "shown_number",
        "channel",
        "shown_applier",
        "shown_applied",
        "shown_checker",
        "shown_approver",
        "batch_link",
        "issued_on",
        "shown_collected",
        "receipt_link",
        "activated_on",
        "replaces_link",
        "reason",
        "state",
    )
    readonly_fields = fields
    list_buttons = LIST_BUTTONS
    buttons = BUTTONS

    shown_bank = column("bank", _("bank"))
    shown_applied = column("applied_at", _("applied at"))
    shown_applier = column("applied_by", _("applied by"))
    shown_collected = column("collected_at", _("collected at"))
    applied_from = column("organization", _("applied for in"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The sealed number is not even read here."""
        return super().get_queryset(request).defer("number")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("counts/", view(self.counts), name="members_servicecard_counts"),
            path("counts.xlsx", view(self.counts_file), name="members_servicecard_counts_file"),
            *super().get_urls(),
        ]

    # -- columns ---------------------------------------------------------------------------
    @admin.display(description=_("person"), ordering="person__name")
    def shown_person(self, card: ServiceCard) -> str:
        return card.person.name

    @admin.display(description=_("identity number"))
    def shown_identity(self, card: ServiceCard) -> str:
        return card.person.national_id_shown

    @admin.display(description=_("card number"))
    def shown_number(self, card: ServiceCard) -> str:
        return f"…{card.last_four}" if card.last_four else "–"

    @admin.display(description=_("union"))
    def shown_union(self, card: ServiceCard) -> str:
        return card.person.organization.name

    @admin.display(description=_("application"))
    def shown_reference(self, card: ServiceCard) -> str:
        return f"C{card.pk:08d}"

    @admin.display(description=_("person"))
    def person_link(self, card: ServiceCard) -> Any:
        return link(card.person)

    @admin.display(description=_("checked by"))
    def shown_checker(self, card: ServiceCard) -> str:
        return f"{card.checked_by} · {stamp(card.checked_at)}" if card.checked_by else "–"

    @admin.display(description=_("approved by"))
    def shown_approver(self, card: ServiceCard) -> str:
        return f"{card.approved_by} · {stamp(card.approved_at)}" if card.approved_by else "–"

    @admin.display(description=_("batch"))
    def batch_link(self, card: ServiceCard) -> Any:
        if card.batch is None:
            return "–"
        return format_html("{} · {} {}", card.batch, gettext("row"), card.batch_row)

    @admin.display(description=_("signed receipt"))
    def receipt_link(self, card: ServiceCard) -> Any:
        if card.receipt is None:
            return "–"
        url = reverse("portal:file", args=[card.receipt_id])
        return format_html('<a href="{}">{}</a>', url, card.receipt)

    @admin.display(description=_("card it replaces"))
    def replaces_link(self, card: ServiceCard) -> Any:
        return link(card.replaces) if card.replaces else "–"

    # -- around one card -------------------------------------------------------------------
    def facts(self, request: HttpRequest, obj: ServiceCard) -> list[Fact]:
        told = [Fact(_("State"), obj.get_state_display(), TONES.get(CardState(obj.state), "wait"))]
        if obj.state in (CardState.LOST, CardState.SUSPENDED):
            told.append(Fact(_("Benefits"), _("stopped"), "bad"))
            told.append(Fact(_("Phone of the bank"), obj.bank.hotline))
        return told

    def panels(self, request: HttpRequest, obj: ServiceCard) -> list[Panel]:
        answers = obj.results.select_related("file__batch").order_by("-id")[:20]
        rows = [
            (
                stamp(one.file.taken_at),
                one.file.batch,
                one.row,
                one.get_verdict_display(),
                one.cause or "–",
            )
            for one in answers
        ]
        columns = (_("When"), _("Batch"), _("Row"), pgettext("of a row", "Judged"), _("Cause"))
        others = ServiceCard.objects.filter(person=obj.person_id).exclude(pk=obj.pk)
        cards = [
            (link(one), one.bank, one.get_state_display(), one.issued_on or "–")
            for one in others.select_related("bank").defer("number")[:20]
        ]
        return [
            Panel(_("What the bank said"), columns, rows),
            Panel(
                _("Other cards of the person"),
                (_("Card"), _("Bank"), _("State"), _("Issued on")),
                cards,
            ),
        ]

    def trail(self, request: HttpRequest, obj: ServiceCard) -> list[Step]:
        """The card's own history, and what the log knows beside it that was no step of the card."""
        steps = history(obj)
        names = Account.objects.in_bulk({step.by for step in steps if step.by is not None})
        told = [
            Step(step.at, str(names.get(step.by, "")), str(step.text), step.reason, step.is_day)
            for step in steps
        ]
        return sorted([*told, *acts_on(obj, but=[_APPLY])], key=lambda step: step.at)

    # -- searching ---------------------------------------------------------------------------
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ServiceCard], search_term: str
    ) -> tuple[QuerySet[ServiceCard], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(queries_cards.matches(search_term)), False

    def in_an_address(self, searched: str) -> str:
        return queries_cards.in_an_address(searched)

    def get_search_help_text(self, request: HttpRequest) -> Any:
        return _("Last four digits, a whole card number, an application, or a person")

    # -- counting -----------------------------------------------------------------------------
    def counts(self, request: HttpRequest) -> HttpResponseBase:
        """Cards issued by county and month, drawn and listed; of one year if it is chosen."""
        year, counts = self._counted(request)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Cards issued by county and month"),
            "year": year,
            "years": self._years(request),
            "counts": counts,
            "charts": [
                _chart(_("By county"), counts.by_county),
                _chart(_("By month"), [(f"{day:%Y-%m}", n) for day, n in counts.by_month]),
            ],
            "back": reverse(self.url_name("changelist")),
        }
        return TemplateResponse(request, "admin/card_counts.html", context)

    def counts_file(self, request: HttpRequest) -> HttpResponseBase:
        year, counts = self._counted(request)
        sheet = BytesIO()
        card_sheets.write_counts(sheet, counts)
        return download_sheet(sheet, name=f"cards-issued-{year or 'all'}.xlsx")

    def _counted(self, request: HttpRequest) -> tuple[int | None, Counts]:
        cards = self._seen(request)
        asked = request.GET.get("year", "")
        year = int(asked) if asked.isascii() and asked.isdigit() and len(asked) == 4 else None
        if year is not None:
            cards = cards.filter(issued_on__year=max(year, FIRST_YEAR))
        return year, queries_cards.issued_by_county_and_month(cards, gettext("city"))

    def _years(self, request: HttpRequest) -> list[int]:
        days = self._seen(request).filter(issued_on__isnull=False)
        return [day.year for day in days.order_by().dates("issued_on", "year", order="DESC")]

    def _seen(self, request: HttpRequest) -> QuerySet[ServiceCard]:
        if not self.has_view_permission(request):
            access.require(reader(request), VIEWERS[0])
        return ServiceCard.objects.filter(seen_by(reader(request)))


def _chart(title: Any, counted: list[tuple[str, int]]) -> dict[str, Any]:
    return {"title": title, "bars": desk.scaled([(name, str(n), n) for name, n in counted])}


# -- the front page ---------------------------------------------------------------------------
def _waits(permission: Permission, state: CardState) -> Callable[[Account], QuerySet[ServiceCard]]:
    return lambda account: queries_cards.waiting_for(account, permission, state)


def _ready(account: Account) -> QuerySet[ServiceCard]:
    cards = queries_cards.cards_for(account, Permission.CARD_BATCH)
    return cards.filter(state=CardState.READY, batch__isnull=True)


def _to_hand_out(account: Account) -> QuerySet[ServiceCard]:
    return queries_cards.cards_for(account, Permission.CARD_APPLY).filter(state=CardState.ISSUED)


def _issued(account: Account) -> str:
    return str(queries_cards.issued().filter(seen_by(account)).count())


def _active(account: Account) -> str:
    active = ServiceCard.objects.filter(seen_by(account), state=CardState.ACTIVE)
    return gettext("%(count)s of them active") % {"count": active.count()}


desk.add_queue(
    desk.Queue(
        "card-checks",
        _("Card applications for the union to check"),
        Permission.CARD_CHECK,
        ServiceCard,
        _waits(Permission.CARD_CHECK, CardState.UNION_REVIEW),
        "badge",
    ),
    desk.Queue(
        "card-approvals",
        _("Card applications to approve"),
        Permission.CARD_APPROVE,
        ServiceCard,
        _waits(Permission.CARD_APPROVE, CardState.CITY_REVIEW),
        "badge",
    ),
    desk.Queue(
        "cards-to-batch",
        _("Card applications waiting for a batch"),
        Permission.CARD_BATCH,
        ServiceCard,
        _ready,
        "badge",
    ),
    desk.Queue(
        "cards-to-hand-out",
        _("Cards to hand out"),
        Permission.CARD_APPLY,
        ServiceCard,
        _to_hand_out,
        "badge",
    ),
)
desk.add_figure(
    desk.Figure(_("Service cards issued"), Permission.CARD_CHECK, _issued, _active),
    desk.Figure(_("Service cards issued"), Permission.CARD_APPROVE, _issued, _active),
)
