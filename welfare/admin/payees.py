"""Whom a batch pays: on its page, and before the eyes of those who approve it."""

from django.db.models import Count
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from union_portal.admin.pages import Panel
from welfare.admin.shown import link, list_url, masked, yuan
from welfare.disbursement.models import PayoutBatch, PayoutLine
from welfare.disbursement.states import UNPAID, LineState

LINES_SHOWN = 20


def panel_of(batch: PayoutBatch) -> Panel:
    """The first payments of a batch, failed ones first, with the way to all of them."""
    lines = batch.lines.order_by("position")
    counted = dict(batch.lines.order_by().values_list("state").annotate(n=Count("pk")))
    if any(counted.get(state) for state in UNPAID):
        lines = lines.filter(state__in=UNPAID)
    rows = [
        (
            line.position,
            link(line, line.payee_name),
            f"{line.bank_name} {masked(line.account_last_four)}",
            yuan(line.amount_fen),
            line.get_state_display(),
        )
        for line in lines[:LINES_SHOWN]
    ]
    by_state = [
        format_html(
            '<a href="{}">{} {}</a>',
            list_url(PayoutLine, batch__id__exact=batch.pk, state__exact=state),
            state.label,
            counted[state],
        )
        for state in LineState
        if counted.get(state)
    ]
    first = gettext("The first %(count)s; failed ones come first.") % {"count": LINES_SHOWN}
    note = format_html("{}" + " · {}" * len(by_state), first, *by_state)
    return Panel(
        _("Payment lines"),
        (_("No."), _("Payee"), _("Account"), _("Amount"), _("State")),
        rows,
        note=note,
        link=list_url(PayoutLine, batch__id__exact=batch.pk),
        link_text=_("All payments of this batch"),
    )
