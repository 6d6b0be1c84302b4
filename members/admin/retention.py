"""Runs of retention: counted first, removed by a second person."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _

from members.actions import retention
from members.models import RetentionRun
from members.rules import retention as rules
from union_portal import ways_back
from union_portal.access import Permission
from union_portal.admin.buttons import Button, Text, every, not_by
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.trail import name_acts
from union_portal.kit.shares import thousandths
from union_portal.models import Account

name_acts(
    {
        "retention.count": gettext_noop("Dry run asked for"),
        "retention.remove": gettext_noop("Removal asked for"),
        "retention.counted": gettext_noop("Counted"),
        "retention.removed": gettext_noop("Removed"),
    }
)


ways_back.begun_at(retention.COUNT, model=RetentionRun)
ways_back.begun_at(retention.REMOVE, model=RetentionRun, number="shown")


def _dry_run(obj: None, by: Account, data: dict[str, Any]) -> str:
    job = retention.ask_dry_run(by=by, today=timezone.localdate())
    return reverse("portal:job", args=[job.pk])


def _carry_out(run: RetentionRun, by: Account, data: dict[str, Any]) -> str:
    job = retention.ask_removal(shown=run, by=by, today=timezone.localdate())
    return reverse("portal:job", args=[job.pk])


def _is_closed(run: RetentionRun, account: Account) -> Text | None:
    found = retention.why_not(run, timezone.localdate())
    return " ".join(gettext(text) for text in found) if found else None


def _counted(run: RetentionRun, account: Account) -> list[tuple[Any, Any]]:
    return [(gettext(rule.what), run.counts.get(rule.key, 0)) for rule in rules.RULES]


@admin.register(RetentionRun)
class RetentionRunAdmin(ScopedModelAdmin):
    section = "system"
    icon = "auto_delete"
    order = 60
    view_permissions = (Permission.RETENTION_RUN, Permission.AUDIT_VIEW)
    scope_path = None
    list_display = ("run_on", "is_dry", "rows", "asked_by", "finished_at")
    list_filter = ("is_dry",)
    list_select_related = ("requested_by",)
    empty_hint = _("Ask for a dry run: it counts what is kept too long and touches nothing.")
    fields = ("run_on", "is_dry", "rows", "shown_by", "asked_by", "finished_at")
    readonly_fields = fields
    list_buttons = (
        Button(
            name="dry-run",
            label=_("Dry run"),
            permission=Permission.RETENTION_RUN,
            act=_dry_run,
            explain=_("A worker counts what is kept too long, rule by rule. Nothing is touched."),
            done=_("It is being counted."),
        ),
    )
    buttons = (
        Button(
            name="carry-out",
            label=_("Remove what was counted"),
            permission=Permission.RETENTION_RUN,
            act=_carry_out,
            explain=_("What the dry run counted is removed for good; accounts and log stay."),
            done=_("It is being removed."),
            why_not=every(
                _is_closed, not_by("requested_by", _("You asked for the dry run: a colleague"
                                                     " carries it out.")),
            ),
            facts=_counted,
            danger=True,
        ),
    )  # fmt: skip

    @admin.display(description=_("rows"))
    def rows(self, run: RetentionRun) -> int:
        return sum(run.counts.values())

    @admin.display(description=_("requested by"))
    def asked_by(self, run: RetentionRun) -> str:
        return str(run.requested_by or gettext("the schedule"))

    def facts(self, request: HttpRequest, obj: RetentionRun) -> list[Fact]:
        done = RetentionRun.objects.filter(shown_by=obj).first()
        facts = [
            Fact(_("Kind"), _("dry run") if obj.is_dry else _("removed")),
            Fact(_("Rows"), self.rows(obj)),
        ]
        if done is not None:
            facts.append(Fact(_("Carried out"), done.finished_at, "good"))
        return facts

    def panels(self, request: HttpRequest, obj: RetentionRun) -> list[Panel]:
        most = max(obj.counts.values(), default=0)
        counted = [
            (
                gettext(rule.what),
                obj.counts.get(rule.key, 0),
                _bar(thousandths(obj.counts.get(rule.key, 0), most)),
                ngettext("%(days)d day after %(since)s", "%(days)d days after %(since)s", rule.days)
                % {"days": rule.days, "since": gettext(rule.since)},
                rules.first_kept_day(rule, obj.run_on),
                gettext(rule.why),
                gettext(rule.source),
            )
            for rule in rules.RULES
        ]
        kept = [(gettext(one.what), gettext(one.why)) for one in rules.KEPT]
        columns = (
            _("What"), _("Rows"), _("Share"), _("Kept for"), _("Kept from"), _("Why"),
            _("Source"),
        )  # fmt: skip
        return [
            Panel(_("What is kept too long"), columns, counted),
            Panel(_("What is never removed"), (_("What"), _("Why")), kept),
        ]


def _bar(per_mille: int) -> SafeString:
    """The count, drawn: its share of the largest."""
    return format_html(
        '<svg viewBox="0 0 1000 100" width="120" height="12" preserveAspectRatio="none"'
        ' aria-hidden="true"><rect width="{}" height="100" fill="#b3141b"></rect></svg>',
        per_mille,
    )
