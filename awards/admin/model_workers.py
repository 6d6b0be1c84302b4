"""The roll of model workers, and its yearly verification."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from awards import queries
from awards.actions import honours, model_workers
from awards.admin.columns import column
from awards.admin.honours import ended
from awards.admin.model_worker_forms import (
    VerifyForm,
    YearForm,
    change_form,
    confer_form,
    enroll_form,
    this_year,
    withdraw_form,
)
from awards.models import (
    Honour,
    ModelWorker,
    YearlyVerification,
)
from awards.states import HonourState
from members.forms_death import death_form
from members.models import Person
from members.queries import in_an_address, matches
from union_portal import access
from union_portal.access import Permission
from union_portal.admin.buttons import Button, Text
from union_portal.admin.pages import Fact, Panel, Told
from union_portal.admin.scoped import ScopedModelAdmin, reader
from union_portal.admin.trail import Step, trail_of
from union_portal.models import Account


def _enroll(obj: None, by: Account, data: dict[str, Any]) -> str:
    made = model_workers.enroll(person=data.pop("who"), by=by, **data)
    return reverse("admin:awards_modelworker_change", args=[made.pk])


def _verify(worker: ModelWorker, by: Account, data: dict[str, Any]) -> None:
    model_workers.verify(model_worker=worker, by=by, today=timezone.localdate(), **data)


def _verify_all(obj: None, by: Account, data: dict[str, Any]) -> Told:
    count = model_workers.verify_set(by=by, today=timezone.localdate(), **data)
    return Told(_("Model workers newly verified:"), count)


def _died(worker: ModelWorker, by: Account, data: dict[str, Any]) -> Told:
    return ended(
        model_workers.record_death(model_worker=worker, by=by, today=timezone.localdate(), **data)
    )


def _alive(worker: ModelWorker, by: Account) -> Text | None:
    return _("The death is recorded already.") if worker.person.died_on else None


class VerifiedFilter(admin.SimpleListFilter):
    title = _("verified this year")
    parameter_name = "verified"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("yes")), ("no", _("not yet")), ("bad", _("found dead or without honour"))]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        chosen = {
            "yes": {"is_verified": True},
            "no": {"is_verified": False, "was_found_wanting": False},
            "bad": {"was_found_wanting": True},
        }
        return rows.filter(**chosen.get(self.value() or "", {}))


@admin.register(ModelWorker)
class ModelWorkerAdmin(ScopedModelAdmin):
    section = "honours"
    icon = "engineering"
    order = 10
    view_permissions = (Permission.PERSON_VIEW,)
    scope_path = "person__organization__path"
    list_display = (
        "person",
        "shown_number",
        "kind",
        "is_farmer",
        "union",
        "has_honour",
        "verified",
    )
    list_filter = (VerifiedFilter, "kind", "is_farmer")
    search_fields = ("person__name",)
    ordering = ("id",)
    fields = (
        "person",
        "shown_number",
        "union",
        "kind",
        "is_farmer",
        "lost_work_capacity_on",
        "died_on",
        column("enrolled_by", _("entered by")),
        column("enrolled_at", _("entered on")),
    )
    readonly_fields = fields
    list_buttons = (
        Button(
            name="enroll",
            label=_("Enter a model worker"),
            permission=Permission.HONOUR_EDIT,
            act=_enroll,
            explain=_("For one person; lists come in through the import."),
            done=_("The person is on the roll. Enter the title next."),
            form_for=enroll_form,
        ),
        Button(
            name="verify-all",
            label=_("Verify everybody not verified yet"),
            permission=Permission.HONOUR_VERIFY,
            act=_verify_all,
            explain=_(
                "All living holders of an honour within your reach are entered as verified."
                " Enter first who has died or lost the honour."
            ),
            form=YearForm,
            danger=True,
        ),
    )
    buttons = (
        Button(
            name="verify",
            label=_("Verify for the year"),
            permission=Permission.HONOUR_VERIFY,
            act=_verify,
            explain=_("You saw or heard that the person lives and keeps the honour, or not."),
            done=_("The verification is entered."),
            form=VerifyForm,
        ),
        Button(
            name="hardship",
            label=_("Enter a year of hardship"),
            permission=Permission.HONOUR_VERIFY,
            act=lambda obj, by, data: (
                model_workers.record_hardship(model_worker=obj, by=by, **data) and None
            ),
            explain=_("The year's standard for people in hardship replaces the festival gift."),
            done=_("The year of hardship is entered."),
            why_not=_alive,
            form=YearForm,
        ),
        Button(
            name="withdraw-hardship",
            label=_("Withdraw a year of hardship"),
            permission=Permission.HONOUR_VERIFY,
            act=lambda obj, by, data: model_workers.withdraw_hardship(by=by, **data),
            explain=_("It was entered in error; the entry stays and no longer counts."),
            why_not=lambda obj, by: (
                None
                if obj.hardship_years.filter(is_withdrawn=False).exists()
                else _("No year of hardship is entered.")
            ),
            form_for=withdraw_form,
            danger=True,
        ),
        Button(
            name="confer",
            label=_("Enter a title"),
            permission=Permission.HONOUR_EDIT,
            act=lambda obj, by, data: (
                honours.confer(person=obj.person, by=by, today=timezone.localdate(), **data)
                and None
            ),
            explain=_("As it stands on the certificate."),
            done=_("The title is on the roll of honours."),
            form_for=confer_form,
        ),
        Button(
            name="change",
            label=_("Change class, farmer, work capacity"),
            permission=Permission.HONOUR_EDIT,
            act=lambda obj, by, data: (
                model_workers.update(model_worker=obj, by=by, **data) and None
            ),
            explain=_("These facts decide about the living allowance."),
            form_for=change_form,
        ),
        Button(
            name="death",
            label=_("Record a death"),
            permission=Permission.PERSON_EDIT,
            act=_died,
            explain=_("Subsidies that are not with the bank yet are withdrawn."),
            why_not=_alive,
            form_for=lambda obj, by: death_form(obj.person),
            danger=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return queries.model_workers_for(reader(request), this_year())

    @admin.display(description=_("identity number"))
    def shown_number(self, worker: ModelWorker) -> str:
        return worker.person.national_id_shown

    @admin.display(description=_("union"))
    def union(self, worker: ModelWorker) -> str:
        return str(worker.person.organization)

    @admin.display(description=_("died on"))
    def died_on(self, worker: ModelWorker) -> Any:
        return worker.person.died_on or "–"

    @admin.display(description=_("municipal title"), boolean=True)
    def has_honour(self, worker: Any) -> bool:
        return bool(worker.holds_municipal)

    @admin.display(description=_("verified this year"), boolean=True)
    def verified(self, worker: Any) -> bool:
        return bool(worker.is_verified)

    def facts(self, request: HttpRequest, obj: Any) -> list[Fact]:
        year = this_year()
        verdict = (gettext("not yet"), "wait")
        if obj.was_found_wanting:
            verdict = (gettext("found dead or without honour"), "bad")
        if obj.is_verified:
            verdict = (gettext("yes"), "good")
        honour = (gettext("held"), "good") if obj.holds_municipal else (gettext("none"), "bad")
        facts = [
            Fact(_("Verified for %(year)s") % {"year": year}, *verdict),
            Fact(_("Municipal title"), *honour),
        ]
        if obj.person.died_on:
            facts.append(Fact(_("Died on"), obj.person.died_on, "bad"))
        return facts

    def panels(self, request: HttpRequest, obj: ModelWorker) -> list[Panel]:
        verifications = obj.verifications.select_related("verified_by")
        return [
            Panel(
                _("Titles"),
                (_("Title"), _("Conferred on"), _("Certificate number"), _("State")),
                [
                    (_link("honour", h.pk, h.title), h.conferred_on, h.certificate_no or "–",
                     h.get_state_display())
                    for h in obj.person.honours.select_related("title")
                ],
            ),
            Panel(
                _("Yearly verifications"),
                (_("Year"), _("Alive"), _("Keeps the honour"), _("Evidence"), _("By"), _("On")),
                [
                    (v.year, _mark(v.is_alive), _mark(v.honour_retained), v.evidence,
                     v.verified_by, v.verified_on)
                    for v in verifications
                ],
            ),
            Panel(
                _("Years of hardship"),
                (_("Year"), _("Evidence"), _("By"), _("State")),
                [
                    (y.year, y.evidence, y.recorded_by,
                     gettext("withdrawn") if y.is_withdrawn else gettext("counts"))
                    for y in obj.hardship_years.select_related("recorded_by")
                ],
            ),
            Panel(
                _("Subsidies"),
                (_("Case"), _("Scheme"), _("Year"), _("State")),
                [
                    (_link("subsidycase", c.pk, c.number), c.get_scheme_display(), c.period,
                     c.get_state_display())
                    for c in obj.person.subsidy_cases.order_by("-id")[:20]
                ],
            ),
        ]  # fmt: skip

    def trail(self, request: HttpRequest, obj: ModelWorker) -> list[Step]:
        return trail_of(obj, *obj.person.honours.all())

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ModelWorker], search_term: str
    ) -> tuple[QuerySet[ModelWorker], bool]:
        """Name, pinyin, initials, exact identity number or phone."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(person__in=Person.objects.filter(matches(search_term))), False

    def in_an_address(self, searched: str) -> str:
        return in_an_address(searched)

    def get_search_help_text(self, request: HttpRequest) -> Any:
        return _("Name, pinyin, initials, or a whole identity number or phone")


