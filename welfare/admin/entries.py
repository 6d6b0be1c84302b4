"""The ledger to read: entries, accounts and postings; nothing in it is ever edited."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from union_portal.access import Permission
from union_portal.admin.buttons import Button, Text
from union_portal.admin.fields import ReasonForm
from union_portal.admin.pages import Panel
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.models import Account
from welfare.admin.shown import column, link, list_url, stamp, titled, yuan
from welfare.disbursement import ledger
from welfare.disbursement.models import (
    Entry,
    EntryKind,
    LedgerAccount,
    Posting,
)

ENTRIES_SHOWN = 30


def _not_reversible(entry: Entry, account: Account) -> Text | None:
    if entry.kind != EntryKind.APPROPRIATE:
        return _("Only an appropriation is reversed by hand; others follow their payments.")
    return None


@admin.register(Entry)
class EntryAdmin(ScopedModelAdmin):
    section = "money"
    icon = "menu_book"
    order = 60
    view_permissions = (Permission.FUND_VIEW,)
    scope_path = "fund__organization__path"
    list_display = (
        "shown_at",
        "kind",
        "shown_fund",
        "amount",
        "shown_batch",
        "shown_recorder",
        "reason",
    )
    list_filter = (
        "kind",
        ("fund", titled(_("fund"))),
        ("recorded_at", titled(_("recorded at"), admin.DateFieldListFilter)),
    )
    list_select_related = ("fund__organization", "batch", "recorded_by")
    search_fields = ("=key", "=batch__number")
    fields = (
        "shown_fund",
        "kind",
        "shown_key",
        "shown_batch",
        "amount",
        "reason",
        "shown_recorder",
        "shown_at",
    )
    readonly_fields = fields
    shows_trail = False
    buttons = (
        Button(
            name="reverse",
            label=_("Book it back"),
            permission=Permission.FUND_APPROPRIATE,
            act=lambda obj, by, data: ledger.reverse(entry=obj, by=by, **data) and None,
            explain=_("A reversing entry is added; this one stays as it is."),
            why_not=_not_reversible,
            form=ReasonForm,
            danger=True,
            reauth=True,
        ),
    )

    shown_at = column("recorded_at", _("recorded at"))
    shown_fund = column("fund", _("fund"))
    shown_batch = column("batch", _("batch"))
    shown_recorder = column("recorded_by", _("recorded by"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        return super().get_queryset(request).prefetch_related("postings")

    @admin.display(description=_("document or event"))
    def shown_key(self, entry: Entry) -> str:
        """The key without the code of its kind: the kind stands there in words."""
        return f"{entry.get_kind_display()} · {entry.key.partition(':')[2] or entry.key}"

    @admin.display(description=_("amount"))
    def amount(self, entry: Entry) -> str:
        return yuan(sum(p.amount_fen for p in entry.postings.all() if p.amount_fen > 0))

    def panels(self, request: HttpRequest, obj: Entry) -> list[Panel]:
        rows = [
            (posting.position, posting.account.get_kind_display(), yuan(posting.amount_fen))
            for posting in obj.postings.select_related("account")
        ]
        return [Panel(_("Postings"), (_("No."), _("Ledger account"), _("Amount")), rows)]


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ScopedModelAdmin):
    section = "money"
    icon = "account_tree"
    order = 59
    view_permissions = (Permission.FUND_VIEW,)
    scope_path = "fund__organization__path"
    list_display = ("shown_fund", "kind", "balance")
    list_display_links = ("kind",)
    list_filter = ("kind", ("fund", titled(_("fund"))))
    list_select_related = ("fund__organization",)
    search_fields = ("fund__name", "=fund__code")
    ordering = ("fund_id", "id")
    fields = ("shown_fund", "kind", "balance")
    readonly_fields = fields
    shows_trail = False

    shown_fund = column("fund", _("fund"))

    @admin.display(description=_("balance"), ordering="balance_fen")
    def balance(self, account: LedgerAccount) -> str:
        return yuan(account.balance_fen)

    def panels(self, request: HttpRequest, obj: LedgerAccount) -> list[Panel]:
        posted = obj.postings.select_related("entry__batch").order_by("-entry_id")
        rows = [
            (
                stamp(posting.entry.recorded_at),
                link(posting.entry, posting.entry.get_kind_display()),
                yuan(posting.amount_fen),
                posting.entry.batch or "",
            )
            for posting in posted[:ENTRIES_SHOWN]
        ]
        columns = (_("When"), _("Kind"), _("Amount"), _("Batch"))
        return [
            Panel(
                _("Latest postings"),
                columns,
                rows,
                link=list_url(Posting, account__id__exact=obj.pk),
                link_text=_("All postings"),
            )
        ]


@admin.register(Posting)
class PostingAdmin(ScopedModelAdmin):
    section = "money"
    icon = "format_list_numbered"
    order = 61
    view_permissions = (Permission.FUND_VIEW,)
    scope_path = "entry__fund__organization__path"
    list_display = ("recorded_at", "entry_kind", "account_kind", "amount", "fund")
    list_filter = (
        ("account__kind", titled(_("ledger account"), admin.ChoicesFieldListFilter)),
        "entry__kind",
        ("entry__fund", titled(_("fund"))),
        ("entry__recorded_at", titled(_("recorded at"), admin.DateFieldListFilter)),
    )
    list_select_related = ("entry__fund__organization", "account")
    search_fields = ("=entry__key", "=entry__batch__number")
    ordering = ("-entry_id", "position")
    fields = ("shown_entry", "recorded_at", "account_kind", "amount", "fund")
    readonly_fields = fields
    shows_trail = False

    @admin.display(description=_("ledger entry"))
    def shown_entry(self, posting: Posting) -> Any:
        return link(posting.entry)

    @admin.display(description=_("recorded at"), ordering="entry__recorded_at")
    def recorded_at(self, posting: Posting) -> str:
        return stamp(posting.entry.recorded_at)

    @admin.display(description=_("kind"))
    def entry_kind(self, posting: Posting) -> str:
        return str(posting.entry.get_kind_display())

    @admin.display(description=_("ledger account"))
    def account_kind(self, posting: Posting) -> str:
        return str(posting.account.get_kind_display())

    @admin.display(description=_("amount"), ordering="amount_fen")
    def amount(self, posting: Posting) -> str:
        return yuan(posting.amount_fen)

    @admin.display(description=_("fund"))
    def fund(self, posting: Posting) -> Any:
        return posting.entry.fund
