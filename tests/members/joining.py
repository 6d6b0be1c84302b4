"""What the tests of joining and moving share: somebody who applies, and a member."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from members.actions import join_applications, joining, memberships
from members.models import Channel, JoinApplication, Membership, Person
from tests.cast import NOW, TODAY, Cast, make_account
from tests.members.sheets import make_rows
from union_portal.access import Role
from union_portal.models import Account, Organization

PROFILE = {
    "ethnicity": "汉族",
    "education": "college",
    "political_status": "masses",
    "hukou_type": "local_rural",
    "employment": "employed",
    "technical_grade": "junior",
    "is_farmer_worker": True,
}


@dataclass(frozen=True)
class Applicant:
    """Somebody in no register yet."""

    name: str
    national_id: str
    phone: str

    @property
    def typed(self) -> dict[str, str]:
        return {"name": self.name, "national_id": self.national_id, "phone": self.phone}


def applicant(cast: Cast, seed: int = 7) -> Applicant:
    row = make_rows(cast.tree.union, 1, seed=seed)[0]
    return Applicant(row["姓名"], row["证件号码"], row["手机号"])


def as_typed(person: Person) -> dict[str, str]:
    """What a registered person would type."""
    return {
        "name": person.name,
        "national_id": str(person.national_id),
        "phone": str(person.phone),
    }


def apply(cast: Cast, typed: dict[str, str] | None = None, **more: Any) -> JoinApplication:
    """An application through the public page, to Qiao's union."""
    values: dict[str, Any] = {
        "employer": "驼城运输有限公司",
        "organization": cast.tree.union,
        "profile": PROFILE,
        "by": None,
        "address": "192.0.2.7",
        "today": TODAY,
        "now": NOW,
        **(typed or applicant(cast).typed),
        **more,
    }
    return join_applications.apply(**values)


def checked(cast: Cast, typed: dict[str, str] | None = None, **more: Any) -> JoinApplication:
    application = apply(cast, typed, **more)
    joining.check(application=application, by=cast.qiao, now=NOW)
    return application


def approved(cast: Cast, typed: dict[str, str] | None = None) -> Membership:
    return joining.approve(application=checked(cast, typed), by=cast.shi, today=TODAY, now=NOW)


def member(cast: Cast, person: Person | None = None, **more: Any) -> Membership:
    """A membership since today of Lin, or of the person named."""
    person = person or cast.lin_person
    values: dict[str, Any] = {
        "organization": person.organization,
        "on": TODAY,
        "channel": Channel.DESK,
        "by": cast.qiao,
        **more,
    }
    return memberships.begin(person=person, **values)


def clerk(union: Organization, name: str = "jia") -> Account:
    """A clerk of another union."""
    return make_account(name, role=Role.GRASSROOTS_CLERK, at=union)
