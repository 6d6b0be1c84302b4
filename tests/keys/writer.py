"""Somebody at work while keys are rotated: changes phones of people again and again.

`python -m tests.keys.writer FIRST LAST RING FOLDER`: seals with the ring in the file RING, which
is read anew when it changes, as a process that is restarted would. Ends when FOLDER/stop is
there, and tells in FOLDER what it wrote last into each row. Nobody else writes to these people:
if one has another phone than was written last, it ends at once and says so.
"""

import json
import os
import random
import sys
import time
from pathlib import Path

import django


def main(first: int, last: int, ring: Path, folder: Path) -> None:
    django.setup()
    from django.conf import settings

    from members.models import Person
    from union_portal import fields

    rng = random.Random(first)
    known: str | None = None
    wrote: dict[int, str] = {}
    while not (folder / "stop").exists():
        if ring.read_text() != known:
            known = settings.PORTAL_KEYRING = ring.read_text()
            fields.keyring.cache_clear()
            (folder / f"ready-{first}-{len(list(folder.glob('ready-*')))}").touch()
        pk = rng.randint(first, last)
        person = Person.objects.get(pk=pk)
        if person.phone != wrote.get(pk, person.phone):
            raise SystemExit(f"person {pk} has another phone than was written last")
        phone = f"199{rng.randrange(10**8):08d}"
        # Every third one as a form does it: read the row, change one datum, write it all.
        if rng.randrange(3):
            Person.objects.filter(pk=pk).update(phone=phone)
        else:
            person.phone = phone
            person.save()
        wrote[pk] = phone
        time.sleep(0.005)  # somebody who types; a busy loop would prove no more
    (folder / f"wrote-{first}.json").write_text(json.dumps(wrote))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "union_portal.settings")
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]))
