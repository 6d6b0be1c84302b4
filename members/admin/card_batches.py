"""Batches of card applications, the banks' answers to them, and what waits for a person."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import FileResponse, HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from members.actions import card_batches, card_results
from members.admin.card_forms import ResultForm, bank_field
from members.models import (
    CardBank,
    CardBatch,
    CardResultRow,
    CardVerdict,
    ServiceCard,
)
from members.rules.card_applicants import last_day_of_batch
from members.rules.card_files import CardFileRefused
from members.states import CardBatchState, CardState
from union_portal import access
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, Text, every, only_in
from union_portal.admin.fields import ReasonForm, union_field
from union_portal.admin.pages import Fact, Panel, Told, all_faults
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.shown import breakable, column, link, list_url, stamp, titled
from union_portal.admin.trail import Step, trail_of
from union_portal.downloads import UNKNOWN, download
from union_portal.models import Account

ROWS_SHOWN = 50
_P = Permission


def make_form(obj: None, by: Account) -> type[forms.Form]:
    class MakeForm(forms.Form):
        bank = bank_field()
        organization = union_field(by, Permission.CARD_BATCH)

    return MakeForm


def page_of(batch: CardBatch) -> str:
    return reverse("admin:members_cardbatch_change", args=[batch.pk])


def _make(obj: None, by: Account, data: dict[str, Any]) -> str:
    now = timezone.now()
    try:
        batch = card_batches.make(by=by, today=timezone.localdate(now), now=now, **data)
    except CardFileRefused as refusal:
        raise ValidationError(all_faults(refusal)) from refusal
    return page_of(batch)


def _waiting(obj: None, by: Account) -> list[tuple[Any, Any]]:
    """How many each bank's batch would hold today, and until when they were approved."""
    today = timezone.localdate()
    ready = dict(
        ServiceCard.objects.filter(state=CardState.READY, batch__isnull=True)
        .order_by()
        .values_list("bank")
        .annotate(n=Count("pk"))
    )
    return [
        (
            bank.name,
            gettext("%(count)s wait; cut-off day: %(day)s")
            % {
                "count": ready.get(bank.pk, 0),
                "day": last_day_of_batch(today, bank.cut_off_day),
            },
        )
        for bank in CardBank.objects.filter(is_active=True)
    ]


def _fetch(batch: CardBatch, by: Account, data: dict[str, Any]) -> FileResponse:
    name, content = card_batches.fetch(batch=batch, by=by, **data)
    return download(content, name=name, content_type=UNKNOWN)


def _take(batch: CardBatch, by: Account, data: dict[str, Any]) -> Any:
    upload, now = data["content"], timezone.now()
    try:
        file = card_results.take(
            batch=batch, content=upload.read(), name=upload.name, by=by,
            today=timezone.localdate(now), now=now,
        )  # fmt: skip
    except CardFileRefused as refusal:
        raise ValidationError(all_faults(refusal)) from refusal
    if file.taken_at != now:
        return Told(
            gettext("This file was taken in before, on %(day)s. Nothing was done again.")
            % {"day": stamp(file.taken_at)},
            file.file.name,
        )
    return page_of(batch)


def _not_fetched(batch: CardBatch, account: Account) -> Text | None:
    if card_batches.fetched(batch):
        return None
    return _("Nobody has fetched the file yet.")


def _content(batch: CardBatch, account: Account) -> list[tuple[Any, Any]]:
    told: list[tuple[Any, Any]] = [
        (_("Batch"), batch.number),
        (_("Bank"), batch.bank),
        (_("Applications"), batch.cards_count),
        (_("Times the file was fetched"), card_batches.fetched(batch)),
        (_("Digest"), batch.file.sha256 if batch.file else "–"),
    ]
    # Once it is with the bank all its cards have gone on: that is no change of the file.
    if batch.state == CardBatchState.MADE:
        told.append((_("Ended since the file was made"), card_batches.changed_since(batch)))
    return told


