"""Examples of what is answered, made from the shapes themselves, so that they always fit.

A field says by `style={"example": …}` what it would be shown with; one that does not is shown with
what its kind or its name usually holds. Everybody in them is made up.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from rest_framework import serializers

DAY: Final = "2026-11-03"
INSTANT: Final = "2026-11-03T10:15:00+08:00"
NUMBER: Final = 17
# By the name of the field.
_WORDS: Final[dict[str, Any]] = {
    "name": "红石峡面馆",
    "name_en": "Noodles",
    "title": "羊肉面立减20元",
    "title_en": "20 yuan off noodles",
    "text": "凭会员服务卡享受优惠。",
    "terms": "每人每天一次。",
    "identity": "6108**********1234",
    "phone": "138****8000",
    "employer": "驼城运输",
    "division_code": "610802",
    "county": "榆阳区总工会",
    "address": "榆阳区北大街7号",
    "hours": "9:00–21:00",
    "hotline": "0912-95000",
    "introduction": "老字号面馆。",
    "short_name": "榆阳区",
    "code": "meals",
    "reference": "C00000017",
    "last_four": "4321",
    "place": "老街店",
    "offer": "羊肉面立减20元",
    "why_not": "",
    "words": "",
    "answer": "",
    "number": "R00000017",
    "next": "https://portal.example/api/v1/…?cursor=…",
    "previous": None,
}
_KINDS: Final = (
    (serializers.BooleanField, True),
    (serializers.IntegerField, NUMBER),
    (serializers.DateTimeField, INSTANT),
    (serializers.DateField, DAY),
)


def of(field: Any, name: str = "") -> Any:
    """What a field, or a whole shape, would be shown with."""
    match field:
        case serializers.ListSerializer() | serializers.ListField():
            return [of(field.child, name)]
        case serializers.Serializer():
            return {inner: of(one, inner) for inner, one in field.fields.items()}
    return field.style["example"] if "example" in field.style else _usual(field, name)


def _usual(field: Any, name: str) -> Any:
    match field:
        case serializers.ChoiceField():
            return next(iter(field.choices))
        case serializers.DecimalField():
            return str(Decimal("8.5").quantize(Decimal(1).scaleb(-(field.decimal_places or 0))))
    kind = next((value for of_kind, value in _KINDS if isinstance(field, of_kind)), None)
    return _WORDS.get(name, "…") if kind is None else kind
