"""Official fields of unions, their yearly reports, and the statistics made of both."""

from io import BytesIO
from typing import Any

from django import forms
from django.contrib import admin
from django.http import FileResponse, HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from members import resources
from members.actions import unions
from members.models import EmployerNature, Industry, UnionProfile, UnionYear
from members.queries import statistics
from members.rules.unions import require_committee
from union_portal.access import Permission
from union_portal.admin.buttons import Button, export_button
from union_portal.admin.fields import DateInput, UnionChoice, union_field, unions_for
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.downloads import download_sheet
from union_portal.forms import ReadField, YuanField, judge
from union_portal.kit import money
from union_portal.kit.credit_code import read_credit_code
from union_portal.models import Account

_NOT_SAID = ("", "–")


class OfficialForm(forms.Form):
    """The fields of the federation's form, in its order."""

    office = forms.CharField(label=_("Office in charge"), max_length=80, required=False)
    approved_by = forms.CharField(label=_("Approving body"), max_length=120, required=False)
    approval_number = forms.CharField(
        label=_("Number of the approval"), max_length=60, required=False
    )
    employer_name = forms.CharField(label=_("Employer"), max_length=120, required=False)
    employer_code = ReadField(
        reader=lambda text: read_credit_code(text).code,
        label=_("Credit code of the employer"),
        max_length=40,
        required=False,
        help_text=_("GB 32100, 18 characters"),
    )
    employer_nature = forms.ChoiceField(
        label=_("Nature of the employer"),
        required=False,
        choices=[_NOT_SAID, *EmployerNature.choices],
    )
    industry = forms.ChoiceField(
        label=_("Industry"), required=False, choices=[_NOT_SAID, *Industry.choices]
    )
    first_committee_on = forms.DateField(
        label=_("First committee elected on"), required=False, widget=DateInput()
    )
    committee_on = forms.DateField(
        label=_("Present committee elected on"), required=False, widget=DateInput()
    )
    committee_until = forms.DateField(
        label=_("Present committee until"), required=False, widget=DateInput()
    )
    certificate_number = forms.CharField(
        label=_("Legal-person certificate of the union"), max_length=60, required=False
    )
    legal_representative = forms.CharField(
        label=_("Legal representative"), max_length=60, required=False
    )
    handler = forms.CharField(label=_("Handler"), max_length=60, required=False)
    handler_phone = forms.CharField(label=_("Phone of the handler"), max_length=30, required=False)

    def clean(self) -> dict[str, Any]:
        super().clean()
        days = ("first_committee_on", "committee_on", "committee_until")
        # A day that can't be read is no day that is missing.
        if not any(map(self.has_error, days)):
            judge(
                self,
                "committee_until",
                require_committee,
                *(self.cleaned_data.get(name) for name in days),
                today=timezone.localdate(),
            )
        return self.cleaned_data


def new_form(obj: None, by: Account) -> type[forms.Form]:
    """Only unions whose fields are not there yet."""

    class NewForm(OfficialForm):
        organization = UnionChoice(
            label=_("Union"),
            queryset=unions_for(by, Permission.UNION_EDIT).filter(profile__isnull=True),
        )

        field_order = ("organization",)

    return NewForm


