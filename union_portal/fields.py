"""Columns for fen, for states and for sealed personal data."""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import FieldError
from django.db import models
from django.db.models import signals
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from union_portal.kit.crypto import Keyring


@cache
def keyring() -> Keyring:
    """The keys of this process, read once from the settings."""
    return Keyring.from_config(settings.PORTAL_KEYRING, index_key=settings.PORTAL_INDEX_KEY)


class FenField(models.BigIntegerField):
    """An amount in integer fen (1 yuan = 100 fen)."""

    description = "Amount in fen"


class StateField(models.CharField):
    """A lifecycle's state. Only `union_portal.lifecycle` writes it after birth."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not args:
            kwargs.setdefault("verbose_name", _("state"))
        kwargs.setdefault("max_length", 24)
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)


class NullOnly(Exact):
    """Equality with None, which becomes IS NULL, and with nothing else."""

    def get_prep_lookup(self) -> Any:
        if self.rhs is not None:
            raise FieldError("a sealed column is found by its blind index only")
        return None


class SealedTextField(models.BinaryField):
    """Text encrypted at rest; `kind` binds the ciphertext to one sort of datum.

    The same kind in two tables may be copied by SQL; a phone can't be read as an account.
    Empty text is stored as NULL.
    """

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        self.kind = kind
        kwargs.setdefault("editable", True)
        kwargs.setdefault("null", True)
        kwargs.setdefault("blank", True)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.update(kind=self.kind, null=self.null)  # Django leaves out what is its default
        return name, path, args, kwargs

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> str | None:
        return None if value is None else keyring().open(self.kind, bytes(value))

    def to_python(self, value: Any) -> Any:
        return value

    def get_prep_value(self, value: Any) -> Any:
        if value is None or value == "":
            return None
        return keyring().seal(self.kind, value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if not prepared:
            value = self.get_prep_value(value)
        return None if value is None else connection.Database.Binary(value)

    def get_lookup(self, lookup_name: str) -> Any:
        """Only NULL can be asked for: two seals of one text differ. Ask the blind index."""
        known = {"exact": NullOnly, "isnull": super().get_lookup("isnull")}
        return known.get(lookup_name)

    def value_to_string(self, obj: models.Model) -> str:
        return ""  # never serialised: dumps hold no personal data


class BlindIndexField(models.CharField):
    """Keyed fingerprint of a sealed column: equality look-up and uniqueness only.

    It follows its `source` attribute on every save; writers that go round `save()` call
    `fingerprint()`. A partial save that names the source but not the index is an error.
    """

    def __init__(self, *args: Any, source: str, kind: str, **kwargs: Any) -> None:
        self.source, self.kind = source, kind
        kwargs.setdefault("max_length", 64)
        kwargs.setdefault("editable", False)
        kwargs.setdefault("null", True)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.update(source=self.source, kind=self.kind, null=self.null)
        return name, path, args, kwargs

    def contribute_to_class(
        self, cls: type[models.Model], name: str, private_only: bool = False
    ) -> None:
        super().contribute_to_class(cls, name, private_only)
        if not cls._meta.abstract:
            signals.pre_save.connect(self._refuse_half_saves, sender=cls, weak=False)

    def _refuse_half_saves(self, update_fields: Collection[str] | None, **kwargs: Any) -> None:
        named = update_fields or ()
        if self.source in named and self.name not in named:
            raise ValueError(f"update_fields names {self.source}: name {self.name} with it")

    def pre_save(self, model_instance: models.Model, add: bool) -> str | None:
        text = getattr(model_instance, self.source)
        value = fingerprint(self.kind, text) if text else None
        setattr(model_instance, self.attname, value)
        return value


def fingerprint(kind: str, text: str) -> str:
    """The blind index of a normalised text."""
    return keyring().fingerprint(kind, text)


def sealed_columns(model: type[models.Model]) -> list[SealedTextField]:
    """The encrypted columns of a model (for key rotation and the log scrubber)."""
    return [field for field in model._meta.local_fields if isinstance(field, SealedTextField)]
