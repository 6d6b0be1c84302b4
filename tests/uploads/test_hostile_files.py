"""Hundreds of hostile files at every door: refused with words, or written anew; nothing more."""

from __future__ import annotations

import ast
import itertools
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.module_loading import import_string

from awards.forms import EvidenceField
from tests.architecture.sources import ROOT, python_files, tree
from tests.cast import Cast
from tests.processes import peak as peak_held
from tests.processes import restart_peak
from tests.uploads.corpus import Hostile, families, hostile_files
from tests.uploads.doors import Door, Tally, doors, send
from union_portal.kit import confined

FILES = int(os.environ.get("HOSTILE_FILES", "300"))
SEED = int(os.environ.get("HOSTILE_SEED", "1"))
AT_EVERY_DOOR = "HOSTILE_FILES" in os.environ
MOST_MIB = 200
MEBIBYTE = 1024 * 1024
TOGETHER = 12
DAY = 24 * 3600


@pytest.mark.django_db
def test_no_hostile_file_comes_through_any_door(cast: Cast, settings: Any):
    """In the suite each file tries two doors in turn; `python -m tests.uploads` tries all."""
    # However long it takes, whoever sends is logged in and has just said who they are.
    settings.SESSION_COOKIE_AGE = settings.IDLE_SECONDS = DAY
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = DAY
    known, tally, growth = doors(cast), Tally(), 0
    peak = confined.peak_bytes()
    for files in batches(hostile_files(FILES, seed=SEED)):
        begun = restart_peak()
        for door in chosen(known):
            for some in parted(files, door.at_once):
                send(door, some, tally)
        growth = max(growth, peak_held() - begun)
        peak = max(peak, confined.peak_bytes())
    sent = tally.refused + tally.clean + tally.crashed
    figures = {
        "files": FILES, "sent": sent, "refused": tally.refused, "clean": tally.clean,
        "crashed": tally.crashed, "child_mib": peak // MEBIBYTE, "growth_mib": growth // MEBIBYTE,
        "faults": tally.faults[:40], "seed": SEED,
    }  # fmt: skip
    if place := os.environ.get("HOSTILE_FIGURES"):
        Path(place).write_text(json.dumps(figures), encoding="utf-8")
    assert tally.faults == []
    assert tally.crashed == 0
    assert (peak + growth) / MEBIBYTE <= MOST_MIB, figures
    assert tally.clean > 0
    assert len(tally.told) > 30


_turn = itertools.count()


def chosen(known: list[Door]) -> list[Door]:
    """All doors, or two in turn: then each door is met, but not by files of every kind."""
    if AT_EVERY_DOOR:
        return known
    turn, half = next(_turn), len(known) // 2
    return [known[turn % len(known)], known[(turn + half) % len(known)]]


def batches(files: Iterator[Hostile]) -> Iterator[list[Hostile]]:
    """A dozen at a time of one temper: those that may be kept if clean apart from the others."""
    waiting: dict[bool, list[Hostile]] = defaultdict(list)
    for one in files:
        waiting[one.may_be_clean].append(one)
        if len(waiting[one.may_be_clean]) == TOGETHER:
            yield waiting.pop(one.may_be_clean)
    yield from waiting.values()


def parted(files: list[Hostile], size: int) -> Iterator[list[Hostile]]:
    return (files[at : at + size] for at in range(0, len(files), size))


def test_the_corpus_is_drawn_from_its_seed_and_every_family_is_in_it():
    # A password makes new bytes each time.
    first, again, other = (
        [one for one in hostile_files(12, seed=seed) if one.family != "paper_under_a_password"]
        for seed in (7, 7, 8)
    )
    assert first == again != other
    drawn = {one.family for one in hostile_files(len(families), seed=SEED)}
    assert drawn == set(families)
    assert len(families) > 90


def test_files_that_are_too_much_together_are_refused_unread():
    class Heavy(SimpleUploadedFile):
        def read(self, *_size: int) -> bytes:
            raise AssertionError("read")

    heavy = [Heavy(f"{number}.jpg", b"x") for number in range(4)]
    for one in heavy:
        one.size = 19 * MEBIBYTE
    with pytest.raises(ValidationError, match="larger than 60 MB"):
        EvidenceField().clean(heavy)


def test_every_field_that_takes_a_file_is_a_known_door(cast: Cast, db: None):
    """A new upload has to be sent the hostile files before it is one."""
    assert upload_fields() == {door.name for door in doors(cast)}


def upload_fields() -> set[str]:
    """Module, form and name of every form field in the product that takes a file."""
    kinds = {"FileField", "ImageField"} | {
        node.name
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and is_file_field(path, node.name)
    }
    return {
        f"{'.'.join(path.relative_to(ROOT).with_suffix('').parts)}.{form.name}.{target.id}"
        for path in python_files()
        for form in ast.walk(tree(path))
        if isinstance(form, ast.ClassDef)
        for line in form.body
        if isinstance(line, ast.Assign) and isinstance(line.value, ast.Call)
        for target in line.targets
        if isinstance(target, ast.Name) and called(line.value) in kinds
    }


def is_file_field(path: Path, name: str) -> bool:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    try:
        found = import_string(f"{module}.{name}")
    except ImportError:
        return False  # defined within a function, as forms are; fields stand at the top
    return isinstance(found, type) and issubclass(found, forms.FileField)


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def test_files_of_a_request_are_taken_at_known_places_alone():
    """What reads request.FILES by itself would pass the forms by."""
    places = {
        str(path.relative_to(ROOT))
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr == "FILES"
    }
    assert places == {
        "union_portal/admin/pages.py",
        "union_portal/once.py",
        "awards/views/pages.py",
        "members/views/privacy.py",
        "members/views/merchants.py",
    }
