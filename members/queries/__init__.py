"""What one may see of people, memberships and unions, scoped to who looks."""

from members.queries.people import (
    LIVE_ACCOUNTS,
    accounts_to_confirm,
    caution_codes,
    cautions,
    first_matches,
    imports_for,
    imports_to_confirm,
    in_an_address,
    matches,
    names_of,
    people_for,
    person_of,
    search,
    who_looked,
    with_cautions,
)

__all__ = [
    "LIVE_ACCOUNTS",
    "accounts_to_confirm",
    "caution_codes",
    "cautions",
    "first_matches",
    "imports_for",
    "imports_to_confirm",
    "in_an_address",
    "matches",
    "names_of",
    "people_for",
    "person_of",
    "search",
    "who_looked",
    "with_cautions",
]
