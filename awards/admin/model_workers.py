"""Model workers, and their yearly verification as alive and keeping the honour."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from awards import queries
from awards.actions import model_workers
from awards.admin.fields import PersonField
from awards.admin.honours import by_person, link_to
from awards.models import HardshipYear, ModelWorker, ModelWorkerKind, YearlyVerification
from union_portal import access
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, Text
from union_portal.admin.fields import DateInput, ReasonForm
from union_portal.admin.pages import Fact, Panel, Told
from union_portal.admin.scoped import ScopedModelAdmin, reader
from union_portal.models import Account


def this_year() -> int:
    return timezone.localdate().year


def enroll_form(obj: None, by: Account) -> type[forms.Form]:
    class EnrollForm(forms.Form):
        person = PersonField(account=by)
        kind = forms.ChoiceField(label=_("Class"), choices=ModelWorkerKind.choices)
        is_farmer = forms.BooleanField(label=_("Farmer"), required=False)
        lost_work_capacity_on = forms.DateField(
            label=_("Lost work capacity on"), required=False, widget=DateInput()
        )

    return EnrollForm


def update_form(worker: ModelWorker, by: Account) -> type[forms.Form]:
    class UpdateForm(forms.Form):
        kind = forms.ChoiceField(
            label=_("Class"), choices=ModelWorkerKind.choices, initial=worker.kind
        )
        is_farmer = forms.BooleanField(label=_("Farmer"), required=False, initial=worker.is_farmer)
        lost_work_capacity_on = forms.DateField(
            label=_("Lost work capacity on"),
            required=False,
            widget=DateInput(),
            initial=worker.lost_work_capacity_on,
        )

    return UpdateForm


class VerificationForm(forms.Form):
    year = forms.IntegerField(label=_("Year"), initial=this_year)
    is_alive = forms.TypedChoiceField(
        label=_("Alive"),
        choices=[("yes", _("yes")), ("no", _("no"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    honour_retained = forms.TypedChoiceField(
        label=_("Keeps the honour"),
        choices=[("yes", _("yes")), ("no", _("no"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    evidence = forms.CharField(
        label=_("Evidence"),
        max_length=200,
        help_text=_("How it was verified: visit, call, register."),
    )


class VerifyAllForm(forms.Form):
    year = forms.IntegerField(label=_("Year"), initial=this_year)
    evidence = forms.CharField(
        label=_("Evidence"),
        max_length=200,
        help_text=_("What shows it for all of them, such as a list of the registry office."),
    )
    looked = forms.BooleanField(label=_("I have gone through the list of those not verified"))


class HardshipForm(forms.Form):
    year = forms.IntegerField(label=_("Year"), initial=this_year)
    evidence = forms.CharField(label=_("Evidence"), max_length=200)


class DeathForm(forms.Form):
    died_on = forms.DateField(label=_("Died on"), widget=DateInput())
    reason = forms.CharField(label=_("How it is known"), max_length=200)


def _verify_all(obj: None, by: Account, data: dict[str, Any]) -> Told:
    data.pop("looked")
    rows = unverified(by, data["year"])
    count = model_workers.verify_set(rows=rows, by=by, today=timezone.localdate(), **data)
    return Told(gettext("Verified as alive and keeping the honour:"), count)


def unverified(account: Account, year: int) -> QuerySet[ModelWorker]:
    """Whom the account may verify and nobody has for the year."""
    return ModelWorker.objects.filter(
        access.scope(account, Permission.HONOUR_VERIFY, "person__organization__path"),
        person__died_on__isnull=True,
    ).exclude(pk__in=YearlyVerification.objects.filter(year=year).values("model_worker"))


def _death(worker: ModelWorker, by: Account, data: dict[str, Any]) -> Told:
    ended = model_workers.record_death(
        model_worker=worker, by=by, today=timezone.localdate(), **data
    )
    sentence = gettext("Unpaid subsidies withdrawn with it; on their way to the bank already:")
    return Told(sentence, f"{ended.withdrawn} / {ended.on_their_way}")


def _dead(worker: ModelWorker, account: Account) -> Text | None:
    return _("The death is recorded already.") if worker.person.died_on else None


@admin.register(ModelWorker)
class ModelWorkerAdmin(ScopedModelAdmin):
    section = "honours"
    icon = "star"
    order = 10
    view_permissions = (Permission.PERSON_VIEW,)
    scope_path = "person__organization__path"
    list_display = (
        "person",
        "identity",
        "kind",
        "is_farmer",
        "union",
        "municipal",
        "verified",
    )
    list_filter = ("kind", "is_farmer")
    list_select_related = ("person__organization",)
    search_fields = ("person__name",)
    ordering = ("id",)
    fields = ("person_link", "kind", "is_farmer", "lost_work_capacity_on", "union", "enrolled_by")
    readonly_fields = fields
    list_buttons = (
        Button(
            name="enroll",
            label=_("Enrol a model worker"),
            permission=Permission.HONOUR_EDIT,
            act=lambda obj, by, data: model_workers.enroll(by=by, **data) and None,
            explain=_("Lists come in through the import of people."),
            form_for=enroll_form,
        ),
        Button(
            name="verify-all",
            label=_("Verify all that are open"),
            permission=Permission.HONOUR_VERIFY,
            act=_verify_all,
            explain=_(
                "All open ones within your reach are noted as alive and keeping the honour."
                " Enter deaths and losses one by one first."
            ),
            facts=lambda obj, account: [
                (_("Not verified this year"), unverified(account, this_year()).count())
            ],
            form=VerifyAllForm,
            danger=True,
        ),
    )
    buttons = (
        Button(
            name="verify",
            label=_("Verify"),
            permission=Permission.HONOUR_VERIFY,
            act=lambda obj, by, data: (
                model_workers.verify(model_worker=obj, by=by, today=timezone.localdate(), **data)
                and None
            ),
            explain=_("Only who is alive and keeps the honour is paid (X3)."),
            why_not=_dead,
            form=VerificationForm,
        ),
        Button(
            name="hardship",
            label=_("Record hardship"),
            permission=Permission.HONOUR_VERIFY,
            act=lambda obj, by, data: (
                model_workers.record_hardship(model_worker=obj, by=by, **data) and None
            ),
            explain=_("The year's standard applies instead of the festival gift (X5)."),
            why_not=_dead,
            form=HardshipForm,
        ),
        Button(
            name="change",
            label=_("Change"),
            permission=Permission.HONOUR_EDIT,
            act=lambda obj, by, data: (
                model_workers.update(model_worker=obj, by=by, **data) and None
            ),
            explain=_("Class, farmer, loss of work capacity."),
            form_for=update_form,
        ),
        Button(
            name="death",
            label=_("Record a death"),
            permission=Permission.HONOUR_VERIFY,
            act=_death,
            explain=_("What was decided and not yet sent to the bank is withdrawn (X3)."),
            why_not=_dead,
            form=DeathForm,
            danger=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        judged = queries.model_workers_for(reader(request), this_year())
        return judged.filter(pk__in=super().get_queryset(request).values("pk")).order_by("id")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        return by_person(queryset, search_term)

    @admin.display(description=_("identity number"))
    def identity(self, worker: ModelWorker) -> str:
        return worker.person.national_id_shown

    @admin.display(description=_("union"))
    def union(self, worker: ModelWorker) -> str:
        return str(worker.person.organization)

    @admin.display(description=_("municipal title"), boolean=True)
    def municipal(self, worker: Any) -> bool:
        return bool(worker.holds_municipal)

    @admin.display(description=_("verified this year"), boolean=True)
    def verified(self, worker: Any) -> bool:
        return bool(worker.is_verified)

    @admin.display(description=_("person"))
    def person_link(self, worker: ModelWorker) -> Any:
        return link_to(worker.person)

    def facts(self, request: HttpRequest, obj: Any) -> list[Fact]:
        year = this_year()
        told = _("verified") if obj.is_verified else _("not verified")
        if obj.was_found_wanting:
            told = _("found wanting")
        return [Fact(year, told, "good" if obj.is_verified else "wait")]

    def panels(self, request: HttpRequest, obj: ModelWorker) -> list[Panel]:
        held = obj.person.honours.select_related("title").order_by("-conferred_on")
        honours = [(h.title, h.conferred_on, h.get_state_display()) for h in held]
        found = [
            (v.year, yes_no(v.is_alive), yes_no(v.honour_retained), v.evidence, v.verified_by)
            for v in obj.verifications.select_related("verified_by")
        ]
        hard = [
            (h.year, h.evidence, _("withdrawn") if h.is_withdrawn else "")
            for h in obj.hardship_years.all()
        ]
        return [
            Panel(_("Honours"), (_("Title"), _("Conferred on"), _("State")), honours),
            Panel(
                _("Yearly verifications"),
                (_("Year"), _("Alive"), _("Keeps the honour"), _("Evidence"), _("By")),
                found,
            ),
            Panel(_("Years of hardship"), (_("Year"), _("Evidence"), ""), hard),
        ]


@admin.register(HardshipYear)
class HardshipYearAdmin(ScopedModelAdmin):
    section = "honours"
    icon = "volunteer_activism"
    order = 40
    view_permissions = (Permission.HONOUR_VERIFY, Permission.AUDIT_VIEW)
    scope_path = "model_worker__person__organization__path"
    list_display = ("model_worker", "year", "evidence", "recorded_by", "is_withdrawn")
    list_filter = ("year", "is_withdrawn")
    list_select_related = ("model_worker__person__organization", "recorded_by")
    fields = ("model_worker", "year", "evidence", "recorded_by", "recorded_at", "is_withdrawn")
    readonly_fields = fields
    buttons = (
        Button(
            name="withdraw",
            label=_("Withdraw"),
            permission=Permission.HONOUR_VERIFY,
            act=lambda obj, by, data: model_workers.withdraw_hardship(hardship=obj, by=by, **data),
            explain=_("It was recorded in error; the row stays and no longer counts."),
            why_not=lambda obj, account: _("It is withdrawn.") if obj.is_withdrawn else None,
            form=ReasonForm,
            danger=True,
        ),
    )


def yes_no(value: bool) -> Any:
    return _("yes") if value else _("no")


desk.add_queue(
    desk.Queue(
        _("Model workers to verify this year"),
        Permission.HONOUR_VERIFY,
        lambda account: unverified(account, this_year()).count(),
        lambda: reverse("admin:awards_modelworker_changelist"),
        icon="star",
    )
)
