"""Uses of offers for whoever looks after merchants: where, when and how much, never by whom."""

from datetime import timedelta

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, ngettext

from members.admin import use_table
from members.models import Redemption, WrongCode
from members.queries import uses as queries_uses
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.trail import name_acts
from union_portal.kit import money
from union_portal.models import Account

RECENT = timedelta(days=1)


@admin.register(Redemption)
class RedemptionAdmin(ScopedModelAdmin):
    """One use a row. Who used it is told to the member and to the auditor alone."""

    section = "benefits"
    icon = "redeem"
    order = 60
    view_permissions = (Permission.BENEFIT_VIEW,)
    scope_path = "merchant__organization__path"
    empty_hint = _("A use appears here when a merchant confirms a member's code at the till.")
    list_display = (
        "number",
        "offer_title",
        "merchant_name",
        "county",
        "subsidy",
        "redeemed_at",
        "state",
    )
    list_filter = ("state", ("redeemed_at", admin.DateFieldListFilter), "offer__category")
    list_select_related = ("offer", "merchant", "organization", "place")
    search_fields = ("offer__title__startswith", "merchant__name__startswith")
    fields = (
        "number",
        "offer_title",
        "revision",
        "merchant_name",
        "place_name",
        "county",
        "subsidy",
        "code_kind",
        "redeemed_at",
        "undone_at",
        "undone_reason",
        "state",
    )
    readonly_fields = fields
    list_before_template = "members/uses_head.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.summary)
        return [path("summary/", view, name="members_redemption_summary"), *super().get_urls()]

    def summary(self, request: HttpRequest) -> HttpResponseBase:
        """Use by county, category and month: drawn, listed, and as a sheet."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return use_table.as_sheet(request)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Use by county, category and month"),
            "back": reverse(self.url_name("changelist")),
            **use_table.shown(request),
        }
        return TemplateResponse(request, "members/uses_summary.html", context)

    @admin.display(description=_("number"), ordering="pk")
    def number(self, use: Redemption) -> str:
        return str(use)

    @admin.display(description=_("offer"), ordering="offer__title")
    def offer_title(self, use: Redemption) -> str:
        return str(use.offer)

    @admin.display(description=_("merchant"), ordering="merchant__name")
    def merchant_name(self, use: Redemption) -> str:
        return use.merchant.name

    @admin.display(description=_("place"), empty_value="–")
    def place_name(self, use: Redemption) -> str | None:
        return use.place.name if use.place else None

    @admin.display(description=_("union of the member"), ordering="organization__path")
    def county(self, use: Redemption) -> str:
        return use.organization.name

    @admin.display(description=_("subsidy"), ordering="subsidy_fen")
    def subsidy(self, use: Redemption) -> str:
        return money.shown(use.subsidy_fen)


@admin.register(WrongCode)
class WrongCodeAdmin(ScopedModelAdmin):
    """Codes of nobody, by till: a few are typing errors, many are guesses."""

    section = "benefits"
    icon = "gpp_maybe"
    order = 65
    view_permissions = (Permission.BENEFIT_VIEW,)
    scope_path = "login__merchant__organization__path"
    empty_hint = _("No till has typed a code that no card has.")
    list_display = ("merchant_name", "till", "typed_at")
    list_filter = (("typed_at", admin.DateFieldListFilter),)
    list_select_related = ("login__merchant__organization", "login__account", "login__place")
    search_fields = ("login__merchant__name__startswith",)
    fields = ("merchant_name", "till", "place_name", "typed_at")
    readonly_fields = fields

    @admin.display(description=_("merchant"), ordering="login__merchant__name")
    def merchant_name(self, wrong: WrongCode) -> str:
        return wrong.login.merchant.name

    @admin.display(description=_("till"))
    def till(self, wrong: WrongCode) -> str:
        return str(wrong.login.account)

    @admin.display(description=_("place"), empty_value="–")
    def place_name(self, wrong: WrongCode) -> str | None:
        return wrong.login.place.name if wrong.login.place else None


def _guesses(account: Account) -> str:
    """A sentence if tills typed wrong codes in numbers within the last day."""
    count = queries_uses.guessing_tills(account, since=timezone.now() - RECENT)
    if not count:
        return ""
    text = ngettext(
        "%(count)s till typed many codes today that no card has.",
        "%(count)s tills typed many codes today that no card has.",
        count,
    )
    return text % {"count": count}


def _wrong_codes(account: Account) -> QuerySet[WrongCode]:
    return queries_uses.wrong_codes_for(account, since=timezone.now() - RECENT)


desk.add_caution(desk.Caution((Permission.BENEFIT_VIEW,), _guesses))
desk.add_queue(
    desk.Queue(
        "wrong-codes",
        _("Wrong codes at tills, last day"),
        Permission.BENEFIT_VIEW,
        WrongCode,
        _wrong_codes,
        icon="gpp_maybe",
    )
)
name_acts(
    {
        "redemption.confirm": gettext_noop("Confirmed at the till"),
        "redemption.table": gettext_noop("Figures of uses taken out"),
        "till.waits": gettext_noop("A till typed too many wrong codes and waits"),
        "card.print_codes": gettext_noop("Codes printed"),
        "rating.give": gettext_noop("Rated by the member"),
    }
)
