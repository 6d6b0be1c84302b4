"""Accounts and roles: who may log in, as what, for which union."""

import secrets
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from union_portal import access, accounts, factors, roles, sessions
from union_portal.access import Permission, Role
from union_portal.admin import desk
from union_portal.admin.buttons import Button
from union_portal.admin.fields import DateInput, ReasonForm, union_field
from union_portal.admin.pages import Fact, Panel, Told
from union_portal.admin.scoped import ScopedModelAdmin, reader
from union_portal.factors import has_second_factor
from union_portal.forms import ReadField
from union_portal.kit.names import read_name
from union_portal.models import Account, FactorReset, RoleAssignment
from union_portal.states import FactorResetState


class NewAccountForm(forms.Form):
    username = forms.RegexField(
        regex=r"^[a-z0-9._-]{3,60}$",
        label=_("Log-in name"),
        help_text=_("Three or more small letters, digits, dots or dashes."),
    )
    name = ReadField(reader=read_name, label=_("Name"), max_length=60)


def grant_form(account: Account, by: Account) -> type[forms.Form]:
    """The unions offered are those for which the administrator may grant."""

    class GrantForm(forms.Form):
        role = forms.ChoiceField(label=_("Role"), choices=Role.choices)
        organization = union_field(by, Permission.ROLE_GRANT)
        valid_from = forms.DateField(
            label=_("Valid from"),
            initial=timezone.localdate,
            widget=DateInput(),
        )
        valid_to = forms.DateField(
            label=_("Valid to"),
            required=False,
            initial=lambda: roles.longest_end(timezone.localdate()),
            help_text=_("The last day. Left empty, it is the longest time that is allowed."),
            widget=DateInput(),
        )

    return GrantForm


def _not_oneself(account: Account, by: Account) -> Any:
    return _("Nobody administers their own account.") if account.pk == by.pk else None


def _not_decided(reset: FactorReset, by: Account) -> Any:
    if reset.state != FactorResetState.ASKED:
        return _("It is decided already.")
    return _not_oneself(reset.account, by)


# No letters or digits that are mistaken for one another when read aloud.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def first_password() -> str:
    """A password to hand over in person, such as `kd3p-9fwa-h2mx-77qe`."""
    while True:
        groups = ("".join(secrets.choice(ALPHABET) for _letter in range(4)) for _group in range(4))
        password = "-".join(groups)
        if any(letter.isdigit() for letter in password):  # a third kind, for rules that count them
            return password


def _new_password(account: Account, by: Account) -> Told:
    password = first_password()
    accounts.set_password(account=account, password=password, by=by)
    return _told(account, password)


def _new_account(by: Account, data: dict[str, Any]) -> Told:
    password = first_password()
    return _told(accounts.create(by=by, password=password, **data), password)


def _told(account: Account, password: str) -> Told:
    """The first password is shown on this answer only and is stored nowhere."""
    sentence = gettext(
        "First password of “%(name)s”, shown this once: hand it over in person. It opens nothing"
        " any more after %(hours)s hours."
    )
    told = {"name": account.username, "hours": settings.FIRST_PASSWORD_HOURS}
    return Told(sentence % told, password)


class Used(admin.SimpleListFilter):
    """Accounts that nobody uses: to be closed."""

    title = _("use")
    parameter_name = "used"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("unused for %(days)s days") % {"days": settings.UNUSED_DAYS})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Account]) -> QuerySet[Account]:
        if self.value() != "no":
            return queryset
        return queryset.filter(pk__in=accounts.unused(now=timezone.now()).values("pk"))


class Ends(admin.SimpleListFilter):
    """Roles that end soon: to be granted again, or let go."""

    title = _("end")
    parameter_name = "ends"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("soon", _("within %(days)s days") % {"days": roles.SOON.days})]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[RoleAssignment]
    ) -> QuerySet[RoleAssignment]:
        if self.value() != "soon":
            return queryset
        soon = roles.ending(today=timezone.localdate()).order_by()
        return queryset.filter(pk__in=soon.values("pk"))


