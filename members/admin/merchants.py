"""Merchants: from the application to the last day, and everything that hangs on one."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from members import resources_benefits
from members.actions import (
    agreements,
    merchant_accounts,
    merchant_logins,
    merchants,
    offers,
    places,
)
from members.admin.benefit_parts import county_of, export_button, link, paper_link, today
from members.forms_benefits import (
    AgreementForm,
    MerchantForm,
    PlaceForm,
    describe_form,
    draft_of,
    merchant_account_form,
    offer_form,
    upload,
)
from members.models import Merchant, MerchantLogin, MerchantPlace
from members.queries import benefits as queries_benefits
from members.states import MerchantState
from union_portal import access
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.accounts import first_password
from union_portal.admin.buttons import Act, Button, every, not_by, only_in
from union_portal.admin.fields import ReasonForm, union_field
from union_portal.admin.pages import Fact, Panel, Told
from union_portal.admin.scoped import ScopedModelAdmin, reader
from union_portal.admin.trail import Step, trail_of
from union_portal.models import Account

ROWS_SHOWN = 50
_TAKEN_IN = (MerchantState.APPROVED, MerchantState.SUSPENDED)


def invite_form(obj: None, by: Account) -> type[forms.Form]:
    class InviteForm(MerchantForm):
        organization = union_field(by, Permission.MERCHANT_EDIT)

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.fields["licence"].required = False
            self.fields["licence"].help_text = _("Needed before the review.")

    return InviteForm


def login_form(merchant: Merchant, by: Account) -> type[forms.Form]:
    class LoginForm(forms.Form):
        username = forms.RegexField(
            regex=r"^[a-z0-9._-]{3,60}$",
            label=_("Log-in name"),
            help_text=_("Three or more small letters, digits, dots or dashes."),
        )
        name = forms.CharField(
            label=_("Shown as"), max_length=60, help_text=_("The till or the post, no person.")
        )
        place = forms.ModelChoiceField(
            label=_("Place"),
            queryset=MerchantPlace.objects.filter(merchant=merchant, is_active=True),
            required=False,
        )

    return LoginForm


def _invite(obj: None, by: Account, data: dict[str, Any]) -> str:
    made = merchants.invite(by=by, licence=upload(data.pop("licence")), **data)
    return reverse("admin:members_merchant_change", args=[made.pk])


def _describe(merchant: Merchant, by: Account, data: dict[str, Any]) -> None:
    merchants.describe(merchant=merchant, by=by, licence=upload(data.pop("licence")), **data)


def _agree(merchant: Merchant, by: Account, data: dict[str, Any]) -> None:
    paper = upload(data.pop("document"))
    agreements.enter(merchant=merchant, by=by, today=today(), document=paper, **data)


def _enter_account(merchant: Merchant, by: Account, data: dict[str, Any]) -> None:
    paper = upload(data.pop("evidence"))
    merchant_accounts.enter(merchant=merchant, by=by, evidence=paper, **data)


def _give_login(merchant: Merchant, by: Account, data: dict[str, Any]) -> Told:
    password = first_password()
    made = merchant_logins.give(merchant=merchant, by=by, password=password, **data)
    return told_password(made.account, password)


def told_password(account: Account, password: str) -> Told:
    """Shown on this answer only; it is stored nowhere."""
    sentence = gettext("First password of “%(name)s”, shown this once: hand it over in person.")
    return Told(sentence % {"name": account.username}, password)


def _draft_offer(merchant: Merchant, by: Account, data: dict[str, Any]) -> str:
    made = offers.draft(merchant=merchant, says=draft_of(data), by=by, today=today())
    return reverse("admin:members_benefitoffer_change", args=[made.pk])


def _unmask(merchant: Merchant, by: Account, data: dict[str, Any]) -> Told:
    number = merchants.unmask_phone(merchant=merchant, by=by, **data)
    return Told(_("The contact's phone number, shown this once."), number)


def _complaint_facts(merchant: Merchant, by: Account) -> list[tuple[Any, Any]]:
    return [
        (_("Open complaints"), merchant.complaints.filter(state="open").count()),
        (_("Published offers"), merchant.offers.filter(state="published").count()),
    ]


class HonouredFilter(admin.SimpleListFilter):
    """Whether something of the merchant can be used today."""

    title = _("honours the card today")
    parameter_name = "honours"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("yes")), ("no", _("no"))]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        honouring = queries_benefits.merchants_on(today()).values("pk")
        if self.value() == "yes":
            return rows.filter(pk__in=honouring)
        return rows.exclude(pk__in=honouring) if self.value() == "no" else rows


def _step(
    name: str, label: Any, permission: Permission, act: Act, explain: Any, *states: str, **more: Any
) -> Button:
    """A step of a merchant's life from some states."""
    settings: dict[str, Any] = {"why_not": only_in(*states), **more}
    return Button(
        name=name, label=label, permission=permission, act=act, explain=explain, **settings
    )


_EDIT, _APPROVE = Permission.MERCHANT_EDIT, Permission.MERCHANT_APPROVE


