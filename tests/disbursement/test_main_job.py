"""A payment from grant to filing, and what it leaves behind."""

from welfare.disbursement import batches


def test_three_people_are_paid_and_the_batch_is_filed(office):
    batch = office.settled("paid", "paid", "paid")
    assert batch.state == "reconciled"
    closed = batches.close(batch=batch, by=office.cast.feng, statement_debit_fen=90_000)
    assert closed.state == "closed"
    assert office.figures() == {
        "appropriated_fen": 10_000_000,
        "reserved_fen": 0,
        "in_transit_fen": 0,
        "spent_fen": 90_000,
        "available_fen": 9_910_000,
    }
