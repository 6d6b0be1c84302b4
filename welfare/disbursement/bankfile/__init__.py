"""Bank files: payout lines to bytes, return bytes to rows. Pure; formats are configuration.

The same lines give the same bytes. Amounts are text with exactly two decimals, account
numbers are text. No bank's own layout is claimed here: the shipped formats are generic.
"""

from welfare.disbursement.bankfile.files import build, read_return
from welfare.disbursement.bankfile.formats import (
    SHIPPED,
    BankFileRefused,
    FileHead,
    Format,
    PayLine,
    ReturnContents,
    ReturnLine,
    ReturnResult,
)

__all__ = [
    "SHIPPED",
    "BankFileRefused",
    "FileHead",
    "Format",
    "PayLine",
    "ReturnContents",
    "ReturnLine",
    "ReturnResult",
    "build",
    "read_return",
]
