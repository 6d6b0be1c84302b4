"""What staff see of the kernel, with buttons that call actions."""

from union_portal.admin import (
    account_reviews,
    accounts,
    audit,
    figures,
    holidays,
    jobs,
    messages,
    notices,
    organizations,
    reports,
    skin,
)

__all__ = [
    "account_reviews",
    "accounts",
    "audit",
    "figures",
    "holidays",
    "jobs",
    "messages",
    "notices",
    "organizations",
    "reports",
    "skin",
]
