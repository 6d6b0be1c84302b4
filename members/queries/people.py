"""What one may see of people, scoped to who looks."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from django.db import connection
from django.db.models import (
    CharField,
    Count,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Cast, Coalesce, Replace
from django.db.models.lookups import StartsWith
from django.utils.translation import gettext as _

from members.models import BankAccount, ImportRun, Membership, Person
from members.models.imports import ImportRunQuerySet
from members.states import BankAccountState
from union_portal import access
from union_portal.access import Permission, Role
from union_portal.fields import fingerprint
from union_portal.kit.plain_text import digits_as_typed, halfwidth, without_invisible
from union_portal.models import Account, AuditEntry

# What stands for a whole number in an address: "~", which column, its keyed hash.
_MARKED: Final = {"i": "national_id_index", "p": "phone_index"}
_MARK: Final = re.compile(r"~([ip])([0-9a-f]{64})")
LIVE_ACCOUNTS: Final = (BankAccountState.PROPOSED, BankAccountState.CONFIRMED)
_IDENTITY: Final = re.compile(r"[0-9]{17}[0-9X]")
_PHONE: Final = re.compile(r"(?:\+?86)?(1[0-9]{10})")
# So many people are listed by their keys; a name that more have is compared row by row.
_FEW: Final = 2_000
# How each is looked up by letters, and by characters.
_LOOKS: Final = {
    Person: (
        "SELECT members_spelled(%s, %s, %s, %s, %s)",
        "SELECT members_named(%s, %s, %s, %s, %s)",
    ),
    Membership: (
        "SELECT memberships_spelled(%s, %s, %s, %s, %s)",
        "SELECT memberships_named(%s, %s, %s, %s, %s)",
    ),
}
_LATIN: Final = re.compile(r"[a-z][a-z' .-]*", re.IGNORECASE)


def people_for(
    account: Account, permission: Permission = Permission.PERSON_VIEW
) -> QuerySet[Person]:
    """The people within the account's reach; nobody by default.

    A row that was merged into another is nobody of its own.
    """
    return Person.objects.filter(access.scope(account, permission), merged_into__isnull=True)


def names_of(account: Account, ids: set[int]) -> dict[int, str]:
    """The names of some people, of those within the account's reach."""
    return dict(people_for(account).filter(pk__in=ids).values_list("pk", "name"))


def person_of(account: Account) -> Person | None:
    """The person who logs in with this account, if it is a member's."""
    found = Person.objects.filter(account=account).select_related("organization").first()
    if found is not None:
        found.account = account  # known from now on: the menu asks the account for its person
    return found


def search(text: str, account: Account) -> QuerySet[Person]:
    """People within reach found by name, pinyin, initials, exact number or exact phone."""
    return people_for(account).filter(matches(text))


def matches(text: str, *, of: type[Person | Membership] = Person) -> Q:
    """The condition a search text stands for, made so that an index answers each form.

    18 characters are an identity number and 11 digits a phone, both by their keyed hash;
    letters are the beginning of the pinyin, the initials or the name; anything else is a
    piece of a name, from two characters on, or its beginning. Who has it is looked up at once by
    functions that ask the index past row security; what they find is judged like every row. A
    name that thousands have is compared row by row: lists of them fill soon.
    """
    if of is Membership:
        return Q(person__in=Person.objects.filter(matches(text)))
    if not (typed := _typed(text)):
        return Q(pk__in=[])
    if (found := number_in(typed)) is not None:
        column, print_ = found
        return Q(**{column: print_})
    few = _look_up(typed, None, _FEW + 1)
    return Q(pk__in=few) if len(few) <= _FEW else _compared(typed)


def first_matches(
    text: str,
    most: int,
    chosen: Mapping[str, str] | None = None,
    *,
    of: type[Person | Membership] = Person,
) -> Q:
    """The same for a list of people, or of memberships, that shows no more than `most`: so many
    of those within the reader's reach.

    `chosen`: what else narrows the list, which the look-up heeds (`county`, `sex` and `is_alive`
    of people; `sex`, `state`, `channel` and `is_farmer_worker` of memberships). A list that is
    narrowed by more, or ordered, takes `matches`.
    """
    typed = _typed(text)
    if not typed or number_in(typed) is not None:
        return matches(text, of=of)
    roles = sorted(access.roles_with(Permission.PERSON_VIEW))
    return Q(pk__in=_look_up(typed, roles, most, chosen, of=of))


def number_in(text: str) -> tuple[str, str] | None:
    """Column and keyed hash of a whole number, typed or as it stands in an address."""
    typed = _typed(text)
    if mark := _MARK.fullmatch(typed):
        return _MARKED[mark[1]], mark[2]
    return _by_number(typed)


def in_an_address(text: str) -> str:
    """A search as its list's address holds it: a whole number by its keyed hash alone.

    An address is kept by browsers and told by links; whoever reads it there learns no number.
    """
    found = _by_number(_typed(text))
    if found is None:
        return text
    column, print_ = found
    letter = next(letter for letter, marked in _MARKED.items() if marked == column)
    return f"~{letter}{print_}"


def _by_number(typed: str) -> tuple[str, str] | None:
    """The blind index that a whole identity number or phone is found by."""
    number = digits_as_typed(typed).upper()
    if _IDENTITY.fullmatch(number):
        return "national_id_index", fingerprint("national_id", number)
    if phone := _PHONE.fullmatch(number):
        return "phone_index", fingerprint("phone", phone[1])
    return None


