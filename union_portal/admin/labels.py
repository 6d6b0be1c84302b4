"""Labels of fields in words: a model names its columns, staff read them in their language."""

from functools import cache
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.utils.translation import gettext_lazy, gettext_noop

# Names that Django makes and no other text of ours has: the catalogue finds them here.
NAMES = (
    gettext_noop("answered at"),
    gettext_noop("answered by"),
    gettext_noop("attempts"),
    gettext_noop("block"),
    gettext_noop("confirmed at"),
    gettext_noop("confirmed by"),
    gettext_noop("created at"),
    gettext_noop("detail"),
    gettext_noop("entered at"),
    gettext_noop("entries"),
    gettext_noop("filed at"),
    gettext_noop("finished at"),
    gettext_noop("granted by"),
    gettext_noop("organization"),
    gettext_noop("parent"),
    gettext_noop("prepared by"),
    gettext_noop("previous"),
    gettext_noop("published by"),
    gettext_noop("received by"),
    gettext_noop("request id"),
    gettext_noop("requested at"),
    gettext_noop("requested by"),
    gettext_noop("root"),
    gettext_noop("sha256"),
    gettext_noop("started at"),
    gettext_noop("subject id"),
    gettext_noop("subject type"),
)


def put_labels_into_words(model: type[Model]) -> None:
    """Translate the names that Django makes from attributes (`made_by` → "made by").

    Migrations don't see it: they ask for the name that the model itself was given.
    """
    for field in model._meta.fields:
        if field._verbose_name is None and isinstance(field.verbose_name, str):  # type: ignore[attr-defined]
            field.verbose_name = gettext_lazy(field.verbose_name)


@cache
def plain_column(name: str, field: Any) -> Any:
    """The column `name` as text, under the field's own label."""

    @admin.display(description=field.verbose_name, empty_value="–")
    def shown(row: Any) -> Any:
        return getattr(row, name)

    shown.__name__ = name
    return shown
