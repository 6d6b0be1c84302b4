"""The year's money for subsidised offers, and the categories that offers are sorted by."""

from typing import Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from members.actions.merchants import require_why
from members.actions.refusals import BenefitRefused
from members.models import BenefitCategory, BenefitProgramme, Need
from members.rules.offers import require_budget
from members.rules.rows import read_line
from union_portal import access, audit
from union_portal.access import Permission
from union_portal.kit.refusals import Refused, require_text
from union_portal.models import Account, Organization, OrganizationLevel

_NAME_LONGEST, _FUND_LONGEST, _CATEGORY_LONGEST, _ENGLISH_LONGEST = 80, 40, 40, 60
FIRST_YEAR, LAST_YEAR = 2000, 2100


@transaction.atomic
def open_programme(
    *, name: str, year: int, fund_code: str, budget_fen: int, by: Account
) -> BenefitProgramme:
    """Set the money of a year aside; one programme a year. Errors: BenefitRefused, Refused."""
    federation = Organization.objects.get(level=OrganizationLevel.FEDERATION)
    access.require(by, Permission.PROGRAMME_EDIT, federation)
    require_budget(budget_fen=budget_fen, committed_fen=0)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise BenefitRefused(gettext_noop("This is no year."), gettext_noop("Check the year."))
    made = BenefitProgramme(
        name=_named(name, _NAME_LONGEST),
        year=year,
        fund_code=_named(fund_code, _FUND_LONGEST),
        budget_fen=budget_fen,
        organization=federation,
    )
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError as error:
        if "year" not in str(error):
            raise
        raise BenefitRefused(
            gettext_noop("This year has its programme already."),
            gettext_noop("Change the budget of the one there is."),
            at="year",
        ) from None
    audit.record("benefitprogramme.open", made, by=by, budget_fen=budget_fen)
    return made


@transaction.atomic
def set_budget(*, programme: BenefitProgramme, budget_fen: int, by: Account, reason: str) -> None:
    """Raise or lower the year's money, never below what uses have taken. Errors: Refused."""
    held = BenefitProgramme.objects.select_for_update().get(pk=programme.pk)
    access.require(by, Permission.PROGRAMME_EDIT, held.organization)
    require_budget(budget_fen=budget_fen, committed_fen=held.committed_fen)
    why, before = require_why(reason), held.budget_fen
    held.budget_fen = budget_fen
    held.save(update_fields=["budget_fen"])
    programme.budget_fen = budget_fen
    audit.record(
        "benefitprogramme.set_budget", held, by=by, reason=why,
        before_fen=before, budget_fen=budget_fen,
    )  # fmt: skip


@transaction.atomic
def add_category(
    *, code: str, name: str, name_en: str, need: str, by: Account, position: int = 0
) -> BenefitCategory:
    """Add a category; its code stays for good. Errors: Refused for what is taken."""
    access.require(by, Permission.PROGRAMME_EDIT)
    made = BenefitCategory(code=code)
    _write(made, name=name, name_en=name_en, need=need, position=position)
    audit.record("benefitcategory.add", made, by=by)
    return made


@transaction.atomic
def change_category(
    *,
    category: BenefitCategory,
    name: str,
    name_en: str,
    need: str,
    position: int,
    is_active: bool,
    by: Account,
) -> None:
    """Change what a category is called, where it stands, and whether it is used."""
    access.require(by, Permission.PROGRAMME_EDIT)
    category.is_active = is_active
    _write(category, name=name, name_en=name_en, need=need, position=position)
    audit.record("benefitcategory.change", category, by=by, is_active=is_active)


_TAKEN: Final = gettext_noop("Another category has this code or name.")


def _write(category: BenefitCategory, *, name: str, name_en: str, need: str, position: int) -> None:
    category.name = _named(name, _CATEGORY_LONGEST)
    category.name_en = _named(name_en, _ENGLISH_LONGEST)
    category.need = Need(need)
    category.position = position
    try:
        with transaction.atomic():
            category.save()
    except IntegrityError:
        raise Refused(_TAKEN, gettext_noop("Choose another one.")) from None


def _named(text: str, longest: int) -> str:
    return require_text(
        read_line(text, longest), gettext_noop("The name is missing."), gettext_noop("Fill it in.")
    )
