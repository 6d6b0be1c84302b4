"""Whoever hangs rows on people says what becomes of them when two people are one."""

from django.apps import apps

from members import merging
from members.models import Person
from union_portal import shown_to
from union_portal.readers import Door
from union_portal.row_rules import Through


def references() -> set[str]:
    """Every foreign key to a person, as `app.model.field`."""
    return {
        f"{model._meta.label_lower}.{field.name}"
        for model in apps.get_models()
        if model._meta.managed
        for field in model._meta.local_fields
        if field.is_relation and field.related_model is Person
    }


def test_every_foreign_key_to_a_person_says_whether_it_moves_and_why():
    rules = merging.rules()
    assert references() - rules.keys() == set(), "say so in merging.py of your app"
    assert rules.keys() - references() == set()
    assert all(rule.why for rule in rules.values())


def test_whatever_moves_is_shown_to_whoever_merges():
    """A row that the door did not show would stay behind without a word."""
    for name, rule in merging.rules().items():
        label = name.rpartition(".")[0]
        if not rule.moves or label == "members.person":
            continue
        ways = shown_to.SHOWN[label]
        doors = [way for way in ways if isinstance(way, Through) and way.door == Door.MERGING]
        assert doors and not any(way.is_reading for way in doors), label
