"""Chinese first: nothing a reader sees lacks its translation."""

import gettext
import re

from tests.architecture import catalogue

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


def test_the_chinese_catalogue_is_complete():
    assert catalogue.missing(catalogue.fresh()) == []


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
