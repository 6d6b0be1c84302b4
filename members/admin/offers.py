"""Offers, the money of the year behind some of them, and the categories they stand in."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from members import resources_benefits
from members.actions import offers, programmes
from members.admin.benefit_parts import export_button, link, today, yuan_or_dash
from members.admin.merchant_papers import OfMerchant
from members.forms_benefits import (
    BudgetForm,
    NewCategoryForm,
    ProgrammeForm,
    category_form,
    draft_of,
    offer_form,
)
from members.models import BenefitCategory, BenefitOffer, BenefitProgramme
from members.queries import benefits as queries_benefits
from members.states import OfferState
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, every, not_by, only_in
from union_portal.admin.fields import ReasonForm
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.kit import money
from union_portal.models import Account

_EDIT, _PUBLISH = Permission.MERCHANT_EDIT, Permission.OFFER_PUBLISH


def _change(offer: BenefitOffer, by: Account, data: dict[str, Any]) -> None:
    offers.change(offer=offer, says=draft_of(data), by=by, today=today())


def _facts(offer: BenefitOffer, by: Account) -> list[tuple[Any, Any]]:
    told: list[tuple[Any, Any]] = [
        (_("Merchant"), offer.merchant),
        (_("Kind"), offer.get_kind_display()),
        (_("Terms"), offer.terms or "–"),
        (_("Valid from"), offer.valid_from),
        (_("Valid to"), offer.valid_to),
        (_("Revision"), offer.revision),
    ]
    if offer.programme is not None:
        most = (offer.quota_total or 0) * offer.subsidy_fen
        told += [
            (_("Subsidy for each use"), yuan_or_dash(offer.subsidy_fen)),
            (_("At most for all uses"), yuan_or_dash(most)),
            (
                _("Left of the budget"),
                yuan_or_dash(offer.programme.budget_fen - offer.programme.committed_fen),
            ),
        ]
    return told


@admin.register(BenefitOffer)
class BenefitOfferAdmin(OfMerchant):
    icon = "sell"
    order = 30
    list_display = (
        "title", "merchant", "category", "kind", "valid_from", "valid_to", "used", "state",
    )  # fmt: skip
    list_filter = ("state", "kind", "category", "programme")
    list_select_related = ("merchant__organization", "category")
    search_fields = ("title", "title_en", "merchant__name", "merchant__pinyin__contains")
    fields = (
        "title",
        "title_en",
        "merchant_link",
        "category",
        "text",
        "terms",
        "kind",
        "price",
        "discount",
        "programme",
        "subsidy",
        "valid_from",
        "valid_to",
        "quota_total",
        "quota_per_member",
        "used_count",
        "revision",
        "entered_by",
        "entered_at",
        "approved_by",
        "approved_at",
        "reason",
        "state",
    )
    readonly_fields = fields
    empty_hint = _("Offers are written on the page of a merchant, or by the merchant itself.")
    list_buttons = (export_button(resources_benefits.write_offers, "offers"),)
    buttons = (
        Button(
            name="publish",
            label=_("Publish"),
            permission=_PUBLISH,
            act=lambda obj, by, data: offers.publish(
                offer=obj, by=by, now=timezone.now(), today=today()
            ),
            explain=_("Members see it from its first day on. It is not edited while published."),
            done=_("The offer is published."),
            why_not=every(
                only_in(OfferState.SUBMITTED),
                not_by("entered_by", _("You wrote it yourself: a colleague publishes it.")),
            ),
            facts=_facts,
        ),
        Button(
            name="submit",
            label=_("Hand in"),
            permission=_EDIT,
            act=lambda obj, by, data: offers.submit(offer=obj, by=by, today=today()),
            explain=_("It is frozen, and a colleague looks at it."),
            why_not=only_in(OfferState.DRAFT),
            facts=_facts,
        ),
        Button(
            name="change",
            label=_("Change the draft"),
            permission=_EDIT,
            act=_change,
            explain=_("Whoever changes it last can't publish it."),
            why_not=only_in(OfferState.DRAFT),
            form_for=lambda obj, by: offer_form(obj.merchant, obj),
        ),
        Button(
            name="pause",
            label=_("Pause"),
            permission=_PUBLISH,
            act=lambda obj, by, data: offers.pause(offer=obj, by=by, **data),
            explain=_("Nobody can use it until it goes on."),
            why_not=only_in(OfferState.PUBLISHED),
            form=ReasonForm,
        ),
        Button(
            name="resume",
            label=_("Let it go on"),
            permission=_PUBLISH,
            act=lambda obj, by, data: offers.resume(offer=obj, by=by, today=today()),
            explain=_("As it was: nothing of it can have changed meanwhile."),
            why_not=only_in(OfferState.PAUSED),
            facts=_facts,
        ),
        Button(
            name="revise",
            label=_("Take back to a draft"),
            permission=_EDIT,
            act=lambda obj, by, data: offers.revise(offer=obj, by=by),
            explain=_(
                "Its next revision. Codes that members hold for this one are refused with that"
                " reason."
            ),
            why_not=only_in(OfferState.PAUSED),
        ),
        Button(
            name="send-back",
            label=_("Give back to be changed"),
            permission=_PUBLISH,
            act=lambda obj, by, data: offers.send_back(offer=obj, by=by, **data),
            explain=_("Whoever wrote it reads the reason."),
            why_not=only_in(OfferState.SUBMITTED),
            form=ReasonForm,
        ),
        Button(
            name="end",
            label=_("End"),
            permission=_PUBLISH,
            act=lambda obj, by, data: offers.end(offer=obj, by=by, **data),
            explain=_("For good. What was used is still settled."),
            why_not=only_in(
                OfferState.DRAFT, OfferState.SUBMITTED, OfferState.PUBLISHED, OfferState.PAUSED
            ),
            form=ReasonForm,
            danger=True,
        ),
    )

    @admin.display(description=_("used"), ordering="used_count")
    def used(self, offer: BenefitOffer) -> str:
        return f"{offer.used_count}" + (f" / {offer.quota_total}" if offer.quota_total else "")

    @admin.display(description=_("price for members"))
    def price(self, offer: BenefitOffer) -> str:
        return yuan_or_dash(offer.price_fen)

    @admin.display(description=_("subsidy for each use"))
    def subsidy(self, offer: BenefitOffer) -> str:
        return yuan_or_dash(offer.subsidy_fen or None)

    def facts(self, request: HttpRequest, obj: BenefitOffer) -> list[Fact]:
        honoured = queries_benefits.honours_on(today()).filter(pk=obj.pk).exists()
        return [
            Fact(_("State"), obj.get_state_display()),
            Fact(
                _("Honoured today"),
                _("yes") if honoured else _("no"),
                "good" if honoured else "bad",
            ),
        ]

    def panels(self, request: HttpRequest, obj: BenefitOffer) -> list[Panel]:
        rows = [(link(one), one.address) for one in obj.places.all()]
        panel = Panel(_("To be had at"), (_("Shop"), _("Address")), rows)
        if obj.state != OfferState.PUBLISHED:
            return [panel]
        page = Panel(
            _("As members see it"),
            (),
            (),
            link=reverse("members:offer", args=[obj.pk]),
            link_text=_("Open the public page"),
        )
        return [panel, page]


def _set_budget(programme: BenefitProgramme, by: Account, data: dict[str, Any]) -> None:
    programmes.set_budget(
        programme=programme, budget_fen=data["budget"], by=by, reason=data["reason"]
    )


def _open_programme(obj: None, by: Account, data: dict[str, Any]) -> str:
    made = programmes.open_programme(by=by, budget_fen=data.pop("budget"), **data)
    return reverse("admin:members_benefitprogramme_change", args=[made.pk])


@admin.register(BenefitProgramme)
class BenefitProgrammeAdmin(ScopedModelAdmin):
    section = "benefits"
    icon = "savings"
    order = 80
    view_permissions = (Permission.BENEFIT_VIEW,)
    list_display = ("name", "year", "budget", "used", "left")
    list_filter = ("year",)
    list_select_related = ("organization",)
    search_fields = ("name", "fund_code")
    fields = ("name", "year", "shown_fund", "organization", "budget", "used", "left")
    readonly_fields = fields
    empty_hint = _("Subsidised offers need the programme of their year: open it above.")
    list_buttons = (
        Button(
            name="open",
            label=_("Open a programme"),
            permission=Permission.PROGRAMME_EDIT,
            act=_open_programme,
            explain=_("The money of one year for subsidised offers; uses can't take more."),
            form=ProgrammeForm,
        ),
    )
    buttons = (
        Button(
            name="budget",
            label=_("Change the budget"),
            permission=Permission.PROGRAMME_EDIT,
            act=_set_budget,
            explain=_("Never below what uses have taken."),
            facts=lambda obj, by: [
                (_("Budget"), yuan_or_dash(obj.budget_fen)),
                (_("Used"), yuan_or_dash(obj.committed_fen)),
            ],
            form=BudgetForm,
        ),
    )

    @admin.display(description=_("code of the fund"))
    def shown_fund(self, programme: BenefitProgramme) -> str:
        return programme.fund_code

    @admin.display(description=_("budget"), ordering="budget_fen")
    def budget(self, programme: BenefitProgramme) -> str:
        return yuan_or_dash(programme.budget_fen)

    @admin.display(description=_("used"), ordering="committed_fen")
    def used(self, programme: BenefitProgramme) -> str:
        return yuan_or_dash(programme.committed_fen)

    @admin.display(description=_("left"))
    def left(self, programme: BenefitProgramme) -> str:
        return yuan_or_dash(programme.budget_fen - programme.committed_fen)

    def panels(self, request: HttpRequest, obj: BenefitProgramme) -> list[Panel]:
        rows = [
            (
                link(one),
                one.merchant,
                yuan_or_dash(one.subsidy_fen),
                one.used_count,
                yuan_or_dash(one.used_count * one.subsidy_fen),
            )
            for one in obj.offers.select_related("merchant").order_by("-used_count")[:50]
        ]
        columns = (_("Offer"), _("Merchant"), _("Subsidy for each use"), _("Used"), _("Sum"))
        return [Panel(_("Offers it pays for"), columns, rows)]


def _add_category(obj: None, by: Account, data: dict[str, Any]) -> str:
    made = programmes.add_category(by=by, **data)
    return reverse("admin:members_benefitcategory_change", args=[made.pk])


@admin.register(BenefitCategory)
class BenefitCategoryAdmin(ScopedModelAdmin):
    section = "benefits"
    icon = "category"
    order = 90
    view_permissions = (Permission.BENEFIT_VIEW,)
    scope_path = None
    list_display = ("name", "name_en", "need", "position", "is_active")
    list_filter = ("need", "is_active")
    search_fields = ("name", "name_en", "code")
    fields = ("code", "name", "name_en", "need", "position", "is_active")
    readonly_fields = fields
    list_buttons = (
        Button(
            name="add",
            label=_("Add a category"),
            permission=Permission.PROGRAMME_EDIT,
            act=_add_category,
            explain=_("Offers are sorted by it in the public directory."),
            form=NewCategoryForm,
        ),
    )
    buttons = (
        Button(
            name="change",
            label=_("Change"),
            permission=Permission.PROGRAMME_EDIT,
            act=lambda obj, by, data: programmes.change_category(category=obj, by=by, **data),
            explain=_("One that is not in use any more takes no new offers."),
            form_for=lambda obj, by: category_form(obj),
        ),
    )


def _offers_drawn(account: Account) -> list[tuple[str, str, int]]:
    counted = queries_benefits.offers_by_category(today())
    return [(str(category), str(count), count) for category, count in counted]


def _uses_drawn(account: Account) -> list[tuple[str, str, int]]:
    is_english = (get_language() or "").startswith("en")
    return [
        (english if is_english else name, str(uses), uses)
        for name, english, uses in queries_benefits.uses_by_category(account)
    ]


def _left(account: Account) -> str:
    programme = BenefitProgramme.objects.filter(year=today().year).first()
    if programme is None:
        return "–"
    return money.shown(programme.budget_fen - programme.committed_fen)


desk.add_queue(
    desk.Queue(
        "offers",
        _("Offers to publish"),
        _PUBLISH,
        BenefitOffer,
        queries_benefits.offers_to_publish,
        icon="sell",
    )
)
desk.add_figure(
    desk.Figure(_("Left of this year's benefit budget"), Permission.BENEFIT_VIEW, _left)
)
desk.add_chart(
    desk.Chart(_("Offers honoured today by category"), Permission.BENEFIT_VIEW, _offers_drawn),
    desk.Chart(_("Uses of offers by category"), Permission.BENEFIT_VIEW, _uses_drawn),
)
