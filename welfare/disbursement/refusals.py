"""How the engine says no: what, where and how to mend it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import Error
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from union_portal.kit.money import yuan
from union_portal.kit.refusals import Refused


class PayoutRefused(Refused):
    """A step that can't be taken now."""


class NoCover(PayoutRefused):
    """The fund does not hold enough."""

    def __init__(self, fund: Any, *, needed_fen: int, available_fen: int) -> None:
        super().__init__(
            _("The fund “%(fund)s” has %(available)s yuan left; %(needed)s yuan are needed."),
            _("Record a further appropriation, or grant fewer."),
            {"fund": str(fund), "available": yuan(available_fen), "needed": yuan(needed_fen)},
        )


class NothingToPay(PayoutRefused):
    """Nobody is ready to be paid; `reasons` counts why."""

    def __init__(self, reasons: dict[str, int]) -> None:
        super().__init__(
            _("Nobody is ready to be paid. Left out: %(count)s."),
            _("The list of those left out names the reason of each."),
            {"count": sum(reasons.values())},
        )
        self.reasons = reasons


class AlreadyImported(PayoutRefused):
    """The same return file again: harmless, nothing is booked twice. `file` is the first."""

    def __init__(self, file: Any) -> None:
        super().__init__(
            _("This return file was imported on %(at)s already: nothing was changed."),
            _("If you expected other rows, fetch the newer file from the bank."),
            {"at": f"{timezone.localtime(file.imported_at):%Y-%m-%d %H:%M}"},
        )
        self.file = file


# What a constraint means to the person who ran into it.
_MEANINGS: Final[dict[str, tuple[str, str]]] = {
    "payout_line_decision_clear": (
        _("A decision is not payable: its notice runs or an objection is open."),
        _("Reload the list and assemble again."),
    ),
    "payout_batch_decision_clear": (
        _("A decision in this batch was contested or withdrawn."),
        _("Reopen the batch: sealing it again leaves that line out."),
    ),
    "payout_batch_rule_in_force": (
        _("A payment of this batch lies outside the dates of its rule set."),
        _("Void the batch and have the decision taken under the rules in force."),
    ),
    "payout_line_rule_in_force": (
        _("A payment would lie outside the dates of its rule set."),
        _("Have the decision taken under the rules in force."),
    ),
    "payout_batch_entitlement_granted": (
        _("An entitlement in this batch was withdrawn."),
        _("Reopen the batch: sealing it again leaves that line out."),
    ),
    "payout_batch_not_sent_before": (
        _("The sent register knows a payment of one of these people."),
        _("Void the batch and settle what the restore gate lists."),
    ),
    "payout_line_not_sent_before": (
        _("The sent register knows a payment of one of these people."),
        _("Settle what the restore gate lists first."),
    ),
    "payout_batch_gate": (
        _("Safe mode: nothing is sent until two people lift the restore gate."),
        _("See the restore gate's page for what is missing."),
    ),
    "batch_approval_person_once": (
        _("You acted on this batch already: three different people are needed."),
        _("Ask a colleague."),
    ),
    "batch_approval_step_once": (
        _("Somebody else took this step a moment ago."),
        _("Reload the page."),
    ),
    "batch_approval_digest": (
        _("The content is not what you looked at."),
        _("Reload the page and check it again."),
    ),
    "motion_seconded_by_another": (
        _("You moved this yourself: a second person carries it out."),
        _("Ask a colleague."),
    ),
    "entitlement_not_on_its_way": (
        _("A payment of it is on its way or done."),
        _("Wait for the bank's answer, or void the batch first."),
    ),
    "entitlement_decision_granted": (
        _("No standing decision grants it."),
        _("Check the case: it was refused or withdrawn."),
    ),
    "entitlement_fund_of_rule": (
        _("The rule set names another fund, or the fund is not meant for this use."),
        _("Choose the fund that the rule set names."),
    ),
    "entitlement_claim_once": (
        _("This person holds an entitlement of this scheme and period already."),
        _("Nothing needs to be done: nobody is paid twice."),
    ),
    "entitlement_claim_of_merged": (
        _("This person holds an entitlement of this scheme and period under an earlier number."),
        _("Nothing needs to be done: nobody is paid twice."),
    ),
    "entitlement_of_whole_person": (
        _("This row was merged into that of the same person."),
        _("Decide on the person who stayed."),
    ),
    "cap_ceiling": (
        _("More would be granted to somebody than their ceiling allows."),
        _("Reload the page: the list names the ceiling and its clause."),
    ),
    "cap_names_schemes": (
        _("The ceiling names no scheme that it covers."),
        _("Name the schemes that count under it."),
    ),
    "cap_with_clause": (
        _("The ceiling names no source clause."),
        _("Name the document and article that set it."),
    ),
    "ledger_account_floor": (
        _("The fund does not hold enough for this."),
        _("Record a further appropriation first."),
    ),
    "payout_batch_statement_agrees": (
        _("The debit on the bank statement differs from the paid and returned lines."),
        _("Compare the statement with the return files before closing."),
    ),
    "payout_batch_no_open_row": (
        _("A row of a return file is still open."),
        _("Resolve the discrepancies of this batch first."),
    ),
    "gate_lifted_by_two": (
        _("The gate was shut after this was moved: nobody has looked at the new cause."),
        _("Decline it, read why the gate is shut, then move to lift it again."),
    ),
    "gate_nothing_remains": (
        _("Payments that the bank was sent are unknown to the database."),
        _("Replay the register, then carry this out."),
    ),
}


def constraint_of(error: BaseException) -> str:
    """The name of the constraint or trigger that refused; empty if there is none."""
    diag = getattr(error.__cause__, "diag", None)
    return getattr(diag, "constraint_name", None) or ""


@contextmanager
def explained() -> Iterator[None]:
    """Turn the database's refusal into one that a person understands."""
    try:
        yield
    except Error as error:
        meaning = _MEANINGS.get(constraint_of(error))
        if meaning is None:
            raise
        raise PayoutRefused(*meaning) from error
