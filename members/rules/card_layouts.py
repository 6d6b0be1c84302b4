"""How a bank wants its list of applicants, and how it answers, as data.

No bank's own layout is claimed here: the shipped ones are samples to begin with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from django.utils.translation import gettext_noop as _

from union_portal.kit.delimited_text import ENCODINGS
from union_portal.kit.refusals import Refused

KINDS: Final = frozenset({"delimited", "xlsx"})
# What can stand in a column of the file that goes to the bank.
FIELDS: Final = frozenset(
    {
        "row", "reference", "name", "national_id", "phone", "employer", "union", "batch_number",
        "empty",
    }
)  # fmt: skip
RESULT_FIELDS: Final = frozenset(
    {"row", "reference", "name", "national_id", "card_number", "result", "cause", "ignored"}
)
# One names the application, one the person: rows shifted by one give nobody another's card.
KEYS: Final = ("row", "reference", "national_id")
PERSON: Final = ("name", "national_id")
RESULTS: Final = frozenset({"issued", "refused"})
MOST_ROWS: Final = 100_000
LONGEST_WORD: Final = 40

Column = tuple[str, str]


class LayoutRefused(Refused):
    """A configuration that can't work, with what is unknown or missing in it."""


@dataclass(frozen=True)
class CardLayout:
    """A bank's layout: columns as pairs of title and field, in their order.

    `results` says what each of the bank's words or codes means: "issued" or "refused".
    """

    kind: str = "delimited"
    encoding: str = "gb18030"
    separator: str = ","
    quote: str = '"'
    line_end: str = "\r\n"
    extension: str = "csv"
    has_titles: bool = True
    columns: tuple[Column, ...] = ()
    result_has_titles: bool = True
    result_columns: tuple[Column, ...] = ()
    results: Mapping[str, str] = field(default_factory=dict)
    most_rows: int = 20_000

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Read a stored configuration. Errors: LayoutRefused."""
        if strange := sorted(set(config) - set(cls.__dataclass_fields__)):
            raise _unknown(strange)
        values = dict(config)
        for name in ("columns", "result_columns"):
            values[name] = _pairs(config.get(name, ()))
        made = cls(**values)
        made.check()
        return made

    def check(self) -> None:
        """Errors: LayoutRefused if files of this layout could not be written or read."""
        self._check_kinds()
        if self.kind not in KINDS:
            raise _unknown([self.kind])
        if self.encoding not in ENCODINGS:
            raise _unknown([self.encoding])
        _require_fields(self.columns, FIELDS, repeatable="empty")
        _require_fields(self.result_columns, RESULT_FIELDS, repeatable="ignored")
        if wrong := sorted(set(self.results.values()) - RESULTS):
            raise _unknown(wrong)
        if not self.separator or (self.quote and (len(self.quote), len(self.separator)) != (1, 1)):
            raise LayoutRefused(
                _("With quotation marks, both marks are one character."),
                _("Leave “quote” empty for a separator of several characters."),
            )
        if self.kind == "xlsx" and not (self.has_titles and self.result_has_titles):
            raise LayoutRefused(
                _("The columns of a workbook are found by their titles."),
                _("Set “has_titles” and “result_has_titles” to true."),
            )
        self._require_what_a_card_needs()

    def _check_kinds(self) -> None:
        texts = (self.kind, self.encoding, self.separator, self.quote, self.line_end)
        flags = (self.has_titles, self.result_has_titles)
        is_sound = (
            all(isinstance(text, str) for text in (*texts, self.extension))
            and all(isinstance(flag, bool) for flag in flags)
            and isinstance(self.results, Mapping)
            and all(isinstance(one, str) for pair in self.results.items() for one in pair)
            and type(self.most_rows) is int
            and 1 <= self.most_rows <= MOST_ROWS
            and self.extension.isalnum()
            and len(self.extension) <= 5
        )
        if not is_sound:
            raise LayoutRefused(
                _("The layout holds a value of the wrong kind."),
                _("Compare it with one of the samples."),
            )

    def _require_what_a_card_needs(self) -> None:
        asked, answered = fields_of(self.columns), fields_of(self.result_columns)
        missing = [name for name in ("name", "national_id", "phone") if name not in asked]
        missing += [name for name in ("result", "card_number") if name not in answered]
        missing += [] if any(name in answered for name in KEYS) else ["row"]
        missing += [] if any(name in answered for name in PERSON) else ["name"]
        # What the bank is to name in its answer, it has to be told.
        missing += [name for name in ("row", "reference") if name in answered and name not in asked]
        missing += sorted(RESULTS - set(self.results.values()))
        if missing:
            raise LayoutRefused(
                _("The layout leaves out what a card needs: %(what)s."),
                _("Compare it with one of the samples."),
                {"what": ", ".join(dict.fromkeys(missing))},
            )

    @property
    def key(self) -> str:
        """The column by which a row of the answer names its application."""
        answered = fields_of(self.result_columns)
        return next(name for name in KEYS if name in answered)


def fields_of(columns: Sequence[Column]) -> list[str]:
    """The fields of some columns, in their order."""
    return [name for _title, name in columns]


def _pairs(columns: Any) -> tuple[Column, ...]:
    """Titles and fields. Errors: LayoutRefused for anything else."""
    is_sound = isinstance(columns, list | tuple) and all(
        isinstance(pair, list | tuple)
        and len(pair) == 2
        and all(isinstance(one, str) and len(one) <= LONGEST_WORD for one in pair)
        for pair in columns
    )
    if not is_sound:
        raise LayoutRefused(
            _("Columns are pairs of a title and a field."),
            _('Write them as [["姓名", "name"], ["证件号码", "national_id"]].'),
        )
    return tuple((pair[0], pair[1]) for pair in columns)


def _require_fields(columns: Sequence[Column], known: frozenset[str], *, repeatable: str) -> None:
    names, titles = fields_of(columns), [title for title, _name in columns if title]
    if wrong := sorted(set(names) - known):
        raise _unknown(wrong)
    twice = {name for name in names if names.count(name) > 1} - {repeatable}
    twice |= {title for title in titles if titles.count(title) > 1}
    if twice:
        raise LayoutRefused(
            _("The layout has a column twice: %(what)s."),
            _("Call columns that are not read “ignored”."),
            {"what": ", ".join(sorted(twice))},
        )


def _unknown(what: Sequence[str]) -> LayoutRefused:
    return LayoutRefused(
        _("The layout names what is not known: %(what)s."),
        _("Compare it with one of the samples."),
        {"what": ", ".join(what)[:200]},
    )


_ASKED: Final = [
    ["序号", "row"], ["姓名", "name"], ["证件号码", "national_id"], ["手机号码", "phone"],
    ["工作单位", "employer"], ["所属工会", "union"], ["批次号", "batch_number"],
]  # fmt: skip
_ANSWERED: Final = [
    ["序号", "row"], ["姓名", "name"], ["证件号码", "national_id"], ["卡号", "card_number"],
    ["处理结果", "result"], ["失败原因", "cause"],
]  # fmt: skip

# Samples, which are no bank's own: a clerk copies one and changes it to what the bank asks for.
SAMPLES: Final[dict[str, dict[str, Any]]] = {
    "sample-text": {
        "kind": "delimited",
        "encoding": "gb18030",
        "separator": ",",
        "columns": _ASKED,
        "result_columns": _ANSWERED,
        "results": {"成功": "issued", "失败": "refused"},
    },
    "sample-workbook": {
        "kind": "xlsx",
        "extension": "xlsx",
        "columns": [["申请编号", "reference"], *_ASKED[1:]],
        "result_columns": [["申请编号", "reference"], *_ANSWERED[1:]],
        "results": {"00": "issued", "01": "refused", "02": "refused"},
    },
}
