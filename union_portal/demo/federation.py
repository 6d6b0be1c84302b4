"""The fictional federation: unions, accounts and their roles."""

import random
from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from union_portal.access import Role
from union_portal.kit import fictional, regions
from union_portal.models import Account, Organization, OrganizationLevel, RoleAssignment

# The demo's only password: the command refuses to run outside `./portal demo`.
PASSWORD = "portal-demo-610800"  # noqa: S105
CITY_DIVISION = "610800"
PEOPLE_PER_UNION = 60
FEWEST_UNIONS_PER_COUNTY = 3


@dataclass(frozen=True)
class Staff:
    """A demo account: log-in name, shown name, role, and where ("city", "county", "union")."""

    username: str
    name: str
    role: Role
    place: str = "city"


STAFF = (
    Staff("qiao", "乔基层", Role.GRASSROOTS_CLERK, "union"),
    Staff("shi", "石县区", Role.COUNTY_CHECKER, "county"),
    Staff("he", "贺经办", Role.CITY_OFFICER),
    Staff("lu", "陆审定", Role.CITY_DECIDER),
    Staff("hui", "惠商户", Role.BENEFITS_OFFICER),
    Staff("tang", "唐复议", Role.APPEAL_REVIEWER),
    Staff("ruan", "阮规则", Role.RULES_CLERK),
    Staff("feng", "冯制单", Role.FINANCE_MAKER),
    Staff("jiang", "蒋复核", Role.FINANCE_CHECKER),
    Staff("mu", "穆签发", Role.FINANCE_RELEASER),
    Staff("gao", "高审计", Role.AUDITOR),
    Staff("an", "安账号", Role.ACCOUNT_ADMIN),
    Staff("bai", "白安全", Role.SECURITY_ADMIN),
)


def ensure_unions(people: int, seed: int) -> Organization:
    """Make the tree once: the city, its twelve counties, and enough grassroots unions."""
    city = Organization.objects.filter(level=OrganizationLevel.FEDERATION).first()
    if city is not None:
        return city
    rng = random.Random(seed)  # noqa: S311
    city = Organization.objects.create(
        name="榆林市总工会（演示）",
        short_name="市总工会",
        level=OrganizationLevel.FEDERATION,
        division_code=CITY_DIVISION,
        uscc=fictional.make_credit_code(rng, category="81"),
    )
    wanted = max(FEWEST_UNIONS_PER_COUNTY, people // PEOPLE_PER_UNION // 12)
    for code in sorted(regions.YULIN_DIVISIONS):
        name = regions.YULIN_DIVISIONS_ZH[code]
        county = _child(city, f"{name}总工会", OrganizationLevel.COUNTY, code, rng)
        for number in range(1, wanted + 1):
            union = fictional.make_union_name(rng, name)
            _child(county, f"{union}（{number}）", OrganizationLevel.GRASSROOTS, code, rng)
    industry = _child(city, "榆林市教科文卫工会", OrganizationLevel.INDUSTRY, CITY_DIVISION, rng)
    _child(industry, "榆林市演示中学工会", OrganizationLevel.GRASSROOTS, CITY_DIVISION, rng)
    _child(city, "榆林市直属机关工会", OrganizationLevel.DIRECT, CITY_DIVISION, rng)
    return city


def _child(
    parent: Organization, name: str, level: OrganizationLevel, code: str, rng: random.Random
) -> Organization:
    return Organization.objects.create(
        name=name,
        short_name=name.removesuffix("总工会")[:40],
        level=level,
        parent=parent,
        division_code=code,
        uscc=fictional.make_credit_code(rng, category="81", division=code),
        witness_email=f"witness@{code}.example" if level == OrganizationLevel.COUNTY else "",
    )


def ensure_accounts(city: Organization) -> dict[str, Account]:
    """Make the cast, and a checker for whatever answers to the city; by log-in name."""
    below = list(city.children.order_by("division_code", "id"))
    county, union = counties(city)[0], home_union(city)
    places = {"city": city, "county": county, "union": union}
    staff = [(one, places[one.place]) for one in STAFF]
    for number, other in enumerate((one for one in below if one != county), start=2):
        checker = Staff(f"shi{number:02d}", f"石县区{number:02d}", Role.COUNTY_CHECKER, "county")
        staff.append((checker, other))
    held = Account.objects.in_bulk([one.username for one, _place in staff], field_name="username")
    # One hash for all: a slow hash thirty times over is half a minute of a small machine.
    password = "" if len(held) == len(staff) else make_password(PASSWORD)
    return {
        one.username: _staff(one, place, held.get(one.username), password) for one, place in staff
    }


def counties(city: Organization) -> list[Organization]:
    """The county federations, in the order of their division codes."""
    return list(city.children.filter(level=OrganizationLevel.COUNTY).order_by("division_code"))


def home_union(city: Organization) -> Organization:
    """The union of the clerk and of the members whom the demo follows."""
    county = counties(city)[0]
    return Organization.objects.within(county).filter(level=OrganizationLevel.GRASSROOTS)[0]


def employer_of(union: Organization) -> str:
    """Whose union it is, by the union's name."""
    return union.name.split("（")[0].removesuffix("工会委员会")


def _staff(
    staff: Staff, organization: Organization, held: Account | None, password: str
) -> Account:
    account = held or Account.objects.create(
        username=staff.username, name=staff.name, is_staff=True, password=password
    )
    RoleAssignment.objects.get_or_create(
        account=account,
        role=staff.role,
        organization=organization,
        defaults={"valid_from": timezone.localdate().replace(month=1, day=1)},
    )
    if not Authenticator.objects.filter(user=account, type=Authenticator.Type.TOTP).exists():
        TOTP.activate(account, generate_totp_secret())
    return account


def replacement_card(e2e: str) -> str:
    """A card for somebody whose first one failed; the same for the same payment."""
    return fictional.make_card_number(random.Random(e2e))  # noqa: S311
