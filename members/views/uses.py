"""What a member has used, and what they think of it."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from members.actions import ratings
from members.actions.ratings import RatingRefused
from members.forms_till import RatingForm
from members.models import Person, Redemption
from members.own_pages import member_only
from members.queries.uses import uses_of
from members.states import RedemptionState
from union_portal import readers
from union_portal.forms import refuse
from union_portal.readers import Door
from union_portal.views import mine

USES_PER_PAGE = 20


@require_safe
@member_only
@readers.seeing(Door.MY_USES)
def use_list(request: HttpRequest, person: Person) -> HttpResponse:
    """One's uses, the newest first, those taken back with who did it and why."""
    page = Paginator(uses_of(person), USES_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "members/use_list.html", {"page": page})


@member_only
@readers.seeing(Door.MY_USES)
def use_rate(request: HttpRequest, person: Person, use_id: int) -> HttpResponse:
    use = get_object_or_404(uses_of(person), pk=use_id)
    if use.state != RedemptionState.DONE or hasattr(use, "rating"):
        messages.warning(request, _("This use is rated already, or was taken back."))
        return redirect("members:use-list")
    form = RatingForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _rated(request, use, form):
        messages.success(request, _("Thank you: your rating is kept."))
        return redirect("members:use-list")
    status = 422 if form.errors else 200
    return render(request, "members/use_rate.html", {"form": form, "use": use}, status=status)


def _rated(request: HttpRequest, use: Redemption, form: RatingForm) -> bool:
    try:
        ratings.rate(redemption=use, by=request.user, **form.cleaned_data)  # type: ignore[arg-type]
    except RatingRefused as refusal:
        refuse(form, refusal)
        return False
    return True


mine.add_service(
    mine.Service(
        "uses", gettext_lazy("My uses"), gettext_lazy("What I used the card for; rate it"),
        lambda: reverse("members:use-list"), 12,
    )
)  # fmt: skip