@admin.register(CardBatch)
class CardBatchAdmin(ScopedModelAdmin):
    section = "benefits"
    icon = "outbox"
    order = 20
    view_permissions = (Permission.CARD_BATCH, Permission.TRAIL_VIEW)
    empty_hint = _("A batch is made of approved applications that wait for their bank.")
    list_display = (
        "number",
        "shown_bank",
        "shown_union",
        "state",
        "cards_count",
        "shown_open",
        "shown_made",
        "shown_sent",
    )
    list_filter = (
        ("state", titled(_("state"), admin.ChoicesFieldListFilter)),
        ("bank", titled(_("bank"))),
    )
    list_select_related = ("bank", "organization", "file", "made_by")
    search_fields = ("=number",)
    fields = (
        "number",
        "shown_bank",
        "shown_union",
        "cards_count",
        "shown_digest",
        "shown_maker",
        "shown_made",
        "shown_sent",
        "shown_answered",
        "state",
    )
    readonly_fields = fields
    list_buttons = (
        Button(
            name="make",
            label=_("Make a batch"),
            permission=_P.CARD_BATCH,
            act=_make,
            explain=_(
                "Approved applications for a bank go into one file. What was approved after the"
                " cut-off day waits for the next month."
            ),
            done=_("The batch is made: fetch its file."),
            facts=_waiting,
            form_for=make_form,
        ),
    )
    buttons = (
        Button(
            name="fetch",
            label=_("Fetch the file"),
            permission=_P.CARD_BATCH,
            act=_fetch,
            explain=_("It holds whole numbers. Who fetched it, when and why is kept."),
            why_not=only_in(
                CardBatchState.MADE, CardBatchState.SENT, CardBatchState.ANSWERED
            ),
            facts=_content,
            form=ReasonForm,
        ),
        Button(
            name="sent",
            label=_("It is with the bank"),
            permission=_P.CARD_BATCH,
            act=lambda obj, by, data: (
                card_batches.mark_sent(batch=obj, by=by, now=timezone.now()) and None
            ),
            explain=_("From now on the bank's answers are taken in."),
            done=_("The batch is with the bank."),
            why_not=every(only_in(CardBatchState.MADE), _not_fetched),
            facts=_content,
        ),
        Button(
            name="result",
            label=_("Take in the bank's answer"),
            permission=_P.CARD_BATCH,
            act=_take,
            explain=_("Rows that can't be applied are listed for a person. The same file twice is"
                      " harmless."),
            done=_("The answer is taken in."),
            why_not=only_in(*card_results.TAKEN_IN),
            form=ResultForm,
        ),
        Button(
            name="cancel",
            label=_("Cancel the batch"),
            permission=_P.CARD_BATCH,
            act=lambda obj, by, data: card_batches.cancel(batch=obj, by=by, **data),
            explain=_("Only while the bank has not got the file. Its applications wait again."),
            done=_("The batch is cancelled."),
            why_not=only_in(CardBatchState.MADE),
            facts=_content,
            form=ReasonForm,
            danger=True,
        ),
    )  # fmt: skip

    shown_bank = column("bank", _("bank"))
    shown_union = column("organization", _("union"))
    shown_maker = column("made_by", _("made by"))
    shown_made = column("made_at", _("made at"))
    shown_sent = column("sent_at", _("sent at"))
    shown_answered = column("answered_at", _("answered at"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the cards that wait for their answer counted, at the same cost for any length."""
        waiting = (
            ServiceCard.objects.filter(batch=OuterRef("pk"), state=CardState.SENT_TO_BANK)
            .order_by()
            .values("batch")
            .annotate(n=Count("pk"))
            .values("n")
        )
        return super().get_queryset(request).annotate(waiting=Subquery(waiting))

    @admin.display(description=_("without an answer"))
    def shown_open(self, batch: Any) -> int:
        return int(batch.waiting or 0)

    @admin.display(description="SHA-256")
    def shown_digest(self, batch: CardBatch) -> Any:
        return breakable(batch.file.sha256) if batch.file else "–"

    def facts(self, request: HttpRequest, obj: Any) -> list[Fact]:
        judged = card_results.verdicts(CardResultRow.objects.filter(file__batch=obj))
        done = {str(verdict) for verdict in card_results.DONE}
        told = [
            Fact(_("State"), obj.get_state_display()),
            Fact(_("Applications"), obj.cards_count),
            Fact(_("Without an answer"), int(obj.waiting or 0)),
        ]
        return told + [
            Fact(CardVerdict(verdict).label, count, "good" if verdict in done else "bad")
            for verdict, count in judged.items()
        ]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        rows = CardResultRow.objects.filter(file__batch=obj)
        strays = (
            card_results.for_a_person(rows)
            .select_related("file", "card__bank")
            .defer("card__number")
        )
        files = [
            (stamp(one.taken_at), one.taken_by, one.rows_count, breakable(one.sha256))
            for one in obj.results.select_related("taken_by")
        ]
        return [
            Panel(
                _("For a person to find out"),
                (
                    _("File"),
                    _("Row"),
                    _("Row as shown"),
                    pgettext("of a row", "Judged"),
                    _("Application"),
                ),
                [
                    (
                        stamp(one.file.taken_at),
                        one.row,
                        one.shown,
                        one.get_verdict_display(),
                        link(one.card) if one.card else "–",
                    )
                    for one in strays.order_by("-file", "row")[:ROWS_SHOWN]
                ],
                note=gettext("These rows did nothing: call the bank. The first %(count)s.")
                % {"count": ROWS_SHOWN},
                link=list_url(CardResultRow, file__batch__id__exact=obj.pk),
                link_text=_("All rows of the bank's answers"),
            ),
            Panel(
                _("Answers of the bank"),
                (_("Taken in at"), _("Taken in by"), _("Rows"), "SHA-256"),
                files,
                link=list_url(ServiceCard, batch__id__exact=obj.pk),
                link_text=_("The cards of this batch"),
            ),
        ]

    def trail(self, request: HttpRequest, obj: CardBatch) -> list[Step]:
        return trail_of(obj, *([obj.file] if obj.file else []), *obj.results.all())


@admin.register(CardResultRow)
class CardResultRowAdmin(ScopedModelAdmin):
    section = "benefits"
    icon = "table_rows"
    order = 30
    view_permissions = (Permission.CARD_BATCH, Permission.TRAIL_VIEW)
    scope_path = "file__batch__organization__path"
    empty_hint = _("Rows appear here once a bank's answer has been taken in.")
    list_display = ("row", "batch_number", "shown_row", "verdict", "shown_cause", "card_link")
    list_filter = ("verdict", ("file__batch__bank", titled(_("bank"))), "file__batch")
    list_select_related = ("file__batch__organization", "card__bank")
    search_fields = ("=file__batch__number", "=card__last_four")
    ordering = ("-file", "row")
    fields = ("batch_number", "row", "shown_row", "verdict", "shown_cause", "card_link")
    readonly_fields = fields
    shows_trail = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The sealed number is not even read here."""
        return super().get_queryset(request).defer("card__number")

    shown_row = column("shown", _("row as shown"))
    shown_cause = column("cause", _("cause told by the bank"))

    @admin.display(description=_("batch"))
    def batch_number(self, row: CardResultRow) -> Any:
        return link(row.file.batch)

    @admin.display(description=_("card"))
    def card_link(self, row: CardResultRow) -> Any:
        return link(row.card) if row.card else "–"


def _in_state(state: CardBatchState) -> Callable[[Account], QuerySet[CardBatch]]:
    return lambda account: CardBatch.objects.filter(
        access.scope(account, Permission.CARD_BATCH), state=state
    )


desk.add_queue(
    desk.Queue(
        "card-batches-made",
        _("Card batches to hand to the bank"),
        Permission.CARD_BATCH,
        CardBatch,
        _in_state(CardBatchState.MADE),
        icon="outbox",
    ),
    desk.Queue(
        "card-batches-sent",
        _("Card batches without the bank's answer"),
        Permission.CARD_BATCH,
        CardBatch,
        _in_state(CardBatchState.SENT),
        icon="outbox",
    ),
)
