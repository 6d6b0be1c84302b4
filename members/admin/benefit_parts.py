"""What the staff pages of merchants and offers share."""

from collections.abc import Callable
from datetime import date
from io import BytesIO
from typing import Any

from django import forms
from django.http import FileResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from members.models import MerchantPlace
from union_portal.access import Permission
from union_portal.admin.buttons import Button
from union_portal.admin.trail import name_acts
from union_portal.downloads import download_sheet
from union_portal.kit import money, regions
from union_portal.models import Account

name_acts(
    {
        "merchant.apply": gettext_noop("Applied on the public page"),
        "merchant.invite": gettext_noop("Invited"),
        "merchant.describe": gettext_noop("Description corrected"),
        "merchant.unmask": gettext_noop("The contact's phone was shown"),
        "merchant.export": gettext_noop("Exported"),
        "merchantagreement.enter": gettext_noop("Agreement entered"),
        "merchantaccount.enter": gettext_noop("Bank account entered"),
        "merchantaccount.unmask": gettext_noop("The whole account number was shown"),
        "merchantlogin.give": gettext_noop("Log-in given"),
        "merchantlogin.renew": gettext_noop("New first password"),
        "merchantlogin.end": gettext_noop("Log-in closed"),
        "merchantplace.add": gettext_noop("Shop added"),
        "merchantplace.change": gettext_noop("Shop corrected"),
        "merchantplace.open": gettext_noop("Shop shown again"),
        "merchantplace.close": gettext_noop("Shop taken off the map"),
        "benefitprogramme.open": gettext_noop("Programme opened"),
        "benefitprogramme.set_budget": gettext_noop("Budget changed"),
        "benefitcategory.add": gettext_noop("Category added"),
        "benefitcategory.change": gettext_noop("Category changed"),
        "benefitoffer.draft": gettext_noop("Offer written"),
        "benefitoffer.change": gettext_noop("Draft changed"),
        "benefitoffer.export": gettext_noop("Exported"),
        "merchantcomplaint.file": gettext_noop("Complaint filed"),
    }
)


class ExportForm(forms.Form):
    kind = forms.ChoiceField(label=_("Format"), choices=[("xlsx", "XLSX"), ("csv", "CSV")])


def export_button(write: Callable[..., None], name: str) -> Button:
    """The list within one's reach as a sheet, logged."""

    def act(obj: None, by: Account, data: dict[str, Any]) -> FileResponse:
        sheet = BytesIO()
        write(sheet, by=by, kind=data["kind"])
        return download_sheet(sheet, name=f"{name}-{today():%Y%m%d}.{data['kind']}")

    return Button(
        name="export",
        label=_("Export"),
        permission=Permission.EXPORT,
        act=act,
        explain=_("Everything within your reach as a sheet; the export is logged."),
        form=ExportForm,
    )


def link(row: Any, words: Any = None) -> Any:
    """A link to the staff page of a row."""
    meta = row._meta
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', url, row if words is None else words)


def paper_link(file: Any) -> Any:
    """A link to a protected file; a dash where there is none."""
    if file is None:
        return "–"
    return format_html('<a href="{}">{}</a>', reverse("portal:file", args=[file.pk]), file)


def county_of(place: MerchantPlace) -> str:
    """The county a shop stands in, by its name."""
    return gettext(regions.division_name(place.division_code))


def yuan_or_dash(fen: int | None) -> str:
    return "–" if fen is None else money.shown(fen)


def today() -> date:
    return timezone.localdate()
