"""How staff pages write times, numbers and links, and name columns and filters."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode


def stamp(at: datetime | None) -> str:
    """A moment on the office's clock."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else "–"


def masked(last_four: str) -> str:
    """An account of which only the last four digits are known."""
    return f"************{last_four}"


def link(row: Model, text: Any = None) -> Any:
    """A link to the row's own staff page."""
    url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', url, row if text is None else text)


def list_url(model: type[Model], **conditions: Any) -> str:
    """The list of a kind, filtered."""
    page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{page}?{urlencode(conditions)}"


def column(name: str, label: Any) -> Any:
    """A field of the row under a translated label; moments on the office's clock."""

    @admin.display(description=label, ordering=name, empty_value="–")
    def shown(staff_page: Any, row: Any) -> Any:
        value = getattr(row, name)
        return stamp(value) if isinstance(value, datetime) else value

    return shown


def breakable(text: str) -> Any:
    """A long digest that may break anywhere, so that it fits a narrow screen."""
    return format_html('<span style="overflow-wrap: anywhere">{}</span>', text) if text else "–"


def titled(title: Any, kind: type[admin.FieldListFilter] = admin.RelatedFieldListFilter) -> Any:
    """A list filter under a translated title."""

    class Titled(kind):  # type: ignore[misc,valid-type]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = title

    return Titled
