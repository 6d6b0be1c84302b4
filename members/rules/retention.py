"""How long what is kept, and why: the rules of retention, and what is never forgotten.

Lengths that no text of law names are the product's own, labelled so; a change is a change of
this page, seen by whoever reads it.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.utils.translation import gettext_noop

_PIPL_19: Final = gettext_noop(
    "Personal Information Protection Law, art. 19: the shortest time that the purpose needs."
    " The length is the product's own."
)
_PIPL_47: Final = gettext_noop(
    "Personal Information Protection Law, art. 47 (1): the purpose has been fulfilled."
    " The length is the product's own."
)
_GRADED: Final = gettext_noop(
    "GB/T 22239-2019: records of log-ins are kept for six months at least. The length is the"
    " product's own."
)


@dataclass(frozen=True)
class Rule:
    """`what` goes when `days` whole days have passed since `since`; texts are message ids."""

    key: str
    what: str
    days: int
    since: str
    why: str
    source: str


@dataclass(frozen=True)
class Kept:
    """What no rule touches, and the reason."""

    what: str
    why: str


RULES: Final = (
    Rule(
        "my_data_files",
        gettext_noop("Copies of one's own data (the files)"),
        7,
        gettext_noop("the copy was made"),
        gettext_noop("Everything about a person in one file; it can be made again at any time."),
        _PIPL_19,
    ),
    Rule(
        "login_codes",
        gettext_noop("Questions for a log-in code"),
        1,
        gettext_noop("the code was asked for"),
        gettext_noop("A code is good for minutes; the questions are counted within an hour."),
        _PIPL_19,
    ),
    Rule(
        "code_messages",
        gettext_noop("Text messages with a log-in code (text and number)"),
        30,
        gettext_noop("the message was written"),
        gettext_noop("The code is of no use any more; that it was sent stays."),
        _PIPL_19,
    ),
    Rule(
        "card_codes",
        gettext_noop("Codes of cards, used or expired"),
        30,
        gettext_noop("the code expired"),
        gettext_noop("The use itself is kept; the code stands for a card no longer."),
        _PIPL_19,
    ),
    Rule(
        "join_applications",
        gettext_noop("Applications to join that were refused or taken back"),
        365,
        gettext_noop("the last step of the application"),
        gettext_noop("Whoever did not become a member is not kept; a year is left to ask back."),
        _PIPL_47,
    ),
    Rule(
        "import_files",
        gettext_noop("Uploaded lists of people (the files)"),
        365,
        gettext_noop("the upload"),
        gettext_noop("The register holds what was taken over; the file repeats whole numbers."),
        _PIPL_47,
    ),
    Rule(
        "import_findings",
        gettext_noop("What was found wrong in uploaded lists"),
        365,
        gettext_noop("the upload"),
        gettext_noop("The lists were mended or given up long ago."),
        _PIPL_47,
    ),
    Rule(
        "corrections",
        gettext_noop("Answered corrections (what was asked for, and the words)"),
        365,
        gettext_noop("the answer"),
        gettext_noop("The register holds what is right; that and how it was answered stays."),
        _PIPL_47,
    ),
    Rule(
        "correction_evidence",
        gettext_noop("Evidence for answered corrections (the files)"),
        365,
        gettext_noop("the answer"),
        gettext_noop("Copies of identity papers serve one look and no other."),
        _PIPL_47,
    ),
    Rule(
        "log_in_records",
        gettext_noop("Records of log-ins, right and wrong"),
        365,
        gettext_noop("the try"),
        gettext_noop("They show attacks and misuse; a year covers every review of accounts."),
        _GRADED,
    ),
    Rule(
        "message_texts",
        gettext_noop("Text messages and letters that were sent (text and number)"),
        730,
        gettext_noop("the message was written"),
        gettext_noop("When and how somebody was told stays; the words name people and sums."),
        _PIPL_47,
    ),
)

KEPT: Final = (
    Kept(
        gettext_noop("Accounts, payments, decisions and their papers"),
        gettext_noop("Vouchers are kept for 30 years; withdrawal of consent does not end that."),
    ),
    Kept(
        gettext_noop("The audit log and the digests of files"),
        gettext_noop("They show who did what; they hold no numbers and no texts."),
    ),
    Kept(
        gettext_noop("Members, memberships and their changes"),
        gettext_noop("The register of the union: a membership is kept with its end."),
    ),
    Kept(
        gettext_noop("Consents and their withdrawals"),
        gettext_noop("They prove what was allowed at which time."),
    ),
)


def first_kept_day(rule: Rule, run_on: date) -> date:
    """The eldest day that a run still keeps: whatever is of a day before it goes.

    A row of exactly `days` days is kept: its last day is not over.
    """
    return run_on - timedelta(days=rule.days)


def by_key(key: str) -> Rule:
    """The rule of a key. Errors: LookupError."""
    return {rule.key: rule for rule in RULES}[key]
