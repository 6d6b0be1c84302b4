"""What hangs on a merchant: agreements, accounts, log-ins, shops."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from members.actions import agreements, merchant_accounts, merchant_logins, places
from members.admin.benefit_parts import county_of, link, paper_link, today
from members.admin.merchants import told_password
from members.forms_benefits import place_form
from members.models import MerchantAccount, MerchantAgreement, MerchantLogin, MerchantPlace
from members.queries import benefits as queries_benefits
from members.states import AgreementState, BankAccountState
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.accounts import first_password
from union_portal.admin.buttons import Button, Text, every, not_by, only_in
from union_portal.admin.fields import ReasonForm
from union_portal.admin.pages import Fact, Told
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.kit import regions
from union_portal.models import Account

_CONFIRM = Permission.ACCOUNT_NUMBER_CONFIRM


class EndsFilter(admin.SimpleListFilter):
    """Agreements that end soon or have ended, without a later one."""

    title = _("end")
    parameter_name = "ends"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("soon", _("within %(days)s days") % {"days": queries_benefits.ENDS_SOON.days})]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "soon":
            return rows
        ending = queries_benefits.ending_agreements(
            request.user,  # type: ignore[arg-type]
            today=today(),
            permission=Permission.BENEFIT_VIEW,
        )
        return rows.filter(pk__in=ending.order_by().values("pk"))


class OfMerchant(ScopedModelAdmin):
    """A row that hangs on a merchant and is reached as the merchant is."""

    section = "benefits"
    view_permissions: ClassVar[tuple[Permission, ...]] = (Permission.BENEFIT_VIEW,)
    scope_path = "merchant__organization__path"
    empty_hint = _("They are entered on the page of a merchant.")

    @admin.display(description=_("merchant"))
    def merchant_link(self, row: Any) -> Any:
        return link(row.merchant)


@admin.register(MerchantAgreement)
class MerchantAgreementAdmin(OfMerchant):
    icon = "contract"
    order = 20
    list_display = ("number", "merchant", "valid_from", "valid_to", "entered_by", "state")
    list_filter = ("state", EndsFilter)
    list_select_related = ("merchant__organization", "entered_by")
    search_fields = ("number", "merchant__name")
    fields = (
        "number",
        "merchant_link",
        "signed_on",
        "valid_from",
        "valid_to",
        "tender",
        "document_link",
        "entered_by",
        "entered_at",
        "confirmed_by",
        "confirmed_at",
        "terminated_on",
        "reason",
        "state",
    )
    readonly_fields = fields
    buttons = (
        Button(
            name="confirm",
            label=_("Confirm"),
            permission=Permission.MERCHANT_APPROVE,
            act=lambda obj, by, data: agreements.confirm(agreement=obj, by=by, now=timezone.now()),
            explain=_("You have compared it with the signed paper. It is not edited afterwards."),
            done=_("The agreement is confirmed."),
            why_not=every(
                only_in(AgreementState.ENTERED),
                not_by("entered_by", _("You entered it yourself: a colleague confirms it.")),
            ),
            facts=lambda obj, by: [
                (_("Merchant"), obj.merchant),
                (_("Valid from"), obj.valid_from),
                (_("Valid to"), obj.valid_to),
            ],
        ),
        Button(
            name="reject",
            label=_("Reject"),
            permission=Permission.MERCHANT_APPROVE,
            act=lambda obj, by, data: agreements.reject(agreement=obj, by=by, **data),
            explain=_("Whoever entered it sees the reason."),
            why_not=only_in(AgreementState.ENTERED),
            form=ReasonForm,
            danger=True,
        ),
        Button(
            name="terminate",
            label=_("Terminate"),
            permission=Permission.MERCHANT_APPROVE,
            act=lambda obj, by, data: agreements.terminate(
                agreement=obj, by=by, today=today(), **data
            ),
            explain=_("From today on nothing is honoured under it."),
            why_not=only_in(AgreementState.CONFIRMED),
            form=ReasonForm,
            danger=True,
        ),
    )

    @admin.display(description=_("document"))
    def document_link(self, agreement: MerchantAgreement) -> Any:
        return paper_link(agreement.document)

    def facts(self, request: HttpRequest, obj: MerchantAgreement) -> list[Fact]:
        holds = obj.state == AgreementState.CONFIRMED
        if holds and obj.valid_to < today():
            return [Fact(_("State"), _("has ended"), "bad")]
        if holds and obj.valid_to <= today() + queries_benefits.ENDS_SOON:
            return [Fact(_("State"), _("ends soon"), "wait")]
        return [Fact(_("State"), obj.get_state_display(), "good" if holds else "wait")]


def _unmask(account: MerchantAccount, by: Account, data: dict[str, Any]) -> Told:
    number = merchant_accounts.unmask(account=account, by=by, **data)
    return Told(_("Shown once and logged."), number)


def _account_facts(account: MerchantAccount, by: Account) -> list[tuple[Any, Any]]:
    return [
        (_("Merchant"), account.merchant),
        (_("Account holder"), account.holder),
        (_("Account"), account),
        (_("Entered by"), account.entered_by),
        (_("Reason"), account.reason or "–"),
    ]


@admin.register(MerchantAccount)
class MerchantAccountAdmin(OfMerchant):
    icon = "account_balance"
    order = 60
    view_permissions = (Permission.BENEFIT_VIEW, _CONFIRM)
    list_display = ("merchant", "shown_number", "bank_name", "holder", "entered_by", "state")
    list_filter = ("state",)
    list_select_related = ("merchant__organization", "entered_by")
    search_fields = ("merchant__name", "=last_four")
    fields = (
        "merchant",
        "shown_number",
        "bank_name",
        "bank_code",
        "holder",
        "reason",
        "evidence_link",
        "entered_by",
        "entered_at",
        "confirmed_by",
        "confirmed_at",
        "state",
    )
    readonly_fields = fields
    buttons = (
        Button(
            name="confirm",
            label=_("Confirm"),
            permission=_CONFIRM,
            act=lambda obj, by, data: merchant_accounts.confirm(
                account=obj, by=by, now=timezone.now()
            ),
            explain=_("From now on statements may be settled to it; an earlier one retires."),
            done=_("The account is confirmed."),
            why_not=every(
                only_in(BankAccountState.PROPOSED),
                not_by("entered_by", _("You entered it yourself: a colleague confirms it.")),
            ),
            facts=_account_facts,
        ),
        Button(
            name="reject",
            label=_("Reject"),
            permission=_CONFIRM,
            act=lambda obj, by, data: merchant_accounts.reject(account=obj, by=by, **data),
            explain=_("Whoever entered it sees the reason."),
            why_not=only_in(BankAccountState.PROPOSED),
            facts=_account_facts,
            form=ReasonForm,
            danger=True,
        ),
        Button(
            name="retire",
            label=_("Stop settling to it"),
            permission=_CONFIRM,
            act=lambda obj, by, data: merchant_accounts.retire(account=obj, by=by, **data),
            explain=_("For instance because the bank closed it. Nothing goes there any more."),
            why_not=only_in(BankAccountState.CONFIRMED),
            form=ReasonForm,
            danger=True,
        ),
        Button(
            name="unmask",
            label=_("Show the whole number"),
            permission=_CONFIRM,
            act=_unmask,
            explain=_("To compare it with the evidence. That you looked stays in the log."),
            form=ReasonForm,
        ),
    )

    @admin.display(description=_("account number"))
    def shown_number(self, account: MerchantAccount) -> str:
        return f"************{account.last_four}"

    @admin.display(description=_("evidence"))
    def evidence_link(self, account: MerchantAccount) -> Any:
        return paper_link(account.evidence)


def _renew(login: MerchantLogin, by: Account, data: dict[str, Any]) -> Told:
    password = first_password()
    merchant_logins.renew(login=login, password=password, by=by)
    return told_password(login.account, password)


def _is_live(login: MerchantLogin, by: Account) -> Text | None:
    return _("This log-in has ended.") if login.ended_at else None


@admin.register(MerchantLogin)
class MerchantLoginAdmin(OfMerchant):
    icon = "point_of_sale"
    order = 50
    list_display = ("account", "merchant", "place", "given_by", "given_at", "ended_at")
    list_filter = (("ended_at", admin.EmptyFieldListFilter),)
    list_select_related = ("account", "merchant__organization", "place", "given_by")
    search_fields = ("account__username", "merchant__name")
    fields = ("shown_account", "merchant_link", "place", "given_by", "given_at", "ended_at")
    readonly_fields = fields
    buttons = (
        Button(
            name="renew",
            label=_("New first password"),
            permission=Permission.MERCHANT_EDIT,
            act=_renew,
            explain=_("The one before opens nothing any more; whoever is logged in is out."),
            why_not=_is_live,
            reauth=True,
        ),
        Button(
            name="end",
            label=_("Close the log-in"),
            permission=Permission.MERCHANT_EDIT,
            act=lambda obj, by, data: merchant_logins.end(
                login=obj, by=by, now=timezone.now(), **data
            ),
            explain=_("For instance because somebody left. It opens nothing from this moment."),
            why_not=_is_live,
            form=ReasonForm,
            danger=True,
        ),
    )

    @admin.display(description=_("account"))
    def shown_account(self, login: MerchantLogin) -> str:
        return f"{login.account} ({login.account.username})"


class CountyFilter(admin.SimpleListFilter):
    """Shops by the county they stand in."""

    title = _("County")
    parameter_name = "division"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        codes = (
            model_admin.get_queryset(request)
            .order_by("division_code")
            .values_list("division_code", flat=True)
        )
        return [(code, gettext(regions.division_name(code))) for code in codes.distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() is None else queryset.filter(division_code=self.value())


@admin.register(MerchantPlace)
class MerchantPlaceAdmin(OfMerchant):
    icon = "location_on"
    order = 40
    list_display = ("name", "merchant", "address", "shown_county", "hours", "is_active")
    list_filter = ("is_active", CountyFilter)
    list_select_related = ("merchant__organization",)
    search_fields = ("name", "address", "merchant__name")
    fields = (
        "name",
        "merchant_link",
        "address",
        "shown_county",
        "latitude",
        "longitude",
        "phone",
        "hours",
        "is_active",
    )
    readonly_fields = fields
    buttons = (
        Button(
            name="change",
            label=_("Correct"),
            permission=Permission.MERCHANT_EDIT,
            act=lambda obj, by, data: places.change(place=obj, by=by, **data),
            explain=_("Members see the change at once."),
            form_for=lambda obj, by: place_form(obj),
        ),
        Button(
            name="close",
            label=_("Take off the map"),
            permission=Permission.MERCHANT_EDIT,
            act=lambda obj, by, data: places.set_open(place=obj, is_open=False, by=by),
            explain=_("The shop has closed: it stands on no map and no list any more."),
            why_not=lambda obj, by: None if obj.is_active else _("It is closed already."),
            danger=True,
        ),
        Button(
            name="open",
            label=_("Show again"),
            permission=Permission.MERCHANT_EDIT,
            act=lambda obj, by, data: places.set_open(place=obj, is_open=True, by=by),
            explain=_("The shop stands on map and list again."),
            why_not=lambda obj, by: _("It is shown.") if obj.is_active else None,
        ),
    )

    @admin.display(description=_("County"), ordering="division_code")
    def shown_county(self, place: MerchantPlace) -> str:
        return county_of(place)


def _ending_text(account: Account) -> str:
    count = queries_benefits.ending_agreements(account, today=today()).count()
    if not count:
        return ""
    return ngettext(
        "The agreement with %(count)s merchant ends within %(days)s days or has ended: from then"
        " on nothing of it is honoured.",
        "The agreements with %(count)s merchants end within %(days)s days or have ended: from"
        " then on nothing of them is honoured.",
        count,
    ) % {"count": count, "days": queries_benefits.ENDS_SOON.days}


desk.add_caution(desk.Caution((Permission.MERCHANT_EDIT,), _ending_text))
desk.add_queue(
    desk.Queue(
        "agreements",
        _("Agreements to confirm"),
        Permission.MERCHANT_APPROVE,
        MerchantAgreement,
        queries_benefits.agreements_to_confirm,
        icon="contract",
    ),
    desk.Queue(
        "agreements-ending",
        _("Agreements that end soon"),
        Permission.MERCHANT_EDIT,
        MerchantAgreement,
        lambda account: queries_benefits.ending_agreements(account, today=today()),
        icon="event_busy",
    ),
    desk.Queue(
        "merchant-accounts",
        _("Accounts of merchants to confirm"),
        _CONFIRM,
        MerchantAccount,
        queries_benefits.accounts_to_confirm,
        icon="account_balance",
    ),
)