@admin.register(Merchant)
class MerchantAdmin(ScopedModelAdmin):
    section = "benefits"
    icon = "storefront"
    order = 10
    view_permissions = (Permission.BENEFIT_VIEW,)
    list_display = ("name", "category", "organization", "contact", "state", "entered_at")
    list_filter = ("state", HonouredFilter, "category", "category__need")
    list_select_related = ("category", "organization")
    search_fields = ("name", "=uscc", "pinyin__contains", "initials__startswith")
    fields = (
        "name",
        "uscc",
        "category",
        "organization",
        "introduction",
        "contact",
        "contact_phone_shown",
        "licence_link",
        "receipt",
        "entered_by",
        "entered_at",
        "reviewed_by",
        "reviewed_at",
        "approved_by",
        "approved_at",
        "reason",
        "state",
    )
    readonly_fields = fields
    empty_hint = _("Merchants apply on the public page, or you invite them with the button above.")
    list_buttons = (
        Button(
            name="invite",
            label=_("Invite a merchant"),
            permission=_EDIT,
            act=_invite,
            explain=_("Enter what is known; it is reviewed and approved like an application."),
            done=_("The merchant is entered. Review it next."),
            form_for=invite_form,
        ),
        export_button(resources_benefits.write_merchants, "merchants"),
    )
    buttons = (
        _step("review", _("Reviewed: it fits"), _EDIT,
              lambda obj, by, data: merchants.review(merchant=obj, by=by, now=timezone.now()),
              _("Licence, code and name belong together. Somebody else approves."),
              MerchantState.APPLIED, MerchantState.INVITED),
        _step("approve", _("Approve"), _APPROVE,
              lambda obj, by, data: merchants.approve(merchant=obj, by=by, now=timezone.now()),
              _("From its agreement's first day on, its published offers are honoured."),
              why_not=every(
                  only_in(MerchantState.REVIEWED),
                  not_by("reviewed_by", _("You reviewed it yourself: somebody else approves it.")),
              )),
        _step("agreement", _("Enter an agreement"), _EDIT, _agree,
              _("Nothing is honoured under it before a colleague has confirmed it."),
              MerchantState.REVIEWED, *_TAKEN_IN, form=AgreementForm,
              done=_("The agreement waits for confirmation by a colleague.")),
        _step("place", _("Add a shop"), _EDIT,
              lambda obj, by, data: places.add(merchant=obj, by=by, **data) and None,
              _("With its point on the map: members look for what is near."),
              MerchantState.APPLIED, MerchantState.INVITED, MerchantState.REVIEWED, *_TAKEN_IN,
              form=PlaceForm, done=_("The shop is added.")),
        _step("offer", _("Write an offer"), _EDIT, _draft_offer,
              _("A draft; a colleague publishes it."), MerchantState.APPROVED,
              form_for=lambda obj, by: offer_form(obj)),
        _step("login", _("Give a log-in"), _EDIT, _give_login,
              _("For a till: it opens the pages of this merchant and nothing else."),
              MerchantState.APPROVED, form_for=login_form),
        _step("account", _("Enter a bank account"), _EDIT, _enter_account,
              _("Statements are settled to it once a colleague has confirmed it."), *_TAKEN_IN,
              form_for=lambda obj, by: merchant_account_form(obj),
              done=_("The account waits for confirmation by a colleague.")),
        _step("describe", _("Correct the description"), _EDIT, _describe,
              _("The log keeps which columns were changed, never their values."),
              MerchantState.APPLIED, MerchantState.INVITED, MerchantState.REVIEWED, *_TAKEN_IN,
              form_for=lambda obj, by: describe_form(obj)),
        _step("unmask", _("Show the contact's phone"), _EDIT, _unmask,
              _("To call. That you looked, when and why stays in the log."),
              why_not=lambda obj, by: None, form=ReasonForm, reauth=True),
        _step("send-back", _("Give back to be completed"), _APPROVE,
              lambda obj, by, data: merchants.send_back(merchant=obj, by=by, **data),
              _("Whoever applied reads the reason."), MerchantState.REVIEWED, form=ReasonForm),
        _step("refuse", _("Refuse"), _EDIT,
              lambda obj, by, data: merchants.refuse(merchant=obj, by=by, **data),
              _("Whoever applied reads the reason."),
              MerchantState.APPLIED, MerchantState.INVITED, form=ReasonForm, danger=True),
        _step("turn-down", _("Turn down"), _APPROVE,
              lambda obj, by, data: merchants.refuse(merchant=obj, by=by, **data),
              _("Whoever applied reads the reason."),
              MerchantState.REVIEWED, form=ReasonForm, danger=True),
        _step("suspend", _("Suspend"), _EDIT,
              lambda obj, by, data: merchants.suspend(merchant=obj, by=by, **data),
              _("At once nothing of it is shown or honoured, until somebody lifts it."),
              MerchantState.APPROVED, form=ReasonForm, facts=_complaint_facts, danger=True),
        _step("lift", _("Lift the suspension"), _APPROVE,
              lambda obj, by, data: merchants.lift(merchant=obj, by=by, **data),
              _("Its published offers are honoured again."),
              MerchantState.SUSPENDED, form=ReasonForm, facts=_complaint_facts),
        _step("end", _("End for good"), _APPROVE,
              lambda obj, by, data: merchants.end(
                  merchant=obj, by=by, now=timezone.now(), **data
              ),
              _("Offers end, agreements are terminated, log-ins are closed. What was used is"
                " still settled."),
              *_TAKEN_IN, form=ReasonForm, facts=_complaint_facts, danger=True),
    )  # fmt: skip

    @admin.display(description=_("business licence"))
    def licence_link(self, merchant: Merchant) -> Any:
        return paper_link(merchant.licence)

    def get_search_help_text(self, request: HttpRequest) -> Any:
        return _("Name, pinyin, initials, or the whole credit code")

    def facts(self, request: HttpRequest, obj: Merchant) -> list[Fact]:
        honours = queries_benefits.merchants_on(today()).filter(pk=obj.pk).exists()
        waiting = obj.complaints.filter(state="open").count()
        facts = [
            Fact(_("State"), obj.get_state_display(), _TONES.get(obj.state, "wait")),
            Fact(
                _("Honours the card today"),
                _("yes") if honours else _("no"),
                "good" if honours else "bad",
            ),
        ]
        if access.may(reader(request), Permission.COMPLAINT_ANSWER, obj.organization):
            facts.append(Fact(_("Open complaints"), waiting, "bad" if waiting else ""))
        return facts

    def panels(self, request: HttpRequest, obj: Merchant) -> list[Panel]:
        return [_agreements(obj), _places(obj), _offers(obj), _logins(obj), _accounts(obj)]

    def trail(self, request: HttpRequest, obj: Merchant) -> list[Step]:
        return trail_of(obj, *obj.agreements.all(), *obj.bank_accounts.all(), *obj.logins.all())


