"""A log of some blocks, each seen by the witness file; books whose history is recorded in it."""

from datetime import timedelta

from tests.cast import TODAY, Cast
from tests.disbursement.conftest import Office
from union_portal import audit, history, witnesses

BLOCKS, ENTRIES = 12, 5


def write_log(cast: Cast) -> None:
    """Entries by several people about several rows, in blocks, each witnessed when it is sealed."""
    actors = [audit.WORKER, cast.qiao, cast.shi, cast.feng]
    for number in range(BLOCKS):
        for turn in range(ENTRIES):
            audit.record(
                f"thing.{turn}",
                cast.lin_person,
                by=actors[(number + turn) % len(actors)],
                reason=f"第{number}次",
                n=number * ENTRIES + turn,
            )
        see()


def write_books(office: Office) -> None:
    """Money paid, failed and come back, a batch under way, one that was released; two days later
    the log holds the digests of all of it."""
    office.settled("paid", "failed", "paid", "returned")
    office.delivered(2)
    office.released(2)
    for day in (1, 2):
        assert history.record(today=TODAY + timedelta(days=day)) == []
        see()


def see() -> None:
    """Seal what waits; the witness sees the block, as it does after every commit."""
    block = audit.seal()
    if block is not None:
        witnesses.write_down(witnesses.Head(block.number, block.digest))
