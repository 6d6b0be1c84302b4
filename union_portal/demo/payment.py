"""A batch's way: made, sealed, checked and released by three people, paid by the worker."""

from django.db.models import Sum

from union_portal.demo import waiting
from union_portal.demo.setting import Setting
from welfare.disbursement import batches
from welfare.disbursement.models import PayoutBatch
from welfare.disbursement.states import BatchState

_SETTLED = (BatchState.RECONCILED, BatchState.CLOSED)


def assemble(setting: Setting, scheme: str) -> PayoutBatch:
    """Put everybody who can be paid under a scheme into a draft."""
    return batches.assemble(
        fund=setting.fund,
        scheme=scheme,
        period=setting.period,
        organization=setting.city,
        by=setting.staff["feng"],
        today=setting.today,
    )


def seal(setting: Setting, batch: PayoutBatch) -> PayoutBatch:
    if batch.state != BatchState.DRAFT:
        return batch
    return batches.seal(batch=batch, by=setting.staff["feng"])


def check(setting: Setting, batch: PayoutBatch) -> None:
    steps = batch.approvals.filter(round=batch.round).values_list("step", flat=True)
    if batch.state == BatchState.SEALED and "checker" not in steps:
        batches.check(batch=batch, by=setting.staff["jiang"], digest=batch.digest)


def send(setting: Setting, batch: PayoutBatch) -> None:
    """Take a batch through its three people, then wait for worker and bank."""
    batch.refresh_from_db()
    batch = seal(setting, batch)
    if batch.state == BatchState.SEALED:
        check(setting, batch)
        batches.release(batch=batch, by=setting.staff["mu"], digest=batch.digest)

    def is_settled() -> bool:
        batch.refresh_from_db()
        return batch.state in _SETTLED

    waiting.until(is_settled, what=f"payment of batch {batch.number}")


def close(setting: Setting, batch: PayoutBatch) -> None:
    """File a batch that agrees with the bank statement."""
    batch.refresh_from_db()
    if batch.state != BatchState.RECONCILED:
        return
    debited = batch.lines.filter(state__in=["paid", "returned"]).aggregate(fen=Sum("amount_fen"))
    batches.close(batch=batch, by=setting.staff["feng"], statement_debit_fen=debited["fen"] or 0)
