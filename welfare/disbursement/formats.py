"""Bank formats as rows: the shipped ones, and whatever a bank needs beside them."""

from django.utils.translation import gettext_noop as _

from union_portal.kit.refusals import Refused
from welfare.disbursement.bankfile import SHIPPED, Format
from welfare.disbursement.models import BankFormat


def stored(code: str) -> BankFormat:
    """The format of this code; a shipped one is written down on first use."""
    known = BankFormat.objects.filter(code=code).first()
    if known is not None:
        return known
    if code not in SHIPPED:
        raise Refused(
            _("There is no bank format “%(code)s”."),
            _("Choose one of those listed, or describe a new one."),
            {"code": code},
        )
    made, _is_new = BankFormat.objects.get_or_create(
        code=code, defaults={"name": code, "definition": SHIPPED[code]}
    )
    return made


def ensure_shipped() -> None:
    """Write down every shipped format that is missing."""
    for code in SHIPPED:
        stored(code)


def layout(bank_format: BankFormat) -> Format:
    """The layout a row describes. Raises Refused naming what is wrong in it."""
    return Format.from_config(bank_format.code, bank_format.definition)


def encoding_of(bank_format: BankFormat) -> str:
    """The encoding as banks name it; GB18030 holds every GBK file."""
    encoding = layout(bank_format).encoding
    return "GB18030 (GBK)" if encoding.startswith("gb") else "UTF-8"
