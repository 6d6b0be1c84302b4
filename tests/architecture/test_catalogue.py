"""Chinese first: nothing a reader sees lacks its translation."""

import ast
import gettext
import re
from typing import Any

import pytest
from babel.messages.pofile import read_po
from django.db.models import Model
from django.utils import translation

from awards.models import HonourTitle
from awards.states import CaseState
from tests.architecture import catalogue
from tests.architecture.sources import ROOT, python_files
from union_portal.borrowed import IN_ENGLISH
from union_portal.models import Message, Notice, RuleSet
from union_portal.models.once import SentForm
from union_portal.states import FactorResetState, ReportState
from welfare.disbursement.models import Verdict
from welfare.disbursement.states import LineState

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


def test_the_chinese_catalogue_is_complete():
    assert catalogue.missing(catalogue.fresh()) == []


def test_no_module_asks_for_a_text_by_a_name_that_the_reader_does_not_know():
    """`gettext as _now` leaves its texts out of the catalogue: they stay English, unnoticed."""
    unknown = [
        f"{path.relative_to(ROOT)}: {name.name} as {name.asname}"
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for name in node.names
        if name.name in catalogue.KEYWORDS and (name.asname or name.name) not in catalogue.KEYWORDS
    ]
    assert unknown == []


def test_the_catalogue_holds_nothing_fuzzy_and_nothing_left_over():
    asked = {str(message.id) for message in catalogue.fresh() if message.id}
    held = {str(message.id) for message in catalogue.current() if message.id}
    assert [message.id for message in catalogue.current() if message.id and message.fuzzy] == []
    assert held - asked == set()


def test_the_compiled_catalogue_is_made_from_the_written_one():
    with catalogue.MO.open("rb") as stream:
        compiled = gettext.GNUTranslations(stream)
    stale = [
        message.id
        for message in catalogue.current()
        if isinstance(message.id, str)
        and message.id
        and not message.context
        and compiled.gettext(message.id) != message.string
    ]
    assert stale == []


def test_a_translation_keeps_its_placeholders():
    broken = []
    for message in catalogue.current():
        if isinstance(message.id, str) and message.id and message.string:
            wanted = sorted(PLACEHOLDER.findall(message.id))
            if sorted(PLACEHOLDER.findall(str(message.string))) != wanted:
                broken.append(message.id)
    assert broken == []


def _label(model: type[Model], field: str) -> Any:
    return model._meta.get_field(field).verbose_name  # type: ignore[union-attr]


# One English word, two meanings: where each is said, and how it differs in Chinese.
TWO_MEANINGS = {
    "an application; a row of the bank's": (CaseState.SUBMITTED.label, Verdict.APPLIED.label),
    "a decision; a wish for another factor": (
        CaseState.REFUSED.label, FactorResetState.REFUSED.label,
    ),
    "a report; a payment before it is sent": (ReportState.READY.label, LineState.READY.label),
    "where a list hangs; where a rule holds": (_label(Notice, "place"), _label(RuleSet, "place")),
    "a text; an honour": (_label(Notice, "title"), _label(HonourTitle, "name")),
    "a form; a message": (_label(SentForm, "sent_at"), _label(Message, "sent_at")),
}  # fmt: skip


@pytest.mark.parametrize("meanings", TWO_MEANINGS)
def test_a_word_with_two_meanings_has_two_translations(meanings: str):
    one, other = TWO_MEANINGS[meanings]
    assert str(one) == str(other)
    with translation.override("zh-hans"):
        assert str(one) != str(other)


def test_leaving_a_page_is_not_called_ending_something():
    with translation.override("zh-hans"):
        assert translation.gettext("Close") == "关闭"
        assert translation.gettext("End") == "结束"


def test_english_says_passkey_where_a_library_says_security_key():
    with catalogue.ENGLISH.open("rb") as stream:
        held = {message.id: message.string for message in read_po(stream) if message.id}
    assert held == IN_ENGLISH
    with translation.override("en"):
        assert translation.gettext("Security Keys") == "Passkeys"
