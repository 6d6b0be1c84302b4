"""Pages of long lists: the last one costs what the first does."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet


class FromBothEnds(Paginator):
    """Pages of the second half are counted from the end.

    PostgreSQL walks past every row before an OFFSET: a page near the end of a million rows is
    read backwards instead. The list's order ends in its key, so that both ways agree.
    """

    def page(self, number: Any) -> Page:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        last = min(first + self.per_page, self.count)
        rows = self.object_list
        if not isinstance(rows, QuerySet) or not rows.ordered or first <= self.count // 2:
            return super().page(number)
        backwards = list(rows.reverse()[self.count - last : self.count - first])
        return Page(backwards[::-1], number, self)