def official_form(profile: UnionProfile, by: Account) -> type[forms.Form]:
    class Filled(OfficialForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["initial"] = {name: getattr(profile, name) for name in self.base_fields}
            super().__init__(*args, **kwargs)

    return Filled


class FiguresForm(forms.Form):
    """A year's figures; amounts in yuan."""

    workers_count = forms.IntegerField(label=_("Workers"), min_value=0)
    women_count = forms.IntegerField(label=_("Women workers"), min_value=0, initial=0)
    farmer_workers_count = forms.IntegerField(label=_("Farmer workers"), min_value=0, initial=0)
    cadres_count = forms.IntegerField(label=_("Full-time cadres"), min_value=0, initial=0)
    brought_forward_fen = YuanField(label=_("Surplus brought forward"), required=False)
    dues_fen = YuanField(label=_("Members' dues"), required=False)
    retained_fen = YuanField(label=_("Retained share of the 2% levy"), required=False)
    other_income_fen = YuanField(label=_("Other income"), required=False)


def year_form(obj: None, by: Account) -> type[forms.Form]:
    class YearForm(FiguresForm):
        organization = union_field(by, Permission.UNION_EDIT)
        year = forms.IntegerField(
            label=_("Year"), initial=lambda: timezone.localdate().year - 1, min_value=1949
        )

        field_order = ("organization", "year")

    return YearForm


def figures_form(report: UnionYear, by: Account) -> type[forms.Form]:
    class Filled(FiguresForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            held = {name: getattr(report, name) for name in self.base_fields}
            kwargs["initial"] = {
                name: money.plain_yuan(value) if name.endswith("_fen") else value
                for name, value in held.items()
            }
            super().__init__(*args, **kwargs)

    return Filled


def _describe(profile: UnionProfile, by: Account, data: dict[str, Any]) -> None:
    unions.describe(organization=profile.organization, by=by, today=timezone.localdate(), **data)


def _describe_new(obj: None, by: Account, data: dict[str, Any]) -> str:
    made = unions.describe(by=by, today=timezone.localdate(), **data)
    return reverse("admin:members_unionprofile_change", args=[made.pk])


def _report(obj: None, by: Account, data: dict[str, Any]) -> str:
    made = unions.report_year(by=by, today=timezone.localdate(), **data)
    return reverse("admin:members_unionyear_change", args=[made.pk])


def _correct(report: UnionYear, by: Account, data: dict[str, Any]) -> None:
    unions.report_year(
        organization=report.organization,
        year=report.year,
        by=by,
        today=timezone.localdate(),
        **data,
    )


def _export(obj: None, by: Account, data: dict[str, Any]) -> FileResponse:
    sheet = BytesIO()
    resources.write_unions(sheet, by=by)
    return download_sheet(sheet, name=f"unions-{timezone.localdate():%Y%m%d}.xlsx")


@admin.register(UnionProfile)
class UnionProfileAdmin(ScopedModelAdmin):
    section = "people"
    icon = "domain"
    order = 41
    view_permissions = (Permission.PERSON_VIEW,)
    list_display = (
        "organization",
        "employer_name",
        "employer_nature",
        "industry",
        "committee_until",
        "handler",
    )
    list_filter = ("employer_nature", "industry", "organization__level")
    list_select_related = ("organization",)
    search_fields = ("organization__name", "employer_name", "employer_code")
    fields = ("union_link", *unions.FIELDS)
    readonly_fields = fields
    empty_hint = _("Enter the official fields of a union: employer, committee, certificate.")
    list_buttons = (
        Button(
            name="describe-union",
            label=_("Enter the fields of a union"),
            permission=Permission.UNION_EDIT,
            act=_describe_new,
            explain=_("As on the federation's form; what is not known stays empty."),
            form_for=new_form,
        ),
        export_button(
            _export,
            explain=_("Every union within your reach with its fields; the export is logged."),
        ),
    )
    buttons = (
        Button(
            name="describe",
            label=_("Change"),
            permission=Permission.UNION_EDIT,
            act=_describe,
            explain=_("The log keeps which columns were changed, and by whom."),
            form_for=official_form,
        ),
    )

    @admin.display(description=_("union"))
    def union_link(self, profile: UnionProfile) -> Any:
        url = reverse("admin:union_portal_organization_change", args=[profile.organization_id])
        return format_html('<a href="{}">{}</a>', url, profile.organization)

    def facts(self, request: HttpRequest, obj: UnionProfile) -> list[Fact]:
        members = statistics.members_now(obj.organization)
        until = obj.committee_until
        told = [Fact(_("Members now"), members)]
        if until is not None and until < timezone.localdate():
            told.append(Fact(_("The committee's term ended on"), until, "bad"))
        return told

    def panels(self, request: HttpRequest, obj: UnionProfile) -> list[Panel]:
        rows = [
            (
                _year_link(one),
                one.workers_count,
                one.women_count,
                one.farmer_workers_count,
                one.cadres_count,
                money.shown(income_of(one)),
            )
            for one in obj.organization.years.all()
        ]
        columns = (
            _("Year"), _("Workers"), _("Women workers"), _("Farmer workers"),
            _("Full-time cadres"), _("Income"),
        )  # fmt: skip
        return [_below(obj), Panel(_("Yearly reports"), columns, rows)]


def _below(profile: UnionProfile) -> Panel:
    """The tree from here on: each union right below, with its own members and its fields."""
    rows = [
        (_union_link(one), one.get_level_display(), one.members)
        for one in statistics.below(profile.organization)
    ]
    return Panel(_("Right below"), (_("Union"), _("Level"), _("Members now")), rows)


def _union_link(union: Any) -> Any:
    """To the fields of a union, or to the union itself while nobody has entered them."""
    page, key = "union_portal_organization", union.pk
    if getattr(union, "profile", None) is not None:
        page, key = "members_unionprofile", union.profile.pk
    return format_html('<a href="{}">{}</a>', reverse(f"admin:{page}_change", args=[key]), union)


def income_of(report: UnionYear) -> int:
    """All income of the year in fen, what was brought forward included."""
    return int(
        report.brought_forward_fen + report.dues_fen + report.retained_fen + report.other_income_fen
    )


def _year_link(report: UnionYear) -> Any:
    url = reverse("admin:members_unionyear_change", args=[report.pk])
    return format_html('<a href="{}">{}</a>', url, report.year)


@admin.register(UnionYear)
class UnionYearAdmin(ScopedModelAdmin):
    section = "people"
    icon = "bar_chart"
    order = 42
    view_permissions = (Permission.PERSON_VIEW,)
    list_display = (
        "organization",
        "year",
        "workers_count",
        "women_count",
        "farmer_workers_count",
        "cadres_count",
        "income",
        "reported_at",
    )
    list_filter = ("year",)
    list_select_related = ("organization",)
    search_fields = ("organization__name",)
    fields = (
        "organization",
        "year",
        "workers_count",
        "women_count",
        "farmer_workers_count",
        "cadres_count",
        "brought_forward",
        "dues",
        "retained",
        "other_income",
        "reported_by",
        "reported_at",
    )
    readonly_fields = fields
    empty_hint = _("Every union reports its workers, cadres and income once a year.")
    list_buttons = (
        Button(
            name="report-year",
            label=_("Report a year"),
            permission=Permission.UNION_EDIT,
            act=_report,
            explain=_("People as at the year's end, income within it. Once a year and union."),
            done=_("The year is reported."),
            form_for=year_form,
        ),
    )
    buttons = (
        Button(
            name="correct",
            label=_("Correct"),
            permission=Permission.UNION_EDIT,
            act=_correct,
            explain=_("The log keeps which figures were changed, and by whom."),
            form_for=figures_form,
        ),
    )

    @admin.display(description=_("income"))
    def income(self, report: UnionYear) -> str:
        return money.shown(income_of(report))

    @admin.display(description=_("surplus brought forward"))
    def brought_forward(self, report: UnionYear) -> str:
        return money.shown(report.brought_forward_fen)

    @admin.display(description=_("members' dues"))
    def dues(self, report: UnionYear) -> str:
        return money.shown(report.dues_fen)

    @admin.display(description=_("retained share of the 2% levy"))
    def retained(self, report: UnionYear) -> str:
        return money.shown(report.retained_fen)

    @admin.display(description=_("other income"))
    def other_income(self, report: UnionYear) -> str:
        return money.shown(report.other_income_fen)
