"""What is filled in about merchants, agreements, places and offers, by them, members and staff."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.actions.merchants import Upload
from members.actions.offers import Draft
from members.models import (
    BenefitCategory,
    BenefitOffer,
    BenefitProgramme,
    Merchant,
    MerchantPlace,
    Need,
    OfferKind,
)
from members.rules import offers as rules
from members.rules.agreements import require_days
from members.rules.places import read_point
from members.rules.rows import read_holder
from union_portal.forms import ReadField, YuanField, judge
from union_portal.kit.bank_card import read_account
from union_portal.kit.credit_code import read_credit_code
from union_portal.kit.money import plain_yuan
from union_portal.kit.phone import read_mobile
from union_portal.kit.regions import YULIN_DIVISIONS

ACCEPTED = "image/jpeg,image/png,image/webp,application/pdf"
_LONGEST = 1000


def upload(given: Any) -> Upload | None:
    """The file of a form, as actions take it."""
    return Upload(given.name, given) if given else None


def county_choices() -> list[tuple[str, Any]]:
    """The counties of the city by their division code, in the reader's language."""
    return [(code, _(name)) for code, name in YULIN_DIVISIONS.items()]


def _paper(label: Any, **more: Any) -> dict[str, Any]:
    return {"label": label, "widget": forms.FileInput(attrs={"accept": ACCEPTED}), **more}


def _day() -> forms.DateInput:
    """The browser's own date field."""
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


