"""What is sent and what is answered, field by field: these make the description of the API too.

What is sent is read strictly. An unknown field is refused rather than passed over, and a number
that comes as text is no number: whoever misspells a filter is told, instead of getting all rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework import serializers

from union_portal.models import OrganizationLevel

LARGEST: Final = 2**63 - 1
MOST: Final = 200
_PLAIN: Final = (
    (serializers.CharField, str),
    (serializers.BooleanField, bool),
    (serializers.IntegerField, int),
)


class Text(serializers.CharField):
    """Text as it was sent: what is too short without its spaces is told by the act itself."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **how})


class Sent(serializers.Serializer[Any]):
    """A JSON object that a caller sends."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            self._refuse_others(data)
        return super().to_internal_value(data)

    def _refuse_others(self, data: Mapping[str, Any]) -> None:
        faults: dict[str, list[serializers.ErrorDetail]] = {}
        for name, value in data.items():
            field = self.fields.get(name)
            if field is None:
                faults[name] = [_fault(_("There is no such field."), "unknown")]
            elif value is not None and not self._is_plain(field, value):
                faults[name] = [_fault(_("This is of another kind."), "kind")]
        if faults:
            raise serializers.ValidationError(faults)

    def _is_plain(self, field: Any, value: Any) -> bool:
        """Whether the value is of the field's own kind in JSON."""
        kind = next((plain for of, plain in _PLAIN if isinstance(field, of)), None)
        if kind is int and isinstance(value, float):
            return value.is_integer()  # JSON knows one kind of number: 2.0 is 2
        return kind is None or type(value) is kind


class Asked(Sent):
    """What stands behind the question mark: nothing, unless an endpoint says what."""

    @classmethod
    def read(cls, asked: QueryDict) -> dict[str, Any]:
        """What is asked. Errors: ValidationError, for what is asked twice as well."""
        if twice := [name for name, values in asked.lists() if len(values) > 1]:
            raise serializers.ValidationError(
                {name: [_fault(_("This is asked twice."), "twice")] for name in twice}
            )
        read = cls(data=asked.dict())
        read.is_valid(raise_exception=True)
        return dict(read.validated_data)

    def _is_plain(self, field: Any, value: Any) -> bool:
        return True  # an address holds texts alone


class AskedList(Asked):
    """A list: how much of it, and from where on."""

    limit = serializers.IntegerField(
        min_value=1, max_value=MOST, required=False, help_text="Rows of a page; 50 if left out."
    )
    cursor = Text(
        max_length=300, required=False, help_text="From “next” or “previous” of another page."
    )


class Told(serializers.Serializer[Any]):
    """A JSON object that is answered."""


class UnionTold(Told):
    """A union as it is named beside other things."""

    id = serializers.IntegerField()
    name = serializers.CharField(style={"example": "驼城运输有限公司工会委员会"})


class UnionFull(UnionTold):
    short_name = serializers.CharField()
    level = serializers.ChoiceField(choices=OrganizationLevel.choices)
    level_text = serializers.CharField(
        source="get_level_display", style={"example": "city federation"}
    )
    division_code = serializers.CharField(help_text="GB/T 2260, six digits.")
    parent = serializers.IntegerField(source="parent_id", allow_null=True)  # type: ignore[assignment]


class Fault(Told):
    """One field that does not fit."""

    field = serializers.CharField(help_text="The way to it, parted by dots; empty for the whole.")
    code = serializers.CharField()
    detail = serializers.CharField()


class Problem(Told):
    """RFC 9457: what went wrong, for programs (`code`) and for people."""

    type = serializers.CharField(help_text="urn:union-portal:problem: and the code.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Never changes within v1.")
    detail = serializers.CharField(help_text="What happened, in the caller's language.")
    remedy = serializers.CharField(help_text="How to go on; may be empty.")
    request = serializers.CharField(help_text="Number of the call, to be told when asking us.")
    errors = Fault(many=True, required=False)  # type: ignore[assignment]


def page_of(shape: type[Told]) -> type[Told]:
    """A page of such rows, with the ways to the one before and the one after."""
    fields = {
        "next": serializers.CharField(allow_null=True, help_text="Address of the page after."),
        "previous": serializers.CharField(allow_null=True, help_text="… of the page before."),
        "results": shape(many=True),
    }
    return type(f"PageOf{shape.__name__}", (Told,), fields)


def row_number(*, required: bool = True) -> serializers.IntegerField:
    """The number of a row, as a field of what is sent or asked."""
    return serializers.IntegerField(min_value=1, max_value=LARGEST, required=required)


def _fault(text: str, code: str) -> serializers.ErrorDetail:
    return serializers.ErrorDetail(text, code=code)