def _mark(is_so: bool) -> str:
    return gettext("yes") if is_so else gettext("no")


def _link(model: str, pk: int, text: Any) -> Any:
    return format_html(
        '<a href="{}">{}</a>', reverse(f"admin:awards_{model}_change", args=[pk]), text
    )


@admin.register(YearlyVerification)
class YearlyVerificationAdmin(ScopedModelAdmin):
    section = "honours"
    icon = "event_available"
    order = 40
    view_permissions = (Permission.PERSON_VIEW,)
    scope_path = "model_worker__person__organization__path"
    list_display = (
        "model_worker",
        "year",
        "is_alive",
        "honour_retained",
        "evidence",
        column("verified_by", _("verified by")),
        "verified_on",
    )
    list_filter = ("year", "is_alive", "honour_retained")
    list_select_related = ("model_worker__person__organization", "verified_by")
    search_fields = ("model_worker__person__name",)
    fields = list_display
    readonly_fields = fields
    shows_trail = False


def unverified(account: Account) -> QuerySet[Any]:
    """Living holders of an honour whom nobody has verified for this year."""
    judged: QuerySet[Any] = queries.model_workers_for(account, this_year())
    held = Honour.objects.filter(person=OuterRef("person"), state=HonourState.HELD)
    mine = access.scope(account, Permission.HONOUR_VERIFY, "person__organization__path")
    return judged.filter(mine, Exists(held), person__died_on__isnull=True).filter(
        is_verified=False, was_found_wanting=False
    )
