"""Bank accounts: entered by one, confirmed by another who sees the cautions."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members import queries
from members.actions import bank_accounts
from members.models import BankAccount
from members.states import BankAccountState
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, every, not_by, only_in
from union_portal.admin.fields import ReasonForm
from union_portal.admin.pages import Fact, Told
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.models import Account


def cautions_of(account: BankAccount) -> list[str]:
    judged = queries.with_cautions(BankAccount.objects.filter(pk=account.pk)).get()
    return queries.cautions(judged)


def _shown_owner(account: BankAccount) -> str:
    if account.person is None:
        return str(account.owner)
    return f"{account.person} · {account.person.national_id_shown}"


def _facts(account: BankAccount, by: Account) -> list[tuple[Any, Any]]:
    found = cautions_of(account)
    told = format_html_join("", "<p>{}</p>", ((text,) for text in found)) if found else _("none")
    return [
        (_("Person"), _shown_owner(account)),
        (_("Account holder"), account.holder),
        (_("Account"), f"{account.bank_name} ************{account.last_four}"),
        (_("Entered by"), account.entered_by),
        (_("Cautions"), told),
    ]


def _unmask(account: BankAccount, by: Account, data: dict[str, Any]) -> Told:
    number = bank_accounts.unmask(account=account, by=by, **data)
    return Told(_("Shown once and logged; the person can see who looked and why."), number)


class ConfirmAllForm(forms.Form):
    with_cautioned = forms.BooleanField(
        label=_("Also those with a caution: I have read the list of cautions"), required=False
    )


def _confirm_all(obj: None, by: Account, data: dict[str, Any]) -> Told:
    done = bank_accounts.confirm_set(
        accounts=BankAccount.objects.all(), by=by, now=timezone.now(), **data
    )
    left = gettext(
        "Left: %(own)s entered by yourself, %(rivals)s of people with several proposals,"
        " %(cautioned)s with a caution."
    ) % {
        "own": done.left_own,
        "rivals": done.left_rivals,
        "cautioned": done.left_cautioned,
    }
    return Told(left, gettext("%(count)s accounts confirmed") % {"count": done.confirmed})


def _waiting_facts(obj: None, by: Account) -> list[tuple[Any, Any]]:
    waiting = queries.accounts_to_confirm(by)
    with_caution = sum(1 for judged in waiting[:5000] if queries.caution_codes(judged))
    return [(_("Waiting for you"), waiting.count()), (_("of these with a caution"), with_caution)]


@admin.register(BankAccount)
class BankAccountAdmin(ScopedModelAdmin):
    section = "people"
    icon = "account_balance"
    order = 20
    view_permissions = (
        Permission.ACCOUNT_NUMBER_CONFIRM,
        Permission.ACCOUNT_NUMBER_EDIT,
        Permission.BATCH_VIEW,
        Permission.TRAIL_VIEW,
    )
    scope_path = "person__organization__path"
    list_display = (
        "person",
        "shown_number",
        "bank_name",
        "holder",
        "entered_by",
        "entered_at",
        "state",
    )
    list_filter = ("state",)
    list_select_related = ("person__organization", "entered_by")
    search_fields = ("person__name__startswith", "=last_four")
    fields = (
        "person_link",
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
    list_buttons = (
        Button(
            name="confirm-all",
            label=_("Confirm all that wait"),
            permission=Permission.ACCOUNT_NUMBER_CONFIRM,
            act=_confirm_all,
            explain=_("Accounts you entered yourself are left out, whatever you tick."),
            facts=_waiting_facts,
            form=ConfirmAllForm,
            reauth=True,
        ),
    )
    buttons = (
        Button(
            name="confirm",
            label=_("Confirm"),
            permission=Permission.ACCOUNT_NUMBER_CONFIRM,
            act=lambda obj, by, data: bank_accounts.confirm(account=obj, by=by, now=timezone.now()),
            explain=_("From now on money may go to this account; an earlier one retires."),
            done=_("The account is confirmed."),
            why_not=every(
                only_in(BankAccountState.PROPOSED),
                not_by("entered_by", _("You entered it yourself: a colleague confirms it.")),
            ),
            facts=_facts,
            reauth=True,
        ),
        Button(
            name="reject",
            label=_("Reject"),
            permission=Permission.ACCOUNT_NUMBER_CONFIRM,
            act=lambda obj, by, data: bank_accounts.reject(account=obj, by=by, **data),
            explain=_("Whoever entered it sees the reason."),
            why_not=only_in(BankAccountState.PROPOSED),
            facts=_facts,
            form=ReasonForm,
            danger=True,
        ),
        Button(
            name="retire",
            label=_("Stop paying to it"),
            permission=Permission.ACCOUNT_NUMBER_CONFIRM,
            act=lambda obj, by, data: bank_accounts.retire(account=obj, by=by, **data),
            explain=_("For instance because the bank closed it. Nothing goes there any more."),
            why_not=only_in(BankAccountState.CONFIRMED),
            form=ReasonForm,
            danger=True,
        ),
        Button(
            name="unmask",
            label=_("Show the whole number"),
            permission=Permission.PERSON_UNMASK,
            act=_unmask,
            explain=_("The person sees that you looked, when, and the reason you give."),
            form=ReasonForm,
            reauth=True,
        ),
    )

    @admin.display(description=_("account number"))
    def shown_number(self, account: BankAccount) -> str:
        return f"************{account.last_four}"

    @admin.display(description=_("person"))
    def person_link(self, account: BankAccount) -> Any:
        url = reverse("admin:members_person_change", args=[account.person_id])
        return format_html('<a href="{}">{}</a>', url, _shown_owner(account))

    @admin.display(description=_("evidence"))
    def evidence_link(self, account: BankAccount) -> Any:
        if account.evidence_id is None:
            return "–"
        url = reverse("portal:file", args=[account.evidence_id])
        return format_html('<a href="{}">{}</a>', url, account.evidence)

    def facts(self, request: HttpRequest, obj: BankAccount) -> list[Fact]:
        found = cautions_of(obj) if obj.state == BankAccountState.PROPOSED else []
        return [Fact(_("Caution"), text, "bad") for text in found]


desk.add_queue(
    desk.Queue(
        "bank-accounts",
        _("Bank accounts to confirm"),
        Permission.ACCOUNT_NUMBER_CONFIRM,
        BankAccount,
        queries.accounts_to_confirm,
        icon="account_balance",
    )
)
