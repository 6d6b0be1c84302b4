"""List filters: codes in words, and what of a list waits for its reader."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from union_portal.admin import desk
from union_portal.models import Account, RuleSet

Words = Callable[[], Mapping[str, Any]]


def in_words(title: Any, words: Words) -> type[admin.AllValuesFieldListFilter]:
    """A filter by the codes that occur in a column, each under its title."""

    class InWords(admin.AllValuesFieldListFilter):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = title

        def choices(self, changelist: ChangeList) -> Iterator[Any]:
            titles = words()
            for choice in super().choices(changelist):
                display = choice["display"]
                yield {**choice, "display": titles.get(str(display), display)}

    return InWords


class WaitsFilter(admin.SimpleListFilter):
    """Exactly the rows that a tile of the front page counts, as far as this list shows them."""

    title = _("Waiting for me")
    parameter_name = desk.WAITS

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The reader's queues of this list's rows."""
        self.reader: Account = request.user  # type: ignore[assignment]
        mine = desk.queues_for(self.reader)
        self.queues = {queue.key: queue for queue in mine if queue.model is model_admin.model}
        return [(key, queue.title) for key, queue in self.queues.items()]

    def has_output(self) -> bool:
        """Also if asked for while it offers nothing: Django would pass it by and show all rows."""
        return super().has_output() or self.value() is not None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """No row for a queue that is not the reader's, or that nobody has."""
        chosen = self.value()
        if chosen is None:
            return queryset
        if chosen not in self.queues:
            return queryset.none()
        rows = self.queues[chosen].rows(self.reader)
        return queryset.filter(pk__in=rows.order_by().values("pk"))


def scheme_titles() -> dict[str, str]:
    """Every scheme as people call it: the title of its newest rule set."""
    rows = RuleSet.objects.order_by("scheme", "-version").distinct("scheme")
    return dict(rows.values_list("scheme", "title"))


def kinds_of_rows() -> dict[str, str]:
    """What the log calls `app.model`, as people call it."""
    tables = {model._meta.label_lower: model._meta.verbose_name for model in apps.get_models()}
    return {label: str(said) for label, said in (tables | NO_ROWS).items()}


# What the log keeps of no row of a table.
NO_ROWS = {"demo": _("demonstration")}


def kind_of_row(label: str) -> str:
    """One `app.model` as people call it; as it stands where no such model is left."""
    if label in NO_ROWS:
        return str(NO_ROWS[label])
    try:
        return str(apps.get_model(label)._meta.verbose_name)
    except (LookupError, ValueError):
        return label
