"""What staff see of the kernel, with buttons that call actions."""

from union_portal.admin import (
    accounts,
    audit,
    holidays,
    jobs,
    messages,
    notices,
    organizations,
    reports,
    skin,
)

__all__ = [
    "accounts",
    "audit",
    "holidays",
    "jobs",
    "messages",
    "notices",
    "organizations",
    "reports",
    "skin",
]
