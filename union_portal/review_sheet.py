"""A review of accounts as a spreadsheet: every role, its answer, who gave it and when."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from union_portal import queue, reports
from union_portal.access import Permission
from union_portal.kit.sheets import SheetData, write_xlsx
from union_portal.models import AccountReview, ReportRun, ReviewedRole

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDTHS = (36, 20, 20, 24, 14, 20, 20, 18, 40)


@reports.report(
    "account_review",
    title=gettext_lazy("Review of accounts (spreadsheet)"),
    permission=Permission.AUDIT_VIEW,
)
def account_review(run: queue.Run, report: ReportRun, out: Path) -> reports.Produced:
    """All rows of one review, in the order of the tree."""
    review = AccountReview.objects.get(pk=report.subject_id)
    headers = (
        _("Union"), _("Log-in name"), _("Name"), _("Role"), _("Last log-in"), _("Answer"),
        _("Reviewed by"), _("Reviewed at"), _("Reason"),
    )  # fmt: skip
    lines = list(_lines(review))
    path = out / "account-review.xlsx"
    reviewed = SheetData(_("Review of accounts"), headers, lines, WIDTHS)
    write_xlsx(path, [reviewed, reports.witness_sheet()])
    content = "\n".join("\t".join(line) for line in lines)
    return reports.Produced(
        path=path,
        pages=1,
        digest=sha256(content.encode()).hexdigest(),
        name=f"account-review-{review.opened_on}-v{report.version}.xlsx",
        content_type=XLSX,
    )


def _lines(review: AccountReview) -> Iterator[tuple[str, ...]]:
    found = review.roles.select_related("account", "organization", "reviewed_by")
    for one in found.order_by("organization__path", "account__username", "role"):
        yield _line(one)


def _line(one: ReviewedRole) -> tuple[str, ...]:
    used = one.account.last_login
    at = one.reviewed_at
    return (
        one.organization.name,
        one.account.username,
        one.account.name,
        str(one.get_role_display()),
        timezone.localtime(used).strftime("%Y-%m-%d") if used else "",
        str(one.get_state_display()),
        one.reviewed_by.name if one.reviewed_by else "",
        timezone.localtime(at).strftime("%Y-%m-%d %H:%M") if at else "",
        one.reason,
    )
