"""The page on which a batch is put together: what waits, who is in, who is left out and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from members.models import BankAccount
from members.states import BankAccountState
from union_portal import access, lifecycle
from union_portal.access import Permission
from union_portal.admin import pages
from union_portal.admin.buttons import Button
from union_portal.admin.fields import union_field
from union_portal.admin.filters import scheme_titles
from union_portal.admin.pages import Panel
from union_portal.admin.scoped import reader
from union_portal.forms import refuse
from union_portal.kit import money
from union_portal.kit.refusals import Refused
from union_portal.models import Account
from welfare.admin.shown import link, masked, yuan
from welfare.disbursement import batches, candidates
from welfare.disbursement.models import Entitlement, Fund, PayoutBatch

if TYPE_CHECKING:
    from union_portal.admin.scoped import ScopedModelAdmin

SHOWN = 50
PERIODS_NAMED = 10
LEFT_COLUMNS = (_("Entitlement"), _("Person"), _("Union"), _("Amount"), _("Why"), _("In detail"))
IN_COLUMNS = (_("Entitlement"), _("Person"), _("Union"), _("Amount"), _("Account"))


def assemble(obj: None, by: Account, data: dict[str, Any]) -> list[PayoutBatch]:
    """Make as many drafts as the bank's files need."""
    return batches.assemble_all(by=by, today=timezone.localdate(), **data)


BUTTON = Button(
    name="assemble",
    label=_("Assemble a batch"),
    permission=Permission.BATCH_MAKE,
    act=assemble,
    explain=_(
        "Choose what is paid. The preview shows who is in and who is left out, with the"
        " reason; then make the draft. If they are more than one file of the bank takes,"
        " several drafts are made. Nothing is sent yet."
    ),
    done=_("The batch is a draft: look at it, then seal it."),
    reauth=True,
)


def form_for(account: Account) -> type[forms.Form]:
    """Funds and unions within the maker's reach."""
    titles = scheme_titles()
    funds = Fund.objects.filter(access.scope(account, Permission.BATCH_MAKE), is_active=True)
    codes = sorted({code for fund in funds for code in fund.schemes})

    class AssembleForm(forms.Form):
        fund = forms.ModelChoiceField(label=_("Fund"), queryset=funds)
        scheme = forms.ChoiceField(
            label=_("Scheme"),
            choices=[("", _("Choose")), *((code, titles.get(code, code)) for code in codes)],
        )
        period = forms.CharField(
            label=_("Period"),
            max_length=20,
            help_text=_("As the decisions name it, for example 2026."),
        )
        organization = union_field(account, Permission.BATCH_MAKE)

        def clean_period(self) -> str:
            """A period that some decision names: another one would find nobody, and not say so."""
            period: str = self.cleaned_data["period"].strip()
            fund, scheme = self.cleaned_data.get("fund"), self.cleaned_data.get("scheme")
            if fund is None or not scheme:
                return period
            granted = Entitlement.objects.filter(fund=fund, scheme=scheme).order_by("-period")
            if granted.filter(period=period).exists():
                return period
            known = list(granted.values_list("period", flat=True).distinct()[:PERIODS_NAMED])
            if not known:
                raise ValidationError(_("Nobody was granted anything of this scheme yet."))
            raise ValidationError(
                _("Nobody was granted anything for this period. Known periods: %(periods)s."),
                params={"periods": ", ".join(known)},
            )

    return AssembleForm


def page(staff_page: ScopedModelAdmin, request: HttpRequest) -> HttpResponseBase:
    """Choose, preview, assemble: a GET looks, a POST makes the draft once."""
    account = reader(request)
    access.require(account, Permission.BATCH_MAKE)
    if not did_recently_reauthenticate(request):
        return pages.log_in_again(request)
    chosen = request.POST if request.method == "POST" else request.GET
    form = form_for(account)(chosen if "fund" in chosen else None)
    status = 200
    if request.method == "POST":
        answer = _made(request, account, form)
        if answer is not None:
            return answer
        status = 422
    context = {
        **staff_page.admin_site.each_context(request),
        "opts": staff_page.opts,
        "title": BUTTON.label,
        "button": BUTTON,
        "form": form,
        "waiting": waiting(account),
        "back": reverse("admin:disbursement_payoutbatch_changelist"),
        **(_preview(form.cleaned_data) if form.is_bound and _is_clean(form) else {}),
    }
    return TemplateResponse(request, "disbursement/assemble.html", context, status=status)