def _typed(text: str) -> str:
    return " ".join(without_invisible(halfwidth(text)).split())


def _look_up(
    typed: str,
    roles: list[Role] | None,
    most: int,
    chosen: Mapping[str, str] | None = None,
    *,
    of: type[Person | Membership] = Person,
) -> list[int]:
    """Keys of the first whom the text names, of those whom the roles reach if given."""
    by_letters, by_characters = _LOOKS[of]
    if _LATIN.fullmatch(typed):
        asked = by_letters
        given: list[Any] = [f"{_plain(_run_together(typed))}%", f"{_plain(typed)}%"]
    else:
        asked = by_characters
        pieces = [typed[place : place + 2] for place in range(len(typed) - 1)]
        given = [pieces, f"%{_plain(typed)}%" if pieces else f"{_plain(typed)}%"]
    with connection.cursor() as cursor:
        cursor.execute(asked, [*given, roles, most, json.dumps(dict(chosen or {}))])
        return [key for (key,) in cursor.fetchall()]


def _compared(typed: str) -> Q:
    """What the functions look up, as a condition on a person's row."""
    if _LATIN.fullmatch(typed):
        letters = _run_together(typed)
        spelled = StartsWith(Replace("pinyin", Value(" "), Value("")), letters)
        named = Q(spelled) | Q(initials__startswith=letters) | Q(name__startswith=typed)
    else:
        named = Q(name__contains=typed) if len(typed) > 1 else Q(name__startswith=typed)
    return named & Q(merged_into__isnull=True)


def _run_together(typed: str) -> str:
    return typed.lower().replace(" ", "")


def _plain(text: str) -> str:
    """The text as it stands, within a pattern."""
    return connection.ops.prep_for_like_query(text)


def who_looked(person: Person) -> QuerySet[AuditEntry]:
    """Every time a sealed value of this person was shown, alone or in an exported list, a paper
    about them fetched, or their row compared for a merge: when, who, what, why.

    Also of rows that were merged into this one.
    """
    merged = person.merged_from.annotate(text=Cast("pk", CharField())).values("text")
    return AuditEntry.objects.filter(
        Q(action__in=["person.unmask", "person.file_fetched"])
        | Q(action__startswith="person.merge"),
        Q(subject_id=str(person.pk)) | Q(subject_id__in=merged),
        subject_type=Person._meta.label_lower,
    ).order_by("-id")


def with_cautions(accounts: QuerySet[BankAccount]) -> QuerySet[Any]:
    """Bank accounts with what their checker should know.

    `sharers`: other people with the same account; `rivals`: other proposals of the same
    payee; `is_replacement`: a confirmed one would retire; `is_other_holder`: the holder
    is not the payee.
    """
    # Of other unions too, whose accounts the checker is not shown.
    sharers = Func(
        "fingerprint",
        Coalesce("person_id", 0),
        function="members_sharers",
        output_field=IntegerField(),
    )
    rivals = (
        BankAccount.objects.filter(payee=OuterRef("payee"), state=BankAccountState.PROPOSED)
        .exclude(pk=OuterRef("pk"))
        .order_by()
        .values("payee")
        .annotate(n=Count("pk"))
        .values("n")
    )
    confirmed = BankAccount.objects.filter(
        payee=OuterRef("payee"), state=BankAccountState.CONFIRMED
    ).exclude(pk=OuterRef("pk"))
    return accounts.annotate(
        sharers=sharers,
        rivals=Coalesce(Subquery(rivals, output_field=IntegerField()), 0),
        is_replacement=Exists(confirmed),
        is_other_holder=~Q(holder=Coalesce(F("person__name"), F("merchant__name"))),
    )


def accounts_to_confirm(account: Account) -> QuerySet[Any]:
    """Proposed bank accounts that this checker may confirm, with their cautions."""
    return with_cautions(
        BankAccount.objects.filter(
            access.scope(account, Permission.ACCOUNT_NUMBER_CONFIRM, "person__organization__path"),
            state=BankAccountState.PROPOSED,
        ).exclude(entered_by=account)
    ).select_related("person", "person__organization", "entered_by")


def caution_codes(judged: Any) -> list[str]:
    """The cautions of an account that `with_cautions` has judged, as codes for the log."""
    flags = {
        "shared": judged.sharers,
        "rivals": judged.rivals,
        "replacement": judged.is_replacement,
        "other_holder": judged.is_other_holder,
    }
    return [code for code, is_set in flags.items() if is_set]


def cautions(judged: Any) -> list[str]:
    """The same as sentences for the checker."""
    texts = {
        "shared": _("%(count)s other people have this account too."),
        "rivals": _("The person has %(rivals)s other proposals; reject the wrong ones first."),
        "replacement": _("It replaces an account that is in use."),
        "other_holder": _("The holder is not the person; the reason given: %(reason)s"),
    }
    values = {
        "count": judged.sharers,
        "rivals": judged.rivals,
        "reason": judged.reason or _("none"),
    }
    return [texts[code] % values for code in caution_codes(judged)]


def imports_to_confirm(account: Account) -> QuerySet[ImportRun]:
    """The account's own checked files without errors; those with errors nobody can confirm."""
    return imports_for(account).to_confirm().filter(uploaded_by=account)


def imports_for(account: Account) -> ImportRunQuerySet:
    """Imports of the unions for which the account may import."""
    return ImportRun.objects.filter(access.scope(account, Permission.PERSON_IMPORT)).select_related(
        "organization", "uploaded_by", "job"
    )
