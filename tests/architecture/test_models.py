"""What every model keeps to."""

from django.apps import apps
from django.db.models import Model

from tests.architecture.sources import APPS


def ours() -> list[type[Model]]:
    return [model for model in apps.get_models() if model.__module__.split(".")[0] in APPS]


def test_rows_are_ordered_by_columns_of_their_own_table():
    """An order that follows a foreign key joins: whoever is not shown the other row loses this one.

    The name of a foreign key stands for the other model's order, the name of its column does not.
    """
    joined = [
        f"{model._meta.label}: {name}"
        for model in ours()
        for name in model._meta.ordering
        if str(name).lstrip("-") not in {field.attname for field in model._meta.concrete_fields}
    ]
    assert joined == []
