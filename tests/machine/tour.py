"""One walk through the machine's own rules that takes every step there is, whatever chance does."""

from tests.machine.machine import Engine


def walk(engine: Engine) -> None:
    engine.begin(life=0, results=[])
    _of_decisions_and_two_people(engine)
    _of_batches_that_do_not_leave(engine)
    _of_what_a_bank_says(engine)
    _of_what_it_does_not_say(engine)
    _of_the_gate(engine)


def agree(engine: Engine) -> None:
    for check in (
        engine.the_database_says_the_same,
        engine.every_row_is_judged_the_same,
        engine.every_fen_is_where_it_must_be,
        engine.nothing_that_must_hold_is_broken,
    ):
        check()


def _of_decisions_and_two_people(engine: Engine) -> None:
    engine.withdraw(pick=0, who="maker")
    engine.let_two_agree()
    engine.move_to_write_off(pick=1, who="maker")
    engine.let_two_agree()
    engine.move_to_write_off(pick=2, who="releaser")
    engine.decline(pick=0, who="maker")
    engine.owe_everybody(fund=0)
    agree(engine)


def _of_batches_that_do_not_leave(engine: Engine) -> None:
    """Void as a draft, sealed, released; sealed and opened again."""
    for state in ("draft", "sealed", "approved"):
        engine.assemble(fund=0, who="maker")
        if state == "sealed":
            engine.seal(pick=0, who="maker")
            engine.reopen(pick=0, who="maker")
            engine.seal(pick=0, who="maker")
        elif state == "approved":
            engine.take_it_to_release()
        engine.move_to_void(pick=0, who="checker")
        engine.let_two_agree()
        agree(engine)


def _of_what_a_bank_says(engine: Engine) -> None:
    engine.assemble(fund=0, who="maker")
    engine.take_it_to_release()
    engine.wake()
    engine.answer_as_a_bank_does(results=["paid", "failed", "unknown", "unknown", "unknown"])
    engine.answer(pick=0, rows=[(1, "paid", "A", "amount")], stranger=1, who="maker")
    engine.answer_as_a_bank_does(results=["paid", "failed", "paid"])
    engine.send_one_back(pick=0)
    for _ in range(2):
        engine.look_into(pick=0, who="maker")
    engine.close(pick=0, who="maker", over=0)
    assert engine.batches[-1][0].state == "closed"
    agree(engine)


def _of_what_it_does_not_say(engine: Engine) -> None:
    engine.owe_everybody(fund=1)
    engine.assemble(fund=1, who="maker")
    engine.take_it_to_release()
    engine.die_at(place="deliver.after_file")
    engine.let_leases_run_out()
    engine.wake()
    engine.let_days_pass()
    for result in ("paid", "failed"):
        engine.move_a_certificate(pick=0, who="maker", result=result)
        engine.let_two_agree()
    agree(engine)


def _of_the_gate(engine: Engine) -> None:
    engine.shut_the_gate()
    engine.lift_it_by_two()
    agree(engine)
