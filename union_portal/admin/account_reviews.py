"""The yearly review of accounts: what is to be answered, and what was."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from union_portal import account_reviews, reports
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, Text
from union_portal.admin.fields import DateInput, ReasonForm, union_field
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin, federation
from union_portal.models import Account, AccountReview, ReviewedRole
from union_portal.states import AccountReviewState, ReviewedRoleState

TIME = timedelta(days=30)
YEAR = timedelta(days=366)


class OpenForm(forms.Form):
    due_on = forms.DateField(
        label=_("Due on"),
        initial=lambda: timezone.localdate() + TIME,
        help_text=_("What nobody has answered for by the end of this day lapses."),
        widget=DateInput(),
    )


def _union_form(review: AccountReview, by: Account) -> type[forms.Form]:
    class UnionForm(forms.Form):
        union = union_field(by, Permission.ROLE_GRANT)

    return UnionForm


def _is_closed(review: AccountReview, by: Account) -> Text | None:
    return _("It is closed.") if review.state == AccountReviewState.CLOSED else None


def _is_answered(reviewed: ReviewedRole, by: Account) -> Text | None:
    if reviewed.state != ReviewedRoleState.OPEN:
        return _("It is answered already.")
    if reviewed.review.state == AccountReviewState.CLOSED:
        return _("The review is closed.")
    return _("Somebody else reviews your own roles.") if reviewed.account_id == by.pk else None


def _exported(review: AccountReview, by: Account, data: dict[str, Any]) -> str:
    place = federation()
    assert place is not None, "a portal without a federation"
    made = reports.request(kind="account_review", subject=review, by=by, organization=place)
    return reverse("portal:job", args=[made.job_id])


def _items(review: AccountReview, query: str = "") -> str:
    page = reverse("admin:union_portal_reviewedrole_changelist")
    return f"{page}?review__id__exact={review.pk}{query}"


@admin.register(AccountReview)
class AccountReviewAdmin(ScopedModelAdmin):
    section = "system"
    icon = "fact_check"
    order = 25
    view_permissions = (Permission.ROLE_GRANT, Permission.AUDIT_VIEW)
    scope_path = None
    list_display = ("opened_on", "due_on", "state", "shown_open", "opened_by")
    list_select_related = ("opened_by",)
    fields = ("opened_on", "due_on", "state", "opened_by", "closed_on")
    readonly_fields = fields
    empty_hint = _("The security administrator opens one every year.")
    list_buttons = (
        Button(
            name="open",
            label=_("Open a review"),
            permission=Permission.ROLE_GRANT,
            act=lambda obj, by, data: (
                account_reviews.open_review(by=by, today=timezone.localdate(), **data) and None
            ),
            explain=_("Every role that is held today is written down, to be confirmed or ended."),
            done=_("The review is open."),
            form=OpenForm,
            reauth=True,
        ),
    )
    buttons = (
        Button(
            name="confirm-union",
            label=_("Confirm all of a union"),
            permission=Permission.ROLE_GRANT,
            act=lambda obj, by, data: (
                account_reviews.confirm_all(review=obj, by=by, now=timezone.now(), **data) and None
            ),
            explain=_(
                "Everything still open of this union and below it is confirmed, your own roles"
                " left out. First end what is no longer needed."
            ),
            why_not=_is_closed,
            form_for=_union_form,
            reauth=True,
        ),
        Button(
            name="export",
            label=_("As a spreadsheet"),
            permission=Permission.AUDIT_VIEW,
            act=_exported,
            explain=_("Every role with its answer, for the file of the review."),
            reauth=True,
        ),
        Button(
            name="close",
            label=_("Close the review"),
            permission=Permission.ROLE_GRANT,
            act=lambda obj, by, data: account_reviews.close(
                review=obj, by=by, today=timezone.localdate()
            ),
            explain=_("Everything must be answered for."),
            why_not=_is_closed,
            reauth=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountReview]:
        waits = Count("roles", filter=Q(roles__state=ReviewedRoleState.OPEN))
        return super().get_queryset(request).annotate(waits=waits)

    @admin.display(description=_("to be answered"))
    def shown_open(self, review: Any) -> int:
        return int(review.waits)

    def facts(self, request: HttpRequest, obj: AccountReview) -> list[Fact]:
        waits = account_reviews.unanswered(obj).count()
        return [Fact(_("To be answered"), waits, "wait" if waits else "good")]

    def panels(self, request: HttpRequest, obj: AccountReview) -> list[Panel]:
        counted = obj.roles.order_by().values("organization__name").annotate(
            all=Count("pk"), waits=Count("pk", filter=Q(state=ReviewedRoleState.OPEN))
        )  # fmt: skip
        rows = [
            (row["organization__name"], row["all"], row["waits"])
            for row in counted.order_by("organization__path")
        ]
        return [
            Panel(
                _("By union"),
                (_("Union"), _("Roles"), _("To be answered")),
                rows,
                link=_items(obj),
                link_text=_("All roles of this review"),
            )
        ]


@admin.register(ReviewedRole)
class ReviewedRoleAdmin(ScopedModelAdmin):
    section = "system"
    icon = "checklist"
    order = 26
    view_permissions = (Permission.ROLE_GRANT, Permission.AUDIT_VIEW)
    list_display = ("account", "role", "organization", "shown_used", "state", "reviewed_by")
    list_filter = ("state", "role", "review")
    list_select_related = ("account", "organization", "reviewed_by", "review")
    ordering = ("organization__path", "account__username", "role")
    search_fields = ("account__username", "account__name", "organization__name")
    fields = (
        "review", "account", "role", "organization", "shown_used", "state", "reviewed_by",
        "reviewed_at", "reason",
    )  # fmt: skip
    readonly_fields = fields
    empty_hint = _("They appear when a review is opened.")
    buttons = (
        Button(
            name="confirm",
            label=_("Still needed"),
            permission=Permission.ROLE_GRANT,
            act=lambda obj, by, data: account_reviews.confirm(
                reviewed=obj, by=by, now=timezone.now()
            ),
            explain=_("The role stays as it is."),
            why_not=_is_answered,
            reauth=True,
        ),
        Button(
            name="end",
            label=_("End the role"),
            permission=Permission.ROLE_GRANT,
            act=lambda obj, by, data: account_reviews.end(
                reviewed=obj, by=by, now=timezone.now(), today=timezone.localdate(), **data
            ),
            explain=_("It stops today; what was done with it stays."),
            done=_("The role has ended."),
            why_not=_is_answered,
            form=ReasonForm,
            danger=True,
            reauth=True,
        ),
    )

    @admin.display(description=_("last log-in"))
    def shown_used(self, reviewed: ReviewedRole) -> str:
        used = reviewed.account.last_login
        return timezone.localtime(used).strftime("%Y-%m-%d") if used else gettext("never")


def _waiting() -> QuerySet[ReviewedRole]:
    return ReviewedRole.objects.filter(
        state=ReviewedRoleState.OPEN, review__state=AccountReviewState.OPEN
    )


def _caution(account: Account) -> str:
    """Overdue, close to it, or not done for a year."""
    today = timezone.localdate()
    review = AccountReview.objects.first()
    if review is None or (
        review.state == AccountReviewState.CLOSED and today - review.opened_on > YEAR
    ):
        return gettext("Accounts have not been reviewed for a year: open a review.")
    waits = _waiting().count()
    if review.state == AccountReviewState.CLOSED or not waits:
        return ""
    if review.due_on < today:
        return ngettext(
            "The review of accounts is overdue: %(count)d role lapses.",
            "The review of accounts is overdue: %(count)d roles lapse.",
            waits,
        ) % {"count": waits}
    return ngettext(
        "%(count)d role has to be reviewed by %(day)s; then it lapses.",
        "%(count)d roles have to be reviewed by %(day)s; then they lapse.",
        waits,
    ) % {"count": waits, "day": review.due_on}


desk.add_queue(
    desk.Queue(
        "role-reviews",
        _("Roles to be reviewed"),
        Permission.ROLE_GRANT,
        ReviewedRole,
        lambda account: _waiting(),
        icon="fact_check",
    )
)
desk.add_caution(
    desk.Caution(
        permissions=(Permission.ROLE_GRANT,),
        text=_caution,
        link=lambda: reverse("admin:union_portal_accountreview_changelist"),
    )
)
