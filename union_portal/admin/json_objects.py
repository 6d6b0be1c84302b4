"""Objects of JSON on staff pages: typed into a form, and shown in full."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _


class JsonObjectField(forms.CharField):
    """The text of an object; left empty where it may be, it is one without a key."""

    def __init__(self, *, rows: int, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": rows, "spellcheck": "false"})
        super().__init__(widget=widget, **kwargs)

    def clean(self, value: Any) -> dict[str, Any]:
        """Errors: ValidationError, with line and column of what is no JSON."""
        text = super().clean(value)
        try:
            read = json.loads(text or "{}")
        except json.JSONDecodeError as fault:
            raise ValidationError(
                _("This is not JSON: line %(line)s, column %(column)s.")
                % {"line": fault.lineno, "column": fault.colno}
            ) from fault
        except (RecursionError, ValueError) as fault:
            raise ValidationError(_("This is not JSON that can be read.")) from fault
        if not isinstance(read, dict):
            raise ValidationError(_("The definition is an object in braces."))
        return read


def written(held: dict[str, Any]) -> str:
    """The text of an object, as it is typed."""
    return json.dumps(held, ensure_ascii=False, indent=2)


def in_full(held: dict[str, Any]) -> SafeString:
    """The text of an object on a page."""
    return format_html('<pre class="st-scroll" tabindex="0">{}</pre>', written(held))
