"""What finance and auditors see: funds, entitlements, batches, returns, the gate."""

from welfare.admin import (
    bank_formats,
    batch_queues,
    batches,
    entitlements,
    entries,
    figures,
    funds,
    lines,
    motions,
    returns,
    settlements,
    trail,
)

__all__ = [
    "bank_formats",
    "batch_queues",
    "batches",
    "entitlements",
    "entries",
    "figures",
    "funds",
    "lines",
    "motions",
    "returns",
    "settlements",
    "trail",
]
