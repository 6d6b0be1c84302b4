"""Edits by a superuser of the database with its triggers asleep: which check finds each.

python -m tests.audit --edits 1000 --seed 1     made, looked for and undone, one by one
python -m tests.audit --entries 100000          how long verify_audit takes, and its memory
"""

import argparse
import os
import sys
import time

import django

from tests.faults import setting
from tests.faults.world import Pace, World
from tests.processes import peak

# Of so many edits one is of the books: its search asks every invariant.
ONE_OF_THE_BOOKS = 3


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.audit",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--edits", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--entries", type=int)
    options = parser.parse_args()
    try:
        with setting.world(Pace(), say=lambda line: None, var=setting.VAR_AUDIT) as world:
            _begin(world)
            if options.entries:
                return _measured(options.entries)
            return _edits(options.edits, options.seed)
    except setting.Busy as busy:
        print(busy, file=sys.stderr)
        return 2


def _begin(world: World) -> None:
    """As the server's superuser, whom nothing stops."""
    address = world.administrator.rpartition("/")[0]
    os.environ["DATABASE_URL"] = f"{address}/{world.database}"
    os.environ["PORTAL_LOG_LEVEL"] = "ERROR"
    django.setup()


def _edits(count: int, seed: int) -> int:
    from tests.audit import book_edits, log_edits, run, scene
    from tests.cast import make_cast, make_tree
    from tests.disbursement.conftest import make_office

    cast = make_cast(make_tree())
    scene.write_log(cast)
    scene.write_books(make_office(cast))
    if broken := run.broken_books():
        print(f"broken before any edit: {broken}", file=sys.stderr)
        return 1
    tally, of_the_books = run.Tally(), count // ONE_OF_THE_BOOKS
    run.make(log_edits.kinds(), count - of_the_books, seed, run.by_the_log, tally)
    run.make(book_edits.kinds(), of_the_books, seed, run.broken_books, tally)
    print("\n".join(tally.lines()))
    if tally.never_made:
        print(f"NEVER MADE, and nobody says why: {', '.join(tally.never_made)}")
    found = tally.found.total()
    print(f"edits={tally.tried.total()} found={found} seed={seed}")
    return 0 if found == count and not tally.never_made else 1


def _measured(entries: int) -> int:
    """Entries in a thousand blocks; seconds to seal, recount and compare, and peak memory."""
    from tests.audit import rows, scene
    from union_portal import audit

    each = max(1, entries // 1000)
    began = time.monotonic()
    for _block in range(entries // each):
        rows.execute(
            "INSERT INTO union_portal_auditentry (actor_id, actor, action, subject_type,"
            " subject_id, organization_path, reason, detail, request_id) SELECT 7, 'Qiao',"
            " 'person.describe', 'members.person', n::text, '1/2/', '名册更正',"
            " jsonb_build_object('columns', jsonb_build_array('phone', 'employer')), ''"
            " FROM generate_series(1, %s) n",
            each,
        )
        scene.see()
    sealed, began = time.monotonic() - began, time.monotonic()
    faults = audit.verify()
    verified = time.monotonic() - began
    held = peak() // (1 << 20)
    print(
        f"entries={entries} written and sealed in {sealed:.1f} s, verified in {verified:.1f} s"
        f" ({entries / verified:,.0f} a second), peak memory {held} MB, faults={len(faults)}"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
