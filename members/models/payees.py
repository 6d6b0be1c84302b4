"""Who is paid: a person, or a merchant. One number stands for either."""

from django.db import models
from django.db.models import F, Func
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _


def payee_field() -> models.GeneratedField:
    """A column to join by: the number of the person, or that of the merchant below zero."""
    return models.GeneratedField(
        expression=Coalesce(
            F("person_id"),
            Func(F("merchant_id"), template="(- %(expressions)s)"),
            output_field=models.BigIntegerField(),
        ),
        output_field=models.BigIntegerField(),
        db_persist=True,
        verbose_name=_("payee"),
    )


def one_payee(table: str) -> models.CheckConstraint:
    """A row is of a person or of a merchant, never of both or of nobody."""
    return models.CheckConstraint(
        condition=models.Q(person__isnull=False, merchant__isnull=True)
        | models.Q(person__isnull=True, merchant__isnull=False),
        name=f"{table}_of_one_payee",
    )