def _words(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


class MerchantForm(forms.Form):
    """A business that wants to give members something."""

    name = forms.CharField(
        label=_("Name of the business"),
        max_length=120,
        help_text=_("As it stands on the business licence."),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    uscc = ReadField(
        reader=lambda text: read_credit_code(text).code,
        label=_("Unified social credit code"),
        max_length=30,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    category = forms.ModelChoiceField(
        label=_("Category"), queryset=BenefitCategory.objects.filter(is_active=True)
    )
    introduction = forms.CharField(
        label=_("What the business does, and what it could give members"),
        max_length=_LONGEST,
        required=False,
        widget=_words(4),
    )
    contact = forms.CharField(
        label=_("Contact person"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    contact_phone = ReadField(
        reader=read_mobile,
        label=_("Phone of the contact"),
        max_length=30,
        help_text=_("Only the office sees it."),
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )
    licence = forms.FileField(**_paper(_("Business licence (photo or PDF)")))


class FollowForm(forms.Form):
    """Where an application stands."""

    receipt = forms.CharField(
        label=_("Receipt number"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )


def describe_form(merchant: Merchant) -> type[MerchantForm]:
    """The same without what can't be changed; a phone left empty stays as it is."""

    class DescribeForm(MerchantForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["initial"] = {
                column: getattr(merchant, column)
                for column in ("name", "category", "introduction", "contact")
            }
            super().__init__(*args, **kwargs)
            del self.fields["uscc"]
            for name in ("contact_phone", "licence"):
                self.fields[name].required = False
                self.fields[name].help_text = _("Left empty it stays as it is.")

    return DescribeForm


class AgreementForm(forms.Form):
    number = forms.CharField(label=_("Number of the agreement"), max_length=40)
    signed_on = forms.DateField(label=_("Signed on"), widget=_day())
    valid_from = forms.DateField(label=_("Valid from"), widget=_day())
    valid_to = forms.DateField(label=_("Valid to"), widget=_day())
    tender = forms.CharField(label=_("Tender or approval"), max_length=120, required=False)
    document = forms.FileField(**_paper(_("The signed paper (photo or PDF)"), required=False))

    def clean(self) -> dict[str, Any]:
        super().clean()
        days = (self.cleaned_data.get(name) for name in ("signed_on", "valid_from", "valid_to"))
        judge(self, "valid_to", require_days, *days, today=timezone.localdate())
        return self.cleaned_data


class MerchantAccountForm(forms.Form):
    number = ReadField(
        reader=lambda text: read_account(text, kind="enterprise"),
        label=_("Account number"),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    bank_name = forms.CharField(label=_("Bank"), max_length=80)
    bank_code = forms.CharField(label=_("Bank code (CNAPS)"), max_length=14, required=False)
    holder = forms.CharField(
        label=_("Account holder"),
        max_length=60,
        required=False,
        help_text=_("Only if it is not the business; then give the reason."),
    )
    evidence = forms.FileField(**_paper(_("Evidence (photo or PDF)"), required=False))
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)


def merchant_account_form(merchant: Merchant) -> type[MerchantAccountForm]:
    """The form of one merchant's account: another holder than the business takes a reason."""

    class OwnAccountForm(MerchantAccountForm):
        def clean(self) -> dict[str, Any]:
            super().clean()
            read = self.cleaned_data
            if "holder" in read:
                judge(self, "holder", read_holder, read["holder"], merchant.name, read["reason"])
            return read

    return OwnAccountForm


class PlaceForm(forms.Form):
    """A shop; its point may be taken from the device of whoever stands in it."""

    takes_position = True

    name = forms.CharField(label=_("Name of the shop"), max_length=80)
    address = forms.CharField(label=_("Address"), max_length=200)
    division_code = forms.ChoiceField(
        label=_("County"), choices=lambda: [("", "–"), *county_choices()]
    )
    phone = forms.CharField(
        label=pgettext_lazy("of a shop", "Phone"), max_length=30, required=False
    )
    hours = forms.CharField(label=_("Opening hours"), max_length=80, required=False)
    latitude = forms.DecimalField(
        label=_("Latitude"),
        help_text=_("GCJ-02, as Chinese maps have it."),
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    longitude = forms.DecimalField(
        label=_("Longitude"),
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )

    def clean(self) -> dict[str, Any]:
        super().clean()
        point = [self.cleaned_data.get(name) for name in ("latitude", "longitude")]
        if None not in point:
            judge(self, "latitude", read_point, *point)
        return self.cleaned_data


def place_form(place: MerchantPlace) -> type[PlaceForm]:
    """The form with what is known of a shop."""

    class FilledPlaceForm(PlaceForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["initial"] = {name: getattr(place, name) for name in self.base_fields}
            super().__init__(*args, **kwargs)

    return FilledPlaceForm


class OfferForm(forms.Form):
    """What members get; which figure is asked for hangs on the kind."""

    category = forms.ModelChoiceField(
        label=_("Category"), queryset=BenefitCategory.objects.filter(is_active=True)
    )
    title = forms.CharField(label=pgettext_lazy("of a text", "Title"), max_length=80)
    title_en = forms.CharField(label=_("English title"), max_length=120, required=False)
    text = forms.CharField(label=_("What members get"), max_length=_LONGEST, widget=_words(4))
    terms = forms.CharField(label=_("Terms"), max_length=_LONGEST, required=False, widget=_words(3))
    kind = forms.ChoiceField(label=_("Kind"), choices=OfferKind.choices)
    price = YuanField(label=_("Price for members"), required=False)
    discount = forms.DecimalField(
        label=_("Discount"),
        decimal_places=1,
        required=False,
        help_text=_("what is still paid, in tenths: 8.5 means 85%"),
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    programme = forms.ModelChoiceField(
        label=_("Programme that pays the subsidy"),
        queryset=BenefitProgramme.objects.all(),
        required=False,
    )
    subsidy = YuanField(label=_("Subsidy for each use"), required=False)
    valid_from = forms.DateField(label=_("Valid from"), widget=_day())
    valid_to = forms.DateField(label=_("Valid to"), widget=_day())
    quota_total = forms.IntegerField(
        label=_("Uses in total"),
        min_value=1,
        max_value=10_000_000,
        required=False,
        help_text=_("Empty: without a limit."),
    )
    quota_per_member = forms.IntegerField(
        label=_("Uses by each member"),
        min_value=1,
        max_value=10_000,
        required=False,
        help_text=_("Empty: without a limit."),
    )
    places = forms.ModelMultipleChoiceField(
        label=_("To be had at"),
        queryset=MerchantPlace.objects.none(),
        widget=forms.CheckboxSelectMultiple,
    )

    def clean(self) -> dict[str, Any]:
        """Every fault of the offer at once, each at its question."""
        super().clean()
        if "kind" in self.cleaned_data:
            terms = _terms(self.cleaned_data)
            judge(self, "kind", rules.require_sound, terms, today=timezone.localdate())
        return self.cleaned_data

    def says(self) -> Draft:
        """The offer as its action takes it."""
        return draft_of(self.cleaned_data)


def _terms(read: dict[str, Any]) -> rules.Terms:
    """What is offered, as far as it could be read."""
    programme: BenefitProgramme | None = read.get("programme")
    return rules.Terms(
        kind=read["kind"],
        valid_from=read.get("valid_from"),
        valid_to=read.get("valid_to"),
        price_fen=read.get("price"),
        discount=read.get("discount"),
        subsidy_fen=read.get("subsidy") or 0,
        programme_year=programme.year if programme else None,
        quota_total=read.get("quota_total"),
        quota_per_member=read.get("quota_per_member"),
    )


def draft_of(cleaned: dict[str, Any]) -> Draft:
    """The offer that a valid form says."""
    data = dict(cleaned)
    price, subsidy = data.pop("price"), data.pop("subsidy")
    return Draft(price_fen=price, subsidy_fen=subsidy or 0, **data)


def offer_form(merchant: Merchant, offer: BenefitOffer | None = None) -> type[OfferForm]:
    """The form for one merchant's offer, filled with what the offer says already."""

    class MerchantsOfferForm(OfferForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["initial"] = said(offer) if offer else {"category": merchant.category_id}
            super().__init__(*args, **kwargs)
            places: Any = self.fields["places"]
            places.queryset = merchant.places.filter(is_active=True)

    return MerchantsOfferForm


def said(offer: BenefitOffer) -> dict[str, Any]:
    """What an offer says, as its form shows it."""
    plain = (
        "category", "title", "title_en", "text", "terms", "kind", "discount", "programme",
        "valid_from", "valid_to", "quota_total", "quota_per_member",
    )  # fmt: skip
    return {
        **{name: getattr(offer, name) for name in plain},
        "price": None if offer.price_fen is None else plain_yuan(offer.price_fen),
        "subsidy": plain_yuan(offer.subsidy_fen) if offer.subsidy_fen else "",
        "places": offer.places.values_list("pk", flat=True),
    }


class WhyForm(forms.Form):
    """Why a merchant takes a step; kept with it."""

    reason = forms.CharField(label=_("Reason"), min_length=2, max_length=200)


class ComplaintForm(forms.Form):
    """What a member has to say of a merchant."""

    text = forms.CharField(
        label=_("What happened"),
        min_length=10,
        max_length=_LONGEST,
        widget=_words(6),
        help_text=_(
            "The office reads this with the name of your union, not with yours. The answer"
            " comes to your messages."
        ),
    )


class ProgrammeForm(forms.Form):
    name = forms.CharField(label=pgettext_lazy("of a thing", "Name"), max_length=80)
    year = forms.IntegerField(
        label=_("Year"), min_value=2000, max_value=2100, initial=lambda: timezone.localdate().year
    )
    fund_code = forms.CharField(
        label=_("Fund"),
        max_length=40,
        help_text=_("The code of the fund that statements are settled from."),
    )
    budget = YuanField(label=_("Budget"))


class BudgetForm(forms.Form):
    budget = YuanField(label=_("New budget"))
    reason = forms.CharField(label=_("Reason"), min_length=2, max_length=400)


class CategoryForm(forms.Form):
    name = forms.CharField(label=pgettext_lazy("of a thing", "Name"), max_length=40)
    name_en = forms.CharField(label=_("English name"), max_length=60)
    need = forms.ChoiceField(label=pgettext_lazy("of an offer", "Need"), choices=Need.choices)
    position = forms.IntegerField(label=_("Position"), min_value=0, max_value=999, initial=0)


class NewCategoryForm(CategoryForm):
    code = forms.SlugField(
        label=pgettext_lazy("of a thing", "Code"),
        max_length=30,
        help_text=_("Small letters, digits and dashes; it stays for good."),
    )


def category_form(category: BenefitCategory) -> type[CategoryForm]:
    class FilledCategoryForm(CategoryForm):
        is_active = forms.BooleanField(label=_("in use"), required=False)

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["initial"] = {name: getattr(category, name) for name in self.base_fields}
            super().__init__(*args, **kwargs)

    return FilledCategoryForm
