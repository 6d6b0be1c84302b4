"""Keys are rotated while people work: nothing is lost or overwritten, and a kill is harmless."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random

import pytest
from django.db import connection

from members.models import Person
from tests import cast
from tests.processes import surroundings
from union_portal import fields, keys
from union_portal.embedded import places
from union_portal.kit import fictional
from union_portal.kit.crypto import generate_key

# So many chunks that a kill after the first always finds it in the midst of them.
ROWS, CHUNK = 3000, 10
# So many people at each end are written to; of the others the rotation has all to itself.
BUSY = 50
PATIENCE_SECONDS = 120
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def rings(settings, tmp_path: Path):
    """Old: knows both, seals with the first. New: seals with the second."""
    first = settings.PORTAL_KEYRING
    second = f"2:sm4:{generate_key()}"
    made = {"old": f"{second},{first}", "new": f"{first},{second}"}
    yield made
    fields.keyring.cache_clear()


@pytest.fixture
def people() -> list[Person]:
    organization = cast.make_tree().unions[0]
    made = fictional.make_people(
        Random(1), ROWS, divisions=["610802"], first=date(1950, 1, 1), last=date(2000, 1, 1)
    )
    rows = [
        Person(
            name=one.name, sex=one.sex, born_on=one.born_on, national_id=one.national_id,
            national_id_index=fields.fingerprint("national_id", one.national_id),
            phone=one.mobile, organization=organization,
        )
        for one in made
    ]  # fmt: skip
    Person.objects.bulk_create(rows)
    return list(Person.objects.order_by("pk"))


def start(*words: str, ring: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=places.CHECKOUT,
        env=surroundings(PORTAL_KEYRING=ring),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until(reached: Callable[[], object], *alive: "subprocess.Popen[str]") -> None:
    """Look again and again; a process that ended meanwhile tells why."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not reached():
        ended = [one for one in alive if one.poll() is not None]
        assert not ended, ended[0].communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_nothing_is_lost_while_writers_write_and_a_rotation_is_killed(
    rings: dict[str, str], people: list[Person], settings, tmp_path: Path
):
    halves = [
        (people[0].pk, people[BUSY - 1].pk, "new"),
        (people[-BUSY].pk, people[-1].pk, "old"),
    ]
    files = [tmp_path / "ring-0", tmp_path / "ring-1"]
    writers = []
    for (first, last, ring), file in zip(halves, files, strict=True):
        file.write_text(rings[ring])
        words = ("-m", "tests.keys.writer", str(first), str(last), str(file), str(tmp_path))
        writers.append(start(*words, ring=rings[ring]))
    settings.PORTAL_KEYRING = rings["new"]
    fields.keyring.cache_clear()
    numbers, phones = _columns("national_id", "phone")
    try:
        until(lambda: len(list(tmp_path.glob("ready-*"))) == 2, *writers)
        rotation = start("manage.py", "rotate_keys", "--chunk", str(CHUNK), ring=rings["new"])
        until(lambda: _moved("national_id") > 0, *writers, rotation)
        rotation.send_signal(signal.SIGKILL)
        rotation.communicate()
        assert numbers.outdated() > BUSY  # it was killed in the midst of them
        # The second writer seals with the old key until it is restarted with the new ring.
        # In one step: a ring that is half there would end the writer.
        fresh = tmp_path / "fresh"
        fresh.write_text(rings["new"])
        fresh.replace(files[1])
        until(lambda: len(list(tmp_path.glob("ready-*"))) == 3, *writers)
        again = start("manage.py", "rotate_keys", "--chunk", str(CHUNK), ring=rings["new"])
        said, _nothing = again.communicate(timeout=PATIENCE_SECONDS)
        assert again.returncode == 0, said
        assert said.endswith("0 left\n")
        assert all(writer.poll() is None for writer in writers)
    finally:
        (tmp_path / "stop").touch()
        for writer in writers:
            writer.communicate(timeout=PATIENCE_SECONDS)
    wrote = {}
    for first, _last, _ring in halves:
        wrote |= json.loads((tmp_path / f"wrote-{first}.json").read_text())
    assert len(wrote) > BUSY
    assert numbers.outdated() == phones.outdated() == 0
    expected = {one.pk: (one.national_id, wrote.get(str(one.pk), one.phone)) for one in people}
    found = {one.pk: (one.national_id, one.phone) for one in Person.objects.all()}
    assert found == expected
    assert _moved("national_id") >= ROWS - 2 * BUSY


def _columns(*names: str) -> list[keys.Column]:
    held = {column.field.name: column for column in keys.columns() if column.model is Person}
    return [held[name] for name in names]


def _moved(column: str) -> int:
    """How many values the log says were moved, by both rotations; the writers moved some too."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum((detail ->> 'count')::bigint), 0) FROM union_portal_auditentry"
            " WHERE action = 'keys.rotated' AND detail ->> 'column' = %s",
            [column],
        )
        return int(cursor.fetchone()[0])
