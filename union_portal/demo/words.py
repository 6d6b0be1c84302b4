"""What the demo says at its end, in Chinese with English beneath, whatever the terminal's
language: what happened, where to log in, what to look at first.
"""

from collections.abc import Iterator
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from union_portal.admin import desk
from union_portal.demo import cast, federation, merchants
from union_portal.kit.money import yuan
from union_portal.models import Account

RULE = "─" * 72
TONGUES = ("zh-hans", "en")

_PAID = gettext_noop("paid a festival gift; try her first log-in")
_REFUSED = gettext_noop("refused a festival gift, and has appealed")
_IN_HARDSHIP = gettext_noop("in hardship: applied, was visited, and was paid")
_ABOUT = {"lin": _PAID, "kong": _REFUSED, "yan": _IN_HARDSHIP}


def farewell(told: dict[str, Any], *, site: str) -> Iterator[str]:
    """The lines of the end. `site` is the address of the pages; empty if none are served."""
    yield from _happened(told)
    yield from _staff(site)
    yield from _members(site)
    yield from _card_and_till(site)
    yield from _first(site)


def _happened(told: dict[str, Any]) -> Iterator[str]:
    counts, waiting = told["counts"], len(told["waiting"])
    yield from _heading(gettext_noop("What this demo did"))
    yield from _both(
        gettext_noop(
            "%(people)s people of %(unions)s unions, %(workers)s of them model workers."
            " %(refused)s times somebody was refused, each time with the clause."
        ),
        people=counts["people"],
        unions=counts["unions"],
        workers=counts["model_workers"],
        refused=counts["refused"],
    )
    yield from _both(
        gettext_noop(
            "%(batches)s batches, each made, checked and released by three people, paid"
            " %(amount)s yuan; %(failed)s payments failed or came back."
        ),
        batches=len(told["batches"]),
        amount=yuan(sum(batch["paid_fen"] for batch in told["batches"])),
        failed=sum(batch["failed"] for batch in told["batches"]),
    )
    counted = told["figures"]
    yield from _both(
        gettext_noop(
            "%(cards)s service cards are issued; %(merchants)s merchants honour them with"
            " %(offers)s offers, and the federation added %(amount)s yuan to their uses."
        ),
        cards=f"{counted['cards_issued']:,}",
        merchants=counted["merchants"],
        offers=counted["benefit_offers"],
        amount=yuan(counted["benefit_spend_fen"]),
    )
    if waiting:
        yield from _both(
            gettext_noop("%(count)s more batches wait for somebody's approval."), count=waiting
        )
    yield from _both(
        gettext_noop("%(checked)s rules of the ledger were checked, %(broken)s are broken."),
        **told["invariants"],
    )


def _staff(site: str) -> Iterator[str]:
    yield from _heading(gettext_noop("Log in as staff"))
    if site:
        yield f"  {site}/admin/"
    yield from _both(gettext_noop("Password of everybody: %(word)s"), word=federation.PASSWORD)
    yield from _both(
        gettext_noop("The code of the second factor: %(command)s"),
        command="./portal manage demo_code NAME",
    )
    for staff in federation.STAFF:
        account = Account.objects.filter(username=staff.username).first()
        if account is not None:
            with translation.override("zh-hans"):
                yield f"    {staff.username:<6} {staff.name}  {staff.role.label}{_waits(account)}"
            with translation.override("en"):
                yield f"    {'':<6}   {staff.role.label}{_waits(account)}"


def _waits(account: Account) -> str:
    """What waits for the account, as its front page says."""
    rows = [row for row in desk.waiting(account) if row["count"]]
    if not rows:
        return ""
    return ": " + ", ".join(f"{row['title']} {row['count']}" for row in rows)


def _members(site: str) -> Iterator[str]:
    yield from _heading(gettext_noop("Log in as a member"))
    if site:
        yield f"  {site}/first-login/"
    yield from _both(
        gettext_noop(
            "With name and identity number, both invented; %(command)s shows them, and then the"
            " code that was sent (staff see it under “Messages” too, in the demo only)."
        ),
        command="./portal manage demo_member",
    )
    for member in cast.SHOWN:
        about = _ABOUT[member.username]
        with translation.override("zh-hans"):
            yield f"    {member.username:<6} {member.name}  {_(about)}"
        with translation.override("en"):
            yield f"    {'':<6}   {_(about)}"


def _card_and_till(site: str) -> Iterator[str]:
    """Two phones side by side: the member's with the code, the merchant's that takes it."""
    yield from _heading(gettext_noop("Show a card at a till"))
    if site:
        yield f"  {site}/account/login/"
    yield from _both(
        gettext_noop(
            "As %(member)s, with the password above: “My service card”, then the code for the"
            " till. As %(till)s, in another browser: type its digits, choose an offer, confirm."
        ),
        member=cast.KONG.username,
        till=merchants.TILL,
    )
    yield from _both(
        gettext_noop("Each of the other merchants has a till too: %(first)s, %(second)s and on."),
        first=f"{merchants.TILL}01",
        second=f"{merchants.TILL}02",
    )


def _first(site: str) -> Iterator[str]:
    yield from _heading(gettext_noop("What to look at first"))
    if not site:
        yield from _both(
            gettext_noop("%(command)s serves the site; nothing is paid again."),
            command="./portal demo",
        )
        return
    yield from _both(
        gettext_noop("Without a log-in: %(address)s, the public notices, one of them running."),
        address=f"{site}/notices/",
    )
    yield from _both(
        gettext_noop("%(offers)s, the offers on list and map; %(figures)s, how it all grew."),
        offers=f"{site}/offers/",
        figures=f"{site}/figures/",
    )
    yield from _both(
        gettext_noop("As jiang: check the batch that waits; as gao: follow any yuan to its end.")
    )
    yield from _both(
        gettext_noop("Questions that begin with “why”, and the clicks to each answer: %(page)s"),
        page="docs/why.md",
    )


def _heading(text: str) -> Iterator[str]:
    yield RULE
    yield " / ".join(dict.fromkeys(_in(tongue, text) for tongue in TONGUES))


def _both(text: str, **values: Any) -> Iterator[str]:
    """The sentence in Chinese, and in English beneath."""
    for line in dict.fromkeys(_in(tongue, text, **values) for tongue in TONGUES):
        yield f"  {line}"


def _in(tongue: str, text: str, **values: Any) -> str:
    with translation.override(tongue):
        return _(text) % values if values else _(text)
