"""A merchant's own statements: read, disputed by the line, accepted, printed."""

from collections.abc import Callable
from functools import wraps
from typing import Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from members.models import Merchant
from members.queries.benefits import merchant_of
from union_portal import reports
from union_portal.forms import refuse
from union_portal.kit.refusals import Refused
from union_portal.kit.shares import thousandths
from union_portal.models import Account
from welfare.actions import settlements
from welfare.forms import DisputeForm
from welfare.models import MerchantStatement
from welfare.queries import paid_at
from welfare.queries.settlements import by_offer, counted_fen
from welfare.states import StatementLineState, StatementState

LINES_PER_PAGE: Final = 50
PAPERS: Final = {"pdf": "merchant_statement_pdf", "xlsx": "merchant_statement_xlsx"}
MerchantView = Callable[..., HttpResponse]


def merchant_only(view: MerchantView) -> MerchantView:
    """Pass the merchant this account acts for; for everybody else there is no such page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        merchant = merchant_of(_account(request))
        if merchant is None:
            raise Http404
        return view(request, merchant, *args, **kwargs)

    return never_cache(guarded)


@require_safe
@merchant_only
def statement_list(request: HttpRequest, merchant: Merchant) -> HttpResponse:
    """Every statement, the newest first, with where its money stands."""
    rows = merchant.statements.annotate(paid_at=paid_at("decision")).order_by("-month", "-pk")
    page = Paginator(rows, 24).get_page(request.GET.get("page"))
    return render(request, "welfare/statement_list.html", {"merchant": merchant, "page": page})


@require_safe
@merchant_only
def statement(request: HttpRequest, merchant: Merchant, statement_id: int) -> HttpResponse:
    found = _own(merchant, statement_id)
    lines = found.lines.select_related("redemption__offer", "redemption__place")
    offers = by_offer(found)
    highest = max((row["fen"] for row in offers), default=0)
    context = {
        "statement": found,
        "offers": [{**row, "share": thousandths(row["fen"], highest)} for row in offers],
        "counted_fen": counted_fen(found),
        "page": Paginator(lines.order_by("position"), LINES_PER_PAGE).get_page(
            request.GET.get("page")
        ),
        "is_open": found.state == StatementState.ISSUED,
        "may_dispute": _may_dispute(found),
        "disputed": found.lines.filter(state=StatementLineState.DISPUTED).count(),
    }
    return render(request, "welfare/statement.html", context)


@merchant_only
def line_dispute(
    request: HttpRequest, merchant: Merchant, statement_id: int, position: int
) -> HttpResponse:
    found = _own(merchant, statement_id)
    line = get_object_or_404(found.lines.select_related("redemption__offer"), position=position)
    is_open = line.state == StatementLineState.COUNTED and _may_dispute(found)
    if request.method != "POST" and not is_open:
        return redirect("welfare:statement", found.pk)
    form = DisputeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            settlements.dispute(
                line=line,
                by=_account(request),
                now=timezone.now(),
                today=timezone.localdate(),
                **form.cleaned_data,
            )
        except Refused as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("Your objection to the line has arrived."))
            return redirect("welfare:statement", found.pk)
    context = {"statement": found, "line": line, "form": form}
    status = 422 if form.errors else 200
    return render(request, "welfare/line_dispute.html", context, status=status)


@require_POST
@merchant_only
def statement_accept(request: HttpRequest, merchant: Merchant, statement_id: int) -> HttpResponse:
    """Agree before the last day."""
    found = _own(merchant, statement_id)
    try:
        settlements.accept(statement=found, by=_account(request), now=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Thank you: the statement is accepted."))
    return redirect("welfare:statement", found.pk)


@require_POST
@merchant_only
def statement_paper(
    request: HttpRequest, merchant: Merchant, statement_id: int, kind: str
) -> HttpResponse:
    """Ask for the statement as a file; its page of progress leads to it."""
    found = _own(merchant, statement_id)
    if kind not in PAPERS:
        raise Http404
    run = reports.request(
        kind=PAPERS[kind], subject=found, by=_account(request), organization=found.organization
    )
    return redirect("portal:job", run.job_id)


def _account(request: HttpRequest) -> Account:
    return request.user  # type: ignore[return-value]


def _own(merchant: Merchant, statement_id: int) -> MerchantStatement:
    """The merchant's statement; anybody else's does not exist."""
    return get_object_or_404(
        merchant.statements.select_related(
            "merchant", "organization", "programme", "decision"
        ).annotate(paid_at=paid_at("decision")),
        pk=statement_id,
    )


def _may_dispute(found: MerchantStatement) -> bool:
    return found.state == StatementState.ISSUED and timezone.localdate() <= found.disputes_until
