"""How the finance pages write amounts, times, accounts, schemes and links."""

from typing import Any

from django.contrib import admin
from django.db.models import CharField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from union_portal.admin.filters import scheme_titles
from union_portal.admin.shown import breakable, column, link, list_url, masked, stamp, titled
from union_portal.kit import money
from union_portal.models import RuleSet

__all__ = [
    "breakable",
    "column",
    "link",
    "list_url",
    "masked",
    "scheme_title",
    "shown_state",
    "stamp",
    "titled",
    "with_scheme_title",
    "yuan",
]


def yuan(fen: int | None) -> str:
    """Fen as ¥1,234.50; nothing for nothing."""
    return "" if fen is None else money.shown(fen)


def scheme_title(scheme: str) -> str:
    """One scheme as people call it."""
    return scheme_titles().get(scheme, scheme)


def with_scheme_title(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Annotate `scheme_title`, so that a list needs no query for each row."""
    newest = RuleSet.objects.filter(scheme=OuterRef("scheme")).order_by("-version")
    return rows.annotate(
        scheme_title=Coalesce(
            Subquery(newest.values("title")[:1]), "scheme", output_field=CharField()
        )
    )


@admin.display(description=_("state"), ordering="state")
def shown_state(row: Any) -> Any:
    """The state of any row of the engine, as its name."""
    return row.get_state_display()
