"""The engine's tables; what must hold against raw SQL is a constraint or trigger here."""

from welfare.disbursement.models.batches import (
    BankFile,
    BankFormat,
    BatchApproval,
    BatchStep,
    PayoutBatch,
)
from welfare.disbursement.models.caps import Cap
from welfare.disbursement.models.entitlements import Entitlement
from welfare.disbursement.models.gate import (
    Gate,
    Motion,
    MotionKind,
    SentMark,
    StrayPayment,
)
from welfare.disbursement.models.ledger import (
    Entry,
    EntryKind,
    Fund,
    LedgerAccount,
    LedgerKind,
    Posting,
)
from welfare.disbursement.models.lines import PayoutLine
from welfare.disbursement.models.returns import (
    Discrepancy,
    DiscrepancyKind,
    Result,
    ReturnFile,
    ReturnRow,
    Verdict,
)

__all__ = [
    "BankFile",
    "BankFormat",
    "BatchApproval",
    "BatchStep",
    "Cap",
    "Discrepancy",
    "DiscrepancyKind",
    "Entitlement",
    "Entry",
    "EntryKind",
    "Fund",
    "Gate",
    "LedgerAccount",
    "LedgerKind",
    "Motion",
    "MotionKind",
    "PayoutBatch",
    "PayoutLine",
    "Posting",
    "Result",
    "ReturnFile",
    "ReturnRow",
    "SentMark",
    "StrayPayment",
    "Verdict",
]
