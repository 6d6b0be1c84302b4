"""What stands below a case: statement, documents, visits, opinion, returns."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from awards.admin.columns import yuan_or_dash
from awards.models import SubsidyCase
from awards.queries import statements
from union_portal.admin.pages import Panel
from union_portal.models import Account, StoredFile


def about(case: SubsidyCase, by: Account) -> list[tuple[Any, Any]]:
    """Who asks for how much and why, above the form of a step."""
    return [
        (_("Person"), f"{case.person} · {case.person.national_id_shown}"),
        (_("Union"), case.organization),
        (_("Ground"), case.get_ground_display()),
        (_("Asked for"), yuan_or_dash(case.asked_fen)),
        (_("Recommended"), yuan_or_dash(case.recommended_fen)),
    ]


def told(case: SubsidyCase, by: Account) -> list[Panel]:
    """What the member stated and others found, for those alone who work on the case."""
    if statements.may_read(by, case):
        return application(case)
    note = gettext("Only those who work on the case read what the member stated.")
    return [Panel(_("Statement"), (), (), note=note)]


def application(case: SubsidyCase) -> list[Panel]:
    """Statement, documents, visits, opinion and returns of an application."""
    visits = case.visits.select_related("recorded_by").order_by("id")
    return [
        Panel(_("What the member stated"), (_("Question"), _("Answer")), statements.stated(case)),
        Panel(
            _("Documents"),
            (_("File"), _("Arrived")),
            [(_file(file), _at(file.created_at)) for file in statements.files_of(case)],
        ),
        Panel(
            _("Home visits"),
            (_("Day"), _("Visitors"), _("Findings"), _("Need"), _("Files"), _("By")),
            [
                (
                    visit.visited_on,
                    visit.visitors,
                    visit.findings,
                    gettext("confirmed") if visit.is_confirmed else gettext("not confirmed"),
                    _files(statements.visit_files(visit)),
                    visit.recorded_by,
                )
                for visit in visits
            ],
        ),
        Panel(
            _("Opinion of the county"),
            (_("Opinion"), _("Recommended"), _("By")),
            [(case.opinion, yuan_or_dash(case.recommended_fen), case.reviewed_by)]
            if case.opinion
            else [],
        ),
        Panel(
            _("Returns for completion"),
            (_("When"), _("What is missing"), _("By"), _("Answer")),
            [
                (_at(asked.returned_at), asked.message, asked.returned_by, asked.answer or "–")
                for asked in case.returns.select_related("returned_by").order_by("id")
            ],
        ),
    ]


def _at(moment: Any) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"


def _file(file: StoredFile) -> SafeString:
    url = reverse("portal:file", args=[file.pk])
    return format_html('<a href="{}">{}</a>', url, file.name)


def _files(files: QuerySet[StoredFile]) -> SafeString | str:
    return format_html_join(" · ", "{}", ((_file(file),) for file in files)) or "–"
