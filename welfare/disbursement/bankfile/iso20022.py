"""ISO 20022: pain.001.001.09 written, pain.002.001.10 read."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

from django.utils.translation import gettext_noop as _
from lxml import etree

from union_portal.kit.money import MoneyError, fen_from_yuan, plain_yuan
from union_portal.kit.refusals import Refused
from welfare.disbursement.bankfile.formats import (
    BankFileRefused,
    FileHead,
    PayLine,
    ReturnContents,
    ReturnLine,
    ReturnResult,
    as_said,
)

PAIN_001: Final = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
PAIN_002: Final = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"

# External payment transaction status codes, as far as they settle a line.
STATUS: Final = {
    "ACSC": ReturnResult.PAID,
    "ACCC": ReturnResult.PAID,
    "RJCT": ReturnResult.FAILED,
    "PDNG": ReturnResult.UNKNOWN,
    "ACSP": ReturnResult.UNKNOWN,
    "ACTC": ReturnResult.UNKNOWN,
}
# pain.002 has no code for money that came back after success (退票): agreed with the bank as a
# proprietary reason.
RETURNED_REASON: Final = "AC04R"

Element = Any


def build(head: FileHead, lines: Sequence[PayLine]) -> bytes:
    """One payment information block with one transaction a line."""
    root = etree.Element("Document", nsmap=cast(Any, {None: PAIN_001}))
    order = etree.SubElement(root, "CstmrCdtTrfInitn")
    group = etree.SubElement(order, "GrpHdr")
    _add(group, "MsgId", head.batch_number)
    _add(group, "CreDtTm", head.made_at.isoformat(timespec="seconds"))
    _add(group, "NbOfTxs", str(head.count))
    _add(group, "CtrlSum", plain_yuan(head.total_fen))
    _add(etree.SubElement(group, "InitgPty"), "Nm", head.payer_name)
    block = etree.SubElement(order, "PmtInf")
    _add(block, "PmtInfId", head.batch_number)
    _add(block, "PmtMtd", "TRF")
    _add(block, "NbOfTxs", str(head.count))
    _add(block, "CtrlSum", plain_yuan(head.total_fen))
    _add(etree.SubElement(block, "ReqdExctnDt"), "Dt", head.pay_on.isoformat())
    _add(etree.SubElement(block, "Dbtr"), "Nm", head.payer_name)
    _account(etree.SubElement(block, "DbtrAcct"), head.payer_account)
    agent = etree.SubElement(etree.SubElement(block, "DbtrAgt"), "FinInstnId")
    _add(etree.SubElement(agent, "Othr"), "Id", "NOTPROVIDED")
    for line in lines:
        _transaction(block, line)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def read_return(content: bytes) -> ReturnContents:
    """Read a status report; entities, DTDs and the network are off."""
    root = _parsed(content)
    names = {"p": PAIN_002}
    group = root.find("p:CstmrPmtStsRpt/p:OrgnlGrpInfAndSts", names)
    if group is None:
        raise _refused(Refused(_("This is no pain.002.001.10 status report.")))
    faults: list[Refused] = []
    rows = [
        line
        for node in root.iterfind(".//p:TxInfAndSts", names)
        if (line := _row(node, names, faults))
    ]
    total = sum(line.amount_fen for line in rows)
    faults += _group_faults(group, names, len(rows), total)
    if faults:
        raise _refused(*faults)
    return ReturnContents(group.findtext("p:OrgnlMsgId", "", names), tuple(rows), total)


def _transaction(block: Element, line: PayLine) -> None:
    node = etree.SubElement(block, "CdtTrfTxInf")
    _add(etree.SubElement(node, "PmtId"), "EndToEndId", line.e2e)
    amount = etree.SubElement(etree.SubElement(node, "Amt"), "InstdAmt", Ccy="CNY")
    amount.text = plain_yuan(line.amount_fen)
    bank = etree.SubElement(etree.SubElement(node, "CdtrAgt"), "FinInstnId")
    if line.bank_code:
        _add(etree.SubElement(bank, "ClrSysMmbId"), "MmbId", line.bank_code)
    _add(bank, "Nm", line.bank_name or "NOTPROVIDED")
    _add(etree.SubElement(node, "Cdtr"), "Nm", line.holder)
    _account(etree.SubElement(node, "CdtrAcct"), line.account)
    if line.purpose:
        _add(etree.SubElement(node, "RmtInf"), "Ustrd", line.purpose[:140])


def _account(parent: Element, number: str) -> None:
    other = etree.SubElement(etree.SubElement(parent, "Id"), "Othr")
    _add(other, "Id", number)


def _add(parent: Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = text


def _parsed(content: bytes) -> Element:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(content, parser)
        fault_in = 0
    except etree.XMLSyntaxError as error:
        fault_in = error.lineno or 1
    # Raised out here: as its context the error would quote the file.
    if fault_in:
        raise _refused(
            Refused(
                _("Row %(row)s: the XML breaks off or is not well formed."),
                _("The file may be cut off: fetch it again."),
                {"row": fault_in},
            )
        )
    if cast(Any, root.getroottree()).docinfo.doctype:
        raise _refused(Refused(_("A file with a document type definition is never read.")))
    return root


def _row(node: Element, names: dict[str, str], faults: list[Refused]) -> ReturnLine | None:
    row = node.sourceline or 0
    e2e = node.findtext("p:OrgnlEndToEndId", "", names)
    status = STATUS.get(node.findtext("p:TxSts", "", names))
    if status is None:
        faults.append(
            Refused(_("Row %(row)s: the status is none that settles a line."), params={"row": row})
        )
    try:
        amount = fen_from_yuan(node.findtext("p:OrgnlTxRef/p:Amt/p:InstdAmt", "", names))
    except MoneyError as error:
        faults.append(
            Refused(_("Row %(row)s, amount: %(fault)s"), params={"row": row, "fault": str(error)})
        )
        return None
    if status is None:
        return None
    reason = node.findtext("p:StsRsnInf/p:Rsn/p:Prtry", "", names)
    cause = node.findtext("p:StsRsnInf/p:AddtlInf", "", names) or node.findtext(
        "p:StsRsnInf/p:Rsn/p:Cd", "", names
    )
    return ReturnLine(
        row=row,
        e2e=e2e,
        amount_fen=amount,
        account=node.findtext("p:OrgnlTxRef/p:CdtrAcct/p:Id/p:Othr/p:Id", "", names),
        result=ReturnResult.RETURNED if reason == RETURNED_REASON else status,
        cause=cause[:80],
        bank_reference=node.findtext("p:AcctSvcrRef", "", names)[:80],
    )


def _group_faults(
    group: Element, names: dict[str, str], count: int, total_fen: int
) -> Iterator[Refused]:
    said = group.findtext("p:OrgnlNbOfTxs", "", names)
    if said and said != str(count):
        yield Refused(
            _("The file says it holds %(said)s rows and holds %(count)s."),
            _("The file may be cut off: fetch it again."),
            {"said": as_said(said), "count": count},
        )
    total = group.findtext("p:OrgnlCtrlSum", "", names)
    if total and total != plain_yuan(total_fen):
        yield Refused(
            _("The file says its total is %(said)s yuan, its rows add up to %(total)s."),
            _("The file may be cut off or changed: fetch it again."),
            {"said": as_said(total), "total": plain_yuan(total_fen)},
        )


def _refused(*faults: Refused) -> BankFileRefused:
    return BankFileRefused(
        _("The return file was refused, nothing was booked. Faults: %(count)s."), faults
    )
