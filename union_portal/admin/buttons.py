"""Buttons that call actions, and say why they are closed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from union_portal.access import FRESH_LOG_IN, Permission
from union_portal.models import Account

if TYPE_CHECKING:
    from union_portal.admin.pages import Panel

Text = str | Promise
# (row, who, what the form says, None where there is no form) -> where to go, or a message
Act = Callable[[Any, Account, dict[str, Any]], Any]
WhyNot = Callable[[Any, Account], Text | None]
Facts = Callable[[Any, Account], list[tuple[Text, Any]]]
Panels = Callable[[Any, Account], "list[Panel]"]
FormFor = Callable[[Any, Account], type[forms.Form]]
DONE = _("Done.")
MASKED = _("Everything within your reach as a sheet, masked; the export is logged.")


@dataclass(frozen=True)
class Button:
    """One action of a staff page.

    `why_not` returns the sentence that explains why the step is closed now, or None.
    `facts` are shown on the confirm page: totals, digest, what will happen; `panels` below them
    are what the act is judged by: a statement, a list of payees. `done` may be a function of
    the row, which it reads anew.
    """

    name: str
    label: Text
    permission: Permission
    act: Act
    explain: Text
    done: Text | Callable[[Any], Text] = DONE
    why_not: WhyNot = lambda obj, account: None
    facts: Facts = lambda obj, account: []
    panels: Panels = lambda obj, account: []
    form: type[forms.Form] | None = None
    form_for: FormFor | None = None
    # None: as its permission asks (access.FRESH_LOG_IN).
    reauth: bool | None = None
    danger: bool = False

    def said(self, obj: Any) -> str:
        """What is said once it is done; it may depend on what came of it."""
        return str(self.done(obj) if callable(self.done) else self.done)

    @property
    def asks_again(self) -> bool:
        """Whether it asks once more who it is."""
        return self.permission in FRESH_LOG_IN if self.reauth is None else self.reauth

    def offer(self, obj: Any, account: Account, url: str) -> Offer:
        return Offer(button=self, url=url, reason=self.why_not(obj, account))

    def form_class(self, obj: Any, account: Account) -> type[forms.Form]:
        if self.form_for is not None:
            return self.form_for(obj, account)
        return self.form or forms.Form


@dataclass(frozen=True)
class Offer:
    """A button as one reader sees it on one row."""

    button: Button
    url: str
    reason: Text | None

    @property
    def is_open(self) -> bool:
        return self.reason is None


def export_button(
    act: Act,
    *,
    explain: Text = MASKED,
    form: type[forms.Form] | None = None,
) -> Button:
    """The list within one's reach as a sheet; `act` takes no more of it, and logs the export."""
    return Button(
        name="export",
        label=_("Export"),
        permission=Permission.EXPORT,
        act=act,
        explain=explain,
        form=form,
        danger=True,
    )


def only_in(*states: str) -> WhyNot:
    """The step starts from one of these states."""

    def why_not(obj: Any, account: Account) -> Text | None:
        if obj.state in {str(state) for state in states}:
            return None
        return _("Not possible while it is “%(state)s”.") % {"state": obj.get_state_display()}

    return why_not


def every(*reasons: WhyNot) -> WhyNot:
    """The first reason that closes the step."""

    def why_not(obj: Any, account: Account) -> Text | None:
        return next((text for one in reasons if (text := one(obj, account))), None)

    return why_not


def not_by(field: str, sentence: Text) -> WhyNot:
    """Closed for the account named in `field` of the row (four eyes)."""

    def why_not(obj: Any, account: Account) -> Text | None:
        return sentence if getattr(obj, f"{field}_id") == account.pk else None

    return why_not