@admin.register(Account)
class AccountAdmin(ScopedModelAdmin):
    section = "system"
    icon = "badge"
    order = 10
    view_permissions = (Permission.ACCOUNT_MANAGE, Permission.ROLE_GRANT, Permission.AUDIT_VIEW)
    scope_path = None
    list_display = ("username", "name", "shown_roles", "is_active", "last_login")
    list_filter = ("is_active", "is_staff", Used, "roles__role")
    search_fields = ("username", "name")
    fields = ("username", "name", "is_active", "is_staff", "last_login", "created_at")
    readonly_fields = fields
    buttons = (
        Button(
            name="grant",
            label=_("Grant a role"),
            permission=Permission.ROLE_GRANT,
            act=lambda obj, by, data: (
                roles.grant(account=obj, by=by, **{**data, "role": Role(data["role"])}) and None
            ),
            explain=_("The role reaches the union and everything below it."),
            done=_("The role is granted."),
            why_not=_not_oneself,
            form_for=grant_form,
            reauth=True,
        ),
        Button(
            name="password",
            label=_("New first password"),
            permission=Permission.ACCOUNT_MANAGE,
            act=lambda obj, by, data: _new_password(obj, by),
            explain=_("The old password stops working. The second factor stays."),
            why_not=_not_oneself,
            reauth=True,
        ),
        Button(
            name="sessions",
            label=_("End all sessions"),
            permission=Permission.ACCOUNT_MANAGE,
            act=lambda obj, by, data: sessions.end_all(account=obj, by=by, **data) and None,
            explain=_("Whoever is logged in with it is logged out at once, in every browser."),
            done=_("All sessions have ended."),
            why_not=_not_oneself,
            form=ReasonForm,
            reauth=True,
        ),
        Button(
            name="factor",
            label=_("Second factor lost"),
            permission=Permission.ACCOUNT_MANAGE,
            act=lambda obj, by, data: factors.ask_reset(account=obj, by=by, **data) and None,
            explain=_(
                "See the owner in person first. The security administrator carries it out:"
                " it takes two."
            ),
            done=_("The reset is asked for; the security administrator carries it out."),
            why_not=_not_oneself,
            form=ReasonForm,
            reauth=True,
        ),
        Button(
            name="close",
            label=_("Close the account"),
            permission=Permission.ACCOUNT_MANAGE,
            act=lambda obj, by, data: accounts.lock(account=obj, by=by, **data),
            explain=_("Nobody can log in with it any more. Its history stays."),
            why_not=lambda obj, by: (
                _not_oneself(obj, by) or (None if obj.is_active else _("It is closed already."))
            ),
            form=ReasonForm,
            danger=True,
            reauth=True,
        ),
        Button(
            name="open",
            label=_("Open again"),
            permission=Permission.ACCOUNT_MANAGE,
            act=lambda obj, by, data: accounts.unlock(account=obj, by=by, **data),
            explain=_("The account can log in again with the roles it holds."),
            why_not=lambda obj, by: (
                _not_oneself(obj, by) or (_("It is open.") if obj.is_active else None)
            ),
            form=ReasonForm,
            reauth=True,
        ),
    )
    list_buttons = (
        Button(
            name="new",
            label=_("New staff account"),
            permission=Permission.ACCOUNT_MANAGE,
            act=lambda obj, by, data: _new_account(by, data),
            explain=_("The account has no role yet: the security administrator grants them."),
            form=NewAccountForm,
            reauth=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        held = RoleAssignment.objects.select_related("organization")
        return super().get_queryset(request).prefetch_related(Prefetch("roles", held))

    @admin.display(description=_("roles"))
    def shown_roles(self, account: Account) -> str:
        held = [f"{role.get_role_display()} ({role.organization})" for role in account.roles.all()]
        return "; ".join(held) or "–"

    def facts(self, request: HttpRequest, obj: Account) -> list[Fact]:
        has = has_second_factor(obj)
        needs = access.needs_second_factor(obj)
        tone = "good" if has else ("bad" if needs else "wait")
        told = gettext("set up") if has else gettext("not set up")
        logged_in = len(sessions.open_sessions(obj))
        return [Fact(_("Second factor"), told, tone), Fact(_("Open sessions"), logged_in)]

    def panels(self, request: HttpRequest, obj: Account) -> list[Panel]:
        rows = [
            (
                role.get_role_display(),
                role.organization,
                role.valid_from,
                role.valid_to or "–",
                self._end_link(request, role),
            )
            for role in obj.roles.all()
        ]
        columns = (_("Role"), _("Union"), _("Valid from"), _("Valid to"), _("To do"))
        return [Panel(_("Roles"), columns, rows, note=self._pairs_note())]

    def _end_link(self, request: HttpRequest, role: RoleAssignment) -> Any:
        if not access.may(reader(request), Permission.ROLE_GRANT, role.organization):
            return ""
        url = reverse("admin:union_portal_roleassignment_do", args=[role.pk, "end"])
        return format_html('<a href="{}">{}</a>', url, gettext("End"))

    def _pairs_note(self) -> str:
        return gettext(
            "Not held together: who decides on people and who moves the money; any two of"
            " maker, checker and releaser; who watches or administers and anything else."
        )


@admin.register(RoleAssignment)
class RoleAssignmentAdmin(ScopedModelAdmin):
    section = "system"
    icon = "key"
    order = 20
    view_permissions = (Permission.ROLE_GRANT, Permission.AUDIT_VIEW)
    list_display = ("account", "role", "organization", "valid_from", "valid_to", "granted_by")
    list_filter = (Ends, "role")
    list_select_related = ("account", "organization", "granted_by")
    search_fields = ("account__username", "account__name", "organization__name")
    fields = ("account", "role", "organization", "valid_from", "valid_to", "granted_by")
    readonly_fields = fields
    shows_trail = False
    buttons = (
        Button(
            name="end",
            label=_("End the role"),
            permission=Permission.ROLE_GRANT,
            act=lambda obj, by, data: roles.end(
                assignment=obj, by=by, today=timezone.localdate(), **data
            ),
            explain=_("It stops today; what was done with it stays."),
            done=_("The role has ended."),
            why_not=lambda obj, by: (
                _("It has ended already.")
                if obj.valid_to and obj.valid_to < timezone.localdate()
                else None
            ),
            form=ReasonForm,
            danger=True,
            reauth=True,
        ),
    )


@admin.register(FactorReset)
class FactorResetAdmin(ScopedModelAdmin):
    """One asks, another carries it out."""

    section = "system"
    icon = "lock_reset"
    order = 30
    view_permissions = (Permission.ACCOUNT_MANAGE, Permission.ROLE_GRANT, Permission.AUDIT_VIEW)
    scope_path = None
    list_display = ("account", "state", "reason", "asked_by", "asked_at", "decided_by")
    list_filter = ("state",)
    list_select_related = ("account", "asked_by", "decided_by")
    search_fields = ("account__username", "account__name")
    fields = ("account", "state", "reason", "asked_by", "asked_at", "decided_by", "decided_at")
    readonly_fields = fields
    empty_hint = _("The account administrator asks on the page of an account.")
    buttons = (
        Button(
            name="carry-out",
            label=_("Take the second factor off"),
            permission=Permission.ROLE_GRANT,
            act=lambda obj, by, data: factors.carry_out(reset=obj, by=by, now=timezone.now()),
            explain=_(
                "App, passkeys and recovery codes go, and every session ends. At the next log-in"
                " the password is enough until a new factor is set up: that comes first."
            ),
            done=_("The second factor is off."),
            why_not=_not_decided,
            danger=True,
            reauth=True,
        ),
        Button(
            name="refuse",
            label=pgettext_lazy("a wish", "Refuse"),
            permission=Permission.ROLE_GRANT,
            act=lambda obj, by, data: factors.refuse(reset=obj, by=by, now=timezone.now(), **data),
            explain=_("The second factor stays as it is."),
            why_not=_not_decided,
            form=ReasonForm,
            reauth=True,
        ),
    )


def _ends_for_me(account: Account) -> str:
    """To the holder: until when the rights last that they work with."""
    mine = roles.ending(today=timezone.localdate()).filter(account=account).first()
    if mine is None:
        return ""
    return gettext("Your role “%(role)s” ends on %(day)s. Who grants roles can grant it again.") % {
        "role": mine.get_role_display(),
        "day": mine.valid_to,
    }


desk.add_queue(
    desk.Queue(
        "roles-ending",
        _("Roles that end within 30 days"),
        Permission.ROLE_GRANT,
        RoleAssignment,
        lambda account: roles.ending(today=timezone.localdate()),
        icon="key",
    ),
    desk.Queue(
        "factor-resets",
        _("Second factors to take off"),
        Permission.ROLE_GRANT,
        FactorReset,
        lambda account: FactorReset.objects.filter(state=FactorResetState.ASKED),
        icon="lock_reset",
    ),
    desk.Queue(
        "unused-accounts",
        _("Accounts that nobody uses"),
        Permission.ACCOUNT_MANAGE,
        Account,
        lambda account: accounts.unused(now=timezone.now()),
        icon="badge",
    ),
)
desk.add_caution(desk.Caution(permissions=(Permission.STAFF_SITE,), text=_ends_for_me))
