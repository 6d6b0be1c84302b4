"""The two doors: by the format's kind to the module that knows it."""

from collections.abc import Sequence

from django.utils.translation import gettext_noop as _

from union_portal.kit.refusals import Refused
from welfare.disbursement.bankfile import delimited, iso20022
from welfare.disbursement.bankfile.formats import (
    BankFileRefused,
    FileHead,
    Format,
    PayLine,
    ReturnContents,
)


def build(layout: Format, head: FileHead, lines: Sequence[PayLine]) -> bytes:
    """The bank file's bytes. Raises BankFileRefused naming every line that can't go in."""
    _agree(layout, head, lines)
    if layout.kind == "iso20022":
        return iso20022.build(head, lines)
    return delimited.build(layout, head, lines)


def read_return(layout: Format, content: bytes) -> ReturnContents:
    """The rows of a return file. Raises BankFileRefused with all faults at once."""
    if not content or content.isspace():
        raise BankFileRefused(_("The file is empty. Fetch it from the bank again."))
    if layout.kind == "iso20022":
        return iso20022.read_return(content)
    return delimited.read_return(layout, content)


def _agree(layout: Format, head: FileHead, lines: Sequence[PayLine]) -> None:
    if not lines or len(lines) > layout.max_rows:
        raise Refused(
            _("The bank takes 1 to %(most)s lines in one file, this batch has %(count)s."),
            _("Make the batch smaller, for example one county at a time."),
            {"most": layout.max_rows, "count": len(lines)},
        )
    total = sum(line.amount_fen for line in lines)
    if head.count != len(lines) or head.total_fen != total:
        raise Refused(
            _("The lines do not agree with the batch: %(lines)s lines, %(total)s fen."),
            params={"lines": len(lines), "total": total},
        )
