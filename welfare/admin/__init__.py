"""What finance and auditors see: funds, entitlements, batches, returns, the gate."""

from welfare.admin import batches, figures, funds, lines, motions, returns

__all__ = ["batches", "figures", "funds", "lines", "motions", "returns"]
