"""My membership: since when, where, what changed; moving to another union."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from members.actions import transfers
from members.forms_membership import TransferForm
from members.models import JoinApplication, MembershipTransfer, Person
from members.own_pages import member_only
from members.queries import memberships as queries
from members.states import TransferState
from members.views.joining import chosen
from union_portal.forms import refuse
from union_portal.kit.refusals import Refused
from union_portal.models import Account
from union_portal.views import mine


@never_cache
@require_safe
@member_only
def membership(request: HttpRequest, person: Person) -> HttpResponse:
    """Everything the register of members knows of the reader."""
    context = {
        "person": person,
        "membership": queries.membership_of(person),
        "changes": queries.changes_of(person),
        "transfers": [(one, steps_of(one)) for one in queries.transfers_of(person)],
        "open_transfer": queries.open_transfer_of(person),
        "profile": queries.profile_of(person),
        "application": _application_of(request),
    }
    return render(request, "members/membership.html", context)


@never_cache
@member_only
def transfer(request: HttpRequest, person: Person) -> HttpResponse:
    """Choose the new union by its name, then say why; both unions act afterwards."""
    held = queries.membership_of(person)
    if held is None or queries.open_transfer_of(person) is not None:
        messages.warning(request, _("A transfer is not possible now: this is how it stands."))
        return redirect("members:membership")
    target = queries.union_to_join(request.GET.get("union", ""))
    if target is None:
        choice = {**chosen(request, "members:transfer"), "membership": held}
        return render(request, "members/transfer_union.html", choice)
    form = TransferForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            transfers.request(
                membership=held,
                target=target,
                by=request.user,  # type: ignore[arg-type]
                **form.cleaned_data,
            )
        except Refused as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("Your union is asked to release you."))
            return redirect("members:membership")
    context = {"form": form, "target": target, "membership": held}
    status = 422 if form.errors else 200
    return render(request, "members/transfer.html", context, status=status)


@never_cache
@member_only
def transfer_take_back(request: HttpRequest, person: Person) -> HttpResponse:
    """Take back the transfer that is on its way; there is one at most."""
    asked = queries.open_transfer_of(person)
    if asked is None:
        return redirect("members:membership")
    if request.method == "POST":
        try:
            transfers.take_back(transfer=asked, by=request.user)  # type: ignore[arg-type]
        except Refused as refusal:
            messages.warning(request, str(refusal))
        else:
            messages.success(request, _("The transfer is taken back: you stay in your union."))
        return redirect("members:membership")
    return render(request, "members/transfer_take_back.html", {"transfer": asked})


def steps_of(transfer: MembershipTransfer) -> list[tuple[Any, str]]:
    """When which side did what, in words."""
    names = {"source": transfer.source.name, "target": transfer.target.name}
    steps = [(transfer.requested_at, _("The transfer to %(target)s was asked for.") % names)]
    if transfer.released_at is not None:
        steps.append((transfer.released_at, _("%(source)s has released you.") % names))
    ends = {
        TransferState.ACCEPTED: _("%(target)s has accepted you."),
        TransferState.REFUSED: _("The transfer was refused; you stay in %(source)s."),
    }
    if transfer.decided_at is not None and transfer.state in ends:
        steps.append((transfer.decided_at, ends[TransferState(transfer.state)] % names))
    return steps


def waits_for(transfer: MembershipTransfer) -> str:
    """Whose turn it is."""
    if transfer.state == TransferState.REQUESTED:
        return _("Next, %(union)s releases you.") % {"union": transfer.source.name}
    return _("Next, %(union)s accepts you.") % {"union": transfer.target.name}


def _application_of(request: HttpRequest) -> JoinApplication | None:
    """The newest application of the reader's own account."""
    if not isinstance(request.user, Account):
        return None
    own = JoinApplication.objects.filter(applied_by=request.user)
    return own.select_related("organization").order_by("-id").first()


def _section(request: HttpRequest, person_id: int) -> dict[str, Any]:
    asked = queries.open_transfer_of(person_id)
    return {
        "membership": queries.membership_of(person_id),
        "transfer": asked,
        "waits_for": waits_for(asked) if asked is not None else "",
    }


mine.add_section(mine.Section("members/my_membership.html", _section, order=5))
mine.add_service(
    mine.Service(
        "membership", gettext_lazy("Membership"), gettext_lazy("My union, and how to change it"),
        lambda: reverse("members:membership"), 30,
    )
)  # fmt: skip
