"""Keys are rotated while people work: nothing is lost or overwritten, and a kill is harmless."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from random import Random

import pytest
from django.db import connection

from members.models import Person
from tests import cast
from tests.processes import PATIENCE_SECONDS, surroundings, until
from union_portal import fields, keys
from union_portal.embedded import places
from union_portal.kit import fictional
from union_portal.kit.crypto import generate_key

# So many chunks that a kill after the first always finds it in the midst of them.
ROWS, CHUNK = 3000, 10
# So many people at each end are written to; of the others the rotation has all to itself.
BUSY = 10
# So many phones are moved while somebody still writes them with the old key: each is a chance to
# lay an older one over it.
MET = 500
Process = subprocess.Popen[str]
Start = Callable[..., Process]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def rings(settings):
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


@pytest.fixture
def start(transactional_db: None) -> Iterator[Start]:
    """Starts a process on the test's database; what still runs at the end is ended."""
    started = []

    def begin(*words: str, ring: str) -> Process:
        started.append(
            subprocess.Popen(
                [sys.executable, *words],
                cwd=places.CHECKOUT,
                env=surroundings(PORTAL_KEYRING=ring),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        return started[-1]

    yield begin
    for process in started:
        with process:
            process.kill()


def test_nothing_is_lost_while_writers_write_and_a_rotation_is_killed(
    rings: dict[str, str], people: list[Person], start: Start, settings, tmp_path: Path
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
    rotate = ("manage.py", "rotate_keys", "--chunk", str(CHUNK))
    until(lambda: len(list(tmp_path.glob("ready-*"))) == 2, alive=writers)
    rotation = start(*rotate, ring=rings["new"])
    until(lambda: _moved("national_id") > 0, alive=[*writers, rotation])
    rotation.send_signal(signal.SIGKILL)
    rotation.communicate()
    assert numbers.outdated() > BUSY  # it was killed in the midst of them
    # The second writer seals with the old key until it is restarted with the new ring: what is
    # moved is soon old again, and is moved once more while it is written.
    until(lambda: phones.reseal(chunk=CHUNK) and _moved("phone") > ROWS + MET, alive=writers)
    # In one step: a ring that is half there would end the writer.
    fresh = tmp_path / "fresh"
    fresh.write_text(rings["new"])
    fresh.replace(files[1])
    until(lambda: len(list(tmp_path.glob("ready-*"))) == 3, alive=writers)
    last = start(*rotate, ring=rings["new"])
    said, _nothing = last.communicate(timeout=PATIENCE_SECONDS)
    assert last.returncode == 0, said
    assert said.endswith("0 left\n")
    wrote = _ended(writers, tmp_path)
    assert len(wrote) > BUSY
    assert numbers.outdated() == phones.outdated() == 0
    expected = {one.pk: (one.national_id, wrote.get(one.pk, one.phone)) for one in people}
    found = {one.pk: (one.national_id, one.phone) for one in Person.objects.all()}
    assert found == expected
    assert _moved("national_id") >= ROWS - 2 * BUSY


def _ended(writers: list[Process], folder: Path) -> dict[int, str]:
    """What the writers wrote last into each row, when they have ended and found nothing amiss."""
    (folder / "stop").touch()
    wrote: dict[int, str] = {}
    for writer in writers:
        said, _nothing = writer.communicate(timeout=PATIENCE_SECONDS)
        assert writer.returncode == 0, said
    for file in folder.glob("wrote-*.json"):
        wrote |= {int(pk): phone for pk, phone in json.loads(file.read_text()).items()}
    return wrote


def _columns(*names: str) -> list[keys.Column]:
    held = {column.field.name: column for column in keys.columns() if column.model is Person}
    return [held[name] for name in names]


def _moved(column: str) -> int:
    """How many values the log says were moved, by all rotations; the writers moved some too."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum((detail ->> 'count')::bigint), 0) FROM union_portal_auditentry"
            " WHERE action = 'keys.rotated' AND detail ->> 'column' = %s",
            [column],
        )
        return int(cursor.fetchone()[0])
