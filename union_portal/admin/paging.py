"""Pages of long lists: the last one costs what the first does, and nobody counts a million."""

from typing import Any, Final

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.paginator import Page, Paginator
from django.db import connection
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.views import ChangeList

# Of what a search finds so many are counted: whoever finds more narrows it down.
MOST_FOUND: Final = 1_000
# A register that has so many rows is not counted for a page of it.
MANY: Final = 100_000


def rows_about(model: type[Model]) -> int:
    """How many rows a table had when PostgreSQL last looked; nothing for one it never saw."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = %s::regclass",
            [model._meta.db_table],
        )
        return int(cursor.fetchone()[0])


class FromBothEnds(Paginator):
    """Pages of the second half are counted from the end.

    PostgreSQL walks past every row before an OFFSET: a page near the end of a million rows is
    read backwards instead. The list's order ends in its key, so that both ways agree. `most`: no
    more rows are counted or shown. `about`: the number of rows as estimated, which is not counted
    then; pages of either half hold the rows of their place from their own end.
    """

    def __init__(
        self, *args: Any, most: int | None = None, about: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.most = most
        self.about = about

    @cached_property
    def count(self) -> int:
        if self.about is not None:
            return self.about
        return super().count if self.most is None else min(self._found, self.most)

    @property
    def has_more(self) -> bool:
        """Whether there are rows beyond the last page."""
        return self.most is not None and self._found > self.most

    @cached_property
    def _found(self) -> int:
        rows: Any = self.object_list  # in any order: to sort them, all would have to be found
        return int(rows.order_by()[: (self.most or 0) + 1].count())

    def page(self, number: Any) -> Page:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        last = min(first + self.per_page, self.count)
        rows = self.object_list
        if (
            not isinstance(rows, QuerySet)
            or not rows.ordered
            or first <= self.count // 2
            or self.has_more
        ):
            return super().page(number)
        backwards = list(rows.reverse()[self.count - last : self.count - first])
        return Page(backwards[::-1], number, self)


class UpToTheLastPage(ChangeList):
    """A page past the end is the last one.

    Django leads such an address to the first page of everything, without what was searched or
    chosen: a list gets shorter while people work through it.
    """

    def get_results(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)
        except IncorrectLookupParameters:
            self.page_num = self.model_admin.get_paginator(
                request, self.queryset, self.list_per_page
            ).num_pages
            super().get_results(request)