def _is_clean(form: forms.Form) -> bool:
    """Whether the four choices were read; a refusal of the action leaves them so."""
    form.is_valid()
    return {"fund", "scheme", "period", "organization"} <= set(form.cleaned_data)


def _made(request: HttpRequest, account: Account, form: forms.Form) -> HttpResponse | None:
    """The way to the draft or the list of them, or None with the refusal in the form."""
    if not form.is_valid():
        return None
    try:
        made = assemble(None, account, form.cleaned_data)
    except (Refused, lifecycle.Stale, PermissionDenied) as refusal:
        refuse(form, refusal)
        return None
    if len(made) == 1:
        messages.success(request, str(BUTTON.done))
        return redirect("admin:disbursement_payoutbatch_change", made[0].pk)
    several = _(
        "%(count)s drafts were made, as many as the bank's files take, from %(first)s to %(last)s:"
        " look at each, then seal it."
    )
    told = {"count": len(made), "first": made[0].number, "last": made[-1].number}
    messages.success(request, several % told)
    return redirect(f"{reverse('admin:disbursement_payoutbatch_changelist')}?state__exact=draft")


def waiting(account: Account) -> list[dict[str, Any]]:
    """What can be paid, by fund, scheme and period, each with the way to its preview."""
    titles = scheme_titles()
    rows: QuerySet[Any, Any] = (
        candidates.due()
        .filter(access.scope(account, Permission.BATCH_MAKE))
        .order_by("fund", "scheme", "period")
        .values("fund", "scheme", "period", "fund__name", "fund__organization")
        .annotate(people=Count("pk"), fen=Sum("amount_fen"))
    )
    return [
        {
            "fund": row["fund__name"],
            "scheme": titles.get(row["scheme"], row["scheme"]),
            "period": row["period"],
            "people": row["people"],
            "sum": yuan(row["fen"]),
            "query": urlencode(
                {
                    "fund": row["fund"],
                    "scheme": row["scheme"],
                    "period": row["period"],
                    "organization": row["fund__organization"],
                }
            ),
        }
        for row in rows
    ]


def _preview(chosen: dict[str, Any]) -> dict[str, Any]:
    """Who would be in and who is left out today, as assembling would find it."""
    today = timezone.localdate()
    waits = candidates.waiting(**chosen)
    payable: QuerySet[Any] = candidates.judged(
        candidates.fresh(waits), scheme=chosen["scheme"], today=today
    ).filter(because__isnull=True)
    left: QuerySet[Any] = batches.left_out(**chosen, today=today)
    found = payable.aggregate(count=Count("pk"), fen=Sum("amount_fen"))
    reasons = left.order_by().values_list("because").annotate(n=Count("pk"), fen=Sum("amount_fen"))
    total = found["fen"] or 0
    return {
        "has_preview": True,
        "in_count": found["count"],
        "in_sum": yuan(total),
        "in_words": money.in_words(total, prefix=True),
        "who_is_in": Panel(_("Who would be in"), IN_COLUMNS, _in_rows(payable)),
        "reasons": [(candidates.LeftOut(code).label, n, yuan(fen)) for code, n, fen in reasons],
        "left_count": sum(n for _code, n, _fen in reasons),
        "who_is_left_out": Panel(_("Left out, and why"), LEFT_COLUMNS, left_rows(left[:SHOWN])),
        "shown": SHOWN,
    }


def _in_rows(payable: QuerySet[Any]) -> list[tuple[Any, ...]]:
    accounts = BankAccount.objects.filter(payee=OuterRef("payee"), state=BankAccountState.CONFIRMED)
    rows = payable.select_related("person", "merchant", "organization")
    return [
        (
            link(row),
            row.payee_row,
            row.organization,
            yuan(row.amount_fen),
            f"{row.bank} {masked(row.last_four)}",
        )
        for row in rows.annotate(
            bank=Subquery(accounts.values("bank_name")[:1]),
            last_four=Subquery(accounts.values("last_four")[:1]),
        )[:SHOWN]
    ]


def left_rows(left: QuerySet[Any]) -> list[tuple[Any, ...]]:
    """Rows of the table of those left out."""
    return [
        (
            link(row),
            row.payee_row,
            row.organization,
            yuan(row.amount_fen),
            candidates.LeftOut(row.because).label,
            row.because_text or "",
        )
        for row in left.select_related("person", "merchant", "organization")
    ]