_TONES: dict[str, str] = {
    MerchantState.APPROVED: "good",
    MerchantState.SUSPENDED: "bad",
    MerchantState.REFUSED: "bad",
    MerchantState.ENDED: "empty",
}


def _agreements(merchant: Merchant) -> Panel:
    rows = [
        (link(one), one.valid_from, one.valid_to, one.get_state_display())
        for one in merchant.agreements.all()
    ]
    return Panel(_("Agreements"), (_("Number"), _("Valid from"), _("Valid to"), _("State")), rows)


def _shop_state(place: MerchantPlace) -> Any:
    return pgettext("of a shop", "open") if place.is_active else pgettext("of a shop", "closed")


def _login_state(login: MerchantLogin) -> Any:
    return pgettext("of a log-in", "closed") if login.ended_at else pgettext("of a log-in", "open")


def _places(merchant: Merchant) -> Panel:
    rows = [
        (link(one), one.address, county_of(one), _shop_state(one))
        for one in merchant.places.all()[:ROWS_SHOWN]
    ]
    columns = (pgettext("of a thing", "Name"), _("Address"), _("County"), _("State"))
    return Panel(_("Shops"), columns, rows)


def _offers(merchant: Merchant) -> Panel:
    rows = [
        (link(one), one.get_kind_display(), one.used_count, one.get_state_display())
        for one in merchant.offers.all()[:ROWS_SHOWN]
    ]
    return Panel(_("Offers"), (_("Offer"), _("Kind"), _("Used"), _("State")), rows)


def _logins(merchant: Merchant) -> Panel:
    rows = [
        (link(one, one.account), one.place or "–", _login_state(one))
        for one in merchant.logins.select_related("account", "place")
    ]
    return Panel(_("Log-ins"), (_("Account"), _("Place"), _("State")), rows)


def _accounts(merchant: Merchant) -> Panel:
    rows = [
        (link(one), one.holder, one.get_state_display()) for one in merchant.bank_accounts.all()
    ]
    return Panel(_("Bank accounts"), (_("Account"), _("Holder"), _("State")), rows)


def _waiting(permission: Permission, *states: str) -> Callable[[Account], QuerySet[Merchant]]:
    return lambda account: queries_benefits.merchants_for(account, permission, *states)


desk.add_queue(
    desk.Queue(
        "merchant-reviews",
        _("Merchants to review"),
        _EDIT,
        Merchant,
        _waiting(_EDIT, MerchantState.APPLIED, MerchantState.INVITED),
        icon="storefront",
    ),
    desk.Queue(
        "merchant-approvals",
        _("Merchants to approve"),
        _APPROVE,
        Merchant,
        _waiting(_APPROVE, MerchantState.REVIEWED),
        icon="storefront",
    ),
)
desk.add_figure(
    desk.Figure(
        _("Merchants that honour the card today"),
        Permission.BENEFIT_VIEW,
        lambda account: str(queries_benefits.count_merchants(today())),
        lambda account: (
            gettext("%(count)s offers") % {"count": queries_benefits.count_offers(today())}
        ),
    )
)
