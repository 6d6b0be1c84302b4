"""Who the tests are about: a federation, its people, and makers of rows to play with.

Lin is a member, Qiao a grassroots clerk, Shi a county checker, the Fengs city finance, Gao
the auditor, Wei a stranger. Everybody and every number is made up.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

from members.models import BankAccount, Person
from members.states import BankAccountState
from union_portal import lifecycle, notices
from union_portal.access import Role
from union_portal.fields import fingerprint
from union_portal.kit import fictional, masks, names, regions
from union_portal.kit.identity import Sex
from union_portal.models import (
    Account,
    Decision,
    DecisionOutcome,
    Notice,
    NoticeEntry,
    Organization,
    OrganizationLevel,
    RoleAssignment,
    RuleSet,
)

# A plain Monday; the holiday table knows its year, the database's clock is long past it.
TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
# From here on everybody has had their role.
FIRST_DAY = date(2020, 1, 1)

_rng = random.Random(20260302)
_cases = itertools.count(1)


@dataclass
class Tree:
    """榆林市总工会, its twelve counties by division code, and some grassroots unions."""

    city: Organization
    counties: dict[str, Organization]
    unions: list[Organization]

    @property
    def county(self) -> Organization:
        """榆阳区总工会, where Shi works."""
        return self.counties["610802"]

    @property
    def other_county(self) -> Organization:
        """神木市总工会, where nobody of the cast works."""
        return self.counties["610881"]

    @property
    def union(self) -> Organization:
        """Qiao's and Lin's grassroots union, below `county`."""
        return self.unions[0]

    @property
    def sibling_union(self) -> Organization:
        """Another grassroots union of the same county."""
        return self.unions[1]

    @property
    def other_union(self) -> Organization:
        """A grassroots union below `other_county`."""
        return self.unions[2]


def make_tree() -> Tree:
    city = Organization.objects.create(
        name="榆林市总工会", level=OrganizationLevel.FEDERATION, division_code=regions.YULIN
    )
    counties = {
        code: Organization(
            name=f"{name}总工会", level=OrganizationLevel.COUNTY, parent=city, division_code=code
        )
        for code, name in regions.YULIN_DIVISIONS_ZH.items()
    }
    _place(counties.values())
    places = [("610802", "驼城运输"), ("610802", "红石峡水务"), ("610881", "麻黄梁煤业")]
    unions = [
        Organization(
            name=f"{name}有限公司工会委员会",
            level=OrganizationLevel.GRASSROOTS,
            parent=counties[code],
            division_code=code,
        )
        for code, name in places
    ]
    _place(unions)
    return Tree(city, counties, unions)


def _place(made: Iterable[Organization]) -> None:
    """Every test begins with these: all at once, and what the database says of where they lie."""
    rows = Organization.objects.bulk_create(made)
    paths = Organization.objects.in_bulk([row.pk for row in rows])
    for row in rows:
        row.path = paths[row.pk].path


@dataclass
class Cast:
    """The accounts. Whoever moves money, decides, watches or administers is one person each."""

    tree: Tree
    lin: Account
    qiao: Account
    shi: Account
    officer: Account
    decider: Account
    reviewer: Account
    rules_clerk: Account
    feng: Account
    feng_checker: Account
    feng_releaser: Account
    gao: Account
    account_admin: Account
    security_admin: Account
    wei: Account
    benefits: Account
    till: Account
    lin_person: Person = field(repr=False)

    @property
    def staff(self) -> dict[str, Account]:
        """Everybody with a role, by their name in the cast."""
        return {
            name: account
            for name, account in vars(self).items()
            if isinstance(account, Account) and account.is_staff
        }


def make_account(
    username: str, *, name: str = "", role: Role | None = None, at: Organization | None = None
) -> Account:
    """An account without a usable password; staff when it gets a role."""
    account = Account.objects.create_user(
        username, name=name or username.title(), is_staff=role is not None
    )
    if role is not None and at is not None:
        give_role(account, role, at)
    return account


def give_role(
    account: Account,
    role: Role,
    at: Organization,
    *,
    valid_from: date = FIRST_DAY,
    valid_to: date | None = None,
) -> RoleAssignment:
    account.__dict__.pop("_held_roles", None)
    return RoleAssignment.objects.create(
        account=account, role=role, organization=at, valid_from=valid_from, valid_to=valid_to
    )


# By the name in the cast: the log-in name, and the role if there is one.
_ROLES: Final[dict[str, tuple[str, Role | None]]] = {
    "lin": ("lin", None),
    "qiao": ("qiao", Role.GRASSROOTS_CLERK),
    "shi": ("shi", Role.COUNTY_CHECKER),
    "officer": ("tang", Role.CITY_OFFICER),
    "decider": ("meng", Role.CITY_DECIDER),
    "reviewer": ("bai", Role.APPEAL_REVIEWER),
    "rules_clerk": ("he", Role.RULES_CLERK),
    "feng": ("feng", Role.FINANCE_MAKER),
    "feng_checker": ("feng2", Role.FINANCE_CHECKER),
    "feng_releaser": ("feng3", Role.FINANCE_RELEASER),
    "gao": ("gao", Role.AUDITOR),
    "account_admin": ("ding", Role.ACCOUNT_ADMIN),
    "security_admin": ("hao", Role.SECURITY_ADMIN),
    "wei": ("wei", None),
    "benefits": ("su", Role.BENEFITS_OFFICER),
    "till": ("till", None),
}


def make_cast(tree: Tree) -> Cast:
    places = {Role.GRASSROOTS_CLERK: tree.union, Role.COUNTY_CHECKER: tree.county}
    accounts = {
        name: Account(username=username, name=username.title(), is_staff=role is not None)
        for name, (username, role) in _ROLES.items()
    }
    for account in accounts.values():
        account.set_unusable_password()
    Account.objects.bulk_create(accounts.values())
    RoleAssignment.objects.bulk_create(
        RoleAssignment(
            account=accounts[name], role=role, valid_from=FIRST_DAY,
            organization=places.get(role, tree.city),
        )
        for name, (_username, role) in _ROLES.items()
        if role is not None
    )  # fmt: skip
    lin = accounts["lin"]
    person = make_person(tree.union, account=lin, sex="female", born_on=date(1962, 8, 9))
    return Cast(tree=tree, lin_person=person, **accounts)


def make_person(
    union: Organization,
    *,
    name: str | None = None,
    sex: Sex = "male",
    born_on: date | None = None,
    phone: bool = True,
    account: Account | None = None,
    **more: Any,
) -> Person:
    """A person with a valid number; `phone=False` for somebody who gets letters."""
    division = union.division_code or "610802"
    born_on = born_on or fictional.make_birth_date(
        _rng, first=date(1962, 1, 1), last=date(1992, 12, 31)
    )
    number = fictional.make_national_id(_rng, born_on, sex, division)
    while Person.objects.filter(national_id_index=fingerprint("national_id", number)).exists():
        number = fictional.make_national_id(_rng, born_on, sex, division)
    mobile = fictional.make_mobile(_rng) if phone else ""
    name = name or fictional.make_name(_rng, sex, rare_per_mille=0, dotted_per_mille=0)
    return Person.objects.create(
        name=name,
        pinyin=names.pinyin(name),
        initials=names.initials(name),
        sex=sex,
        born_on=born_on,
        national_id=number,
        national_id_shown=masks.mask_id(number),
        phone=mobile,
        phone_shown=masks.mask_phone(mobile) if mobile else "",
        organization=union,
        account=account,
        **more,
    )


def make_bank_account(
    person: Person,
    *,
    entered_by: Account | None = None,
    confirmed_by: Account | None = None,
    number: str | None = None,
) -> BankAccount:
    """An account of the person, confirmed when `confirmed_by` is given."""
    number = number or fictional.make_card_number(_rng)
    made = BankAccount.objects.create(
        person=person,
        holder=person.name,
        number=number,
        last_four=number[-4:],
        bank_name="榆林示范银行",
        entered_by=entered_by,
    )
    if confirmed_by is not None:
        lifecycle.advance(
            made,
            to=BankAccountState.CONFIRMED,
            by=confirmed_by,
            confirmed_by=confirmed_by,
            confirmed_at=NOW,
        )
    return made


def make_payee(cast: Cast, union: Organization | None = None, **more: Any) -> Person:
    """A person with a confirmed bank account."""
    person = make_person(union or cast.tree.union, **more)
    make_bank_account(person, entered_by=cast.qiao, confirmed_by=cast.shi)
    return person


def make_rule_set(cast: Cast, scheme: str = "festival_gift", **more: Any) -> RuleSet:
    """An adopted rule set that holds on TODAY; without public notice unless `notice_days` asks."""
    fields: dict[str, Any] = {
        "version": RuleSet.objects.filter(scheme=scheme).count() + 1,
        "title": "Festival gift",
        "issuer": "榆林市总工会",
        "source_clause": "art. 4",
        "place": "榆林市",
        "is_sample": True,
        "valid_from": date(2025, 1, 1),
        "valid_to": date(2026, 12, 31),
        "fund_code": "model-workers",
        "parameters": {"amount_fen": 30_000},
        "notice_days": 0,
        "written_by": cast.rules_clerk,
        "adopted_by": cast.decider,
        "adopted_at": NOW,
    }
    return RuleSet.objects.create(scheme=scheme, **{**fields, **more})


def make_open_entry(
    cast: Cast, decision: Decision | None = None, organization: Organization | None = None
) -> NoticeEntry:
    """The one entry of a notice that is open on TODAY; of the city, unless a union is named."""
    decision = decision or make_decision(cast, make_rule_set(cast))
    notice = Notice.objects.create(
        title="Notice", scheme=decision.scheme, period="2026",
        organization=organization or cast.tree.city, days=5, prepared_by=cast.officer,
    )  # fmt: skip
    entry = NoticeEntry.objects.create(
        notice=notice, decision=decision, position=1, shown_name="林*", amount_fen=30_000
    )
    notices.publish(notice=notice, by=cast.officer, today=TODAY)
    return entry


def explained(amount_fen: int) -> dict[str, Any]:
    """A step of an explained sum."""
    message = "The festival gift is %(amount_fen)s yuan."
    values = {"amount_fen": amount_fen}
    return {"clause": "art. 4", "message": message, "values": values, "amount_fen": amount_fen}


def make_decision(
    cast: Cast, rule_set: RuleSet, person: Person | None = None, **more: Any
) -> Decision:
    """A granted decision of 300 yuan on a case of its own, just made (Lin's unless named)."""
    person = person or cast.lin_person
    fields: dict[str, Any] = {
        "period": "2026",
        "outcome": DecisionOutcome.GRANTED,
        "amount_fen": 30_000,
        "subject_type": "tests.case",
        "subject_id": next(_cases),
        "organization": person.organization,
        "decided_by": cast.decider,
        "decided_on": TODAY,
    }
    fields |= more
    fields.setdefault("steps", [explained(fields["amount_fen"])])
    return Decision.objects.create(scheme=rule_set.scheme, rule_set=rule_set, **fields)
