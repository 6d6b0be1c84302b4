"""The public roll of honours: names as they were announced, nothing else."""

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from awards.models import Honour, HonourTitle
from awards.states import HonourState
from union_portal import readers
from union_portal.readers import Door

HONOURS_PER_PAGE = 60
# What somebody holds under two numbers stands on the roll once.
_SHOWN = Q(state=HonourState.HELD, person__merged_into__isnull=True)
_SHOWN_OF_TITLE = Q(honours__state=HonourState.HELD, honours__person__merged_into__isnull=True)


@login_not_required
@require_safe
@readers.seeing(Door.HONOURS_ROLL)
def honours_roll(request: HttpRequest) -> HttpResponse:
    """Held honours by title and year; revoked ones are not on the roll."""
    held = Honour.objects.filter(_SHOWN)
    titles = HonourTitle.objects.annotate(holders=Count("honours", filter=_SHOWN_OF_TITLE)).filter(
        holders__gt=0
    )
    title = request.GET.get("title", "")
    year = request.GET.get("year", "")
    q = request.GET.get("q", "").strip()[:40]
    if title:
        held = held.filter(title__code=title)
    if year.isdigit() and len(year) == 4:
        held = held.filter(conferred_on__year=int(year))
    if q:
        held = held.filter(person__name__startswith=q)
    rows = held.select_related("person", "title").order_by("-conferred_on", "person__pinyin", "id")
    years = (
        Honour.objects.filter(_SHOWN)
        .order_by("-conferred_on__year")
        .values_list("conferred_on__year", flat=True)
        .distinct()
    )
    context = {
        "page": Paginator(rows, HONOURS_PER_PAGE).get_page(request.GET.get("page")),
        "titles": titles,
        "years": years,
        "title": title,
        "year": year,
        "q": q,
    }
    return render(request, "awards/honours_roll.html", context)
