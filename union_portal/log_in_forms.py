"""The log-in form: a member's card and phone stand for the name."""

from typing import Any

from allauth.account.forms import LoginForm
from django.utils.translation import gettext_lazy as _


class LogInForm(LoginForm):
    """allauth's form, which says what may be typed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["login"]
        field.label = _("Log-in name, phone or service-card number")
        field.widget.attrs["placeholder"] = ""
        field.help_text = _("Members: a phone that several people share serves none of them.")
