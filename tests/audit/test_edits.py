"""A hundred edits by a superuser with the triggers asleep: each one is found."""

from datetime import timedelta

import pytest

from tests.audit import book_edits, log_edits, rows, run, scene
from tests.cast import TODAY
from union_portal import audit, history, witnesses

pytestmark = pytest.mark.django_db
EDITS, OF_THE_BOOKS, SEED = 100, 30, 20261128


@pytest.fixture
def log(cast):
    scene.write_log(cast)
    assert audit.verify() == []


def test_every_one_of_a_hundred_edits_of_the_log_is_found(log):
    tally = run.Tally()
    run.make(log_edits.kinds(), EDITS, SEED, run.by_the_log, tally)
    assert tally.tried.total() == EDITS
    assert tally.missed == tally.never_made == []
    assert audit.verify() == []  # each was undone


def test_a_chain_recomputed_as_a_whole_is_found_by_a_witness_alone(log):
    file = witnesses.file()
    kept = file.read_text()
    for kind in ("rewrite from here", "rewrite without", "cut off the end"):
        tally = run.Tally()
        file.write_text("")
        run.make({kind: log_edits.WHOLE[kind]}, 3, SEED, run.by_the_log, tally)
        assert tally.found.total() == 0, kind
        file.write_text(kept)
        run.make({kind: log_edits.WHOLE[kind]}, 3, SEED, run.by_the_log, tally)
        assert tally.found.total() == 3, kind


def test_what_is_not_sealed_yet_is_not_promised(log, cast):
    """The limit that docs/proofs.md names: up to a minute of entries can still be edited."""
    audit.record("late", cast.lin_person, by=audit.WORKER)
    with rows.undone():
        assert rows.execute(f"UPDATE {log_edits.ENTRY} SET reason = 'x' WHERE block IS NULL")
        assert audit.verify() == []


@pytest.fixture
def books(doomed_office):
    scene.write_books(doomed_office)
    assert run.broken_books() == set()
    return doomed_office


def test_every_edit_of_the_books_is_found(books):
    """Drawn from every column that is kept for ever; the long form makes each of them."""
    tally = run.Tally()
    run.make(book_edits.kinds(), OF_THE_BOOKS, SEED, run.broken_books, tally)
    assert tally.tried.total() == OF_THE_BOOKS
    assert tally.missed == tally.never_made == []


def test_what_can_never_be_written_is_known_by_name(books):
    """Each of the kinds that no run makes, tried alone: refused by what is named for it."""
    kinds = book_edits.kinds()
    for kind, constraints in run.CANNOT.items():
        tally = run.Tally()
        with pytest.raises(AssertionError, match="every kind of edit was refused"):
            run.make({kind: kinds[kind]}, 1, SEED, run.broken_books, tally)
        assert {by for _kind, by in tally.refused} & constraints
        assert tally.never_made == []


def test_what_differs_is_never_recorded_over(books):
    later = TODAY + timedelta(days=3)
    with rows.undone():
        rows.execute(
            "UPDATE disbursement_batchapproval SET approved_at = approved_at - 1 * '1d'::interval"
        )
        faults = history.record(today=later)
        assert faults == ["an old row of disbursement_batchapproval was changed"]
        assert history.differences() == faults
    assert history.record(today=later) == []


def test_rows_of_the_day_are_covered_by_the_record_of_the_next(books):
    table = "disbursement_posting"
    books.delivered(1)
    with rows.undone():
        rows.execute(f"UPDATE {table} SET position = 9 WHERE id = (SELECT max(id) FROM {table})")
        assert history.differences() == []
    for day in (3, 4):
        history.record(today=TODAY + timedelta(days=day))
    with rows.undone():
        rows.execute(f"UPDATE {table} SET position = 9 WHERE id = (SELECT max(id) FROM {table})")
        assert history.differences() == [f"an old row of {table} was changed"]


def test_history_covers_what_the_models_keep_and_no_sealed_column():
    kept = history.kept()
    assert {"entry_id", "account_id", "amount_fen"} <= set(kept["disbursement_posting"])
    assert {"account_id", "digest"} <= set(kept["disbursement_batchapproval"])
    assert {"account_id", "file_id"} <= set(kept["union_portal_filedownload"])
    assert "state" not in kept["union_portal_decision"]
    assert {"amount_fen", "steps", "decided_by_id"} <= set(kept["union_portal_decision"])
    assert "number" in kept["disbursement_payoutbatch"]
    assert "digest" not in kept["disbursement_payoutbatch"]  # frozen only once it is sealed
    assert "body" not in kept["disbursement_returnfile"]
    assert "union_portal_auditentry" not in kept  # the chain covers it at once
