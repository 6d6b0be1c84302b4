"""ISO 20022: pain.001.001.09 written, pain.002.001.10 read."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from django.utils.translation import gettext_noop as _
from lxml import etree

from union_portal.kit.money import MoneyError, fen_from_yuan, plain_yuan
from union_portal.kit.plain_text import has_control_characters
from union_portal.kit.refusals import Refused
from welfare.disbursement.bankfile.formats import (
    MOST_FAULTS,
    BankFileRefused,
    FileHead,
    PayLine,
    ReturnContents,
    ReturnLine,
    ReturnResult,
    as_said,
    contents,
    refused,
    too_many_rows,
    unfit,
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

NAMES: Final = {"p": PAIN_002}
GROUP: Final = {
    "batch_number": "p:OrgnlMsgId",
    "count": "p:OrgnlNbOfTxs",
    "total_yuan": "p:OrgnlCtrlSum",
}
TRANSACTION: Final = {
    "e2e": "p:OrgnlEndToEndId",
    "status": "p:TxSts",
    "bank_reference": "p:AcctSvcrRef",
    "amount": "p:OrgnlTxRef/p:Amt/p:InstdAmt",
    "account": "p:OrgnlTxRef/p:CdtrAcct/p:Id/p:Othr/p:Id",
}
# More than the largest file of payments has; a tree of them takes no more memory than is there.
MOST_TAGS: Final = 3_000_000

Element = Any


def build(head: FileHead, lines: Sequence[PayLine]) -> bytes:
    """One payment information block with one transaction a line."""
    if faults := list(_unwritable(lines)):
        raise BankFileRefused(_("%(count)s lines can't be written for this bank."), faults)
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
    groups = root.findall("p:CstmrPmtStsRpt/p:OrgnlGrpInfAndSts", NAMES)
    if len(groups) != 1:
        raise refused(
            Refused(
                _("This is no pain.002.001.10 status report."),
                _("Fetch the report on this batch from the bank, in this version."),
            )
        )
    faults: list[Refused] = []
    rows: list[ReturnLine] = []
    # Of any version: one of another is named, not passed over.
    for node in root.iter("{*}TxInfAndSts"):
        if len(faults) >= MOST_FAULTS:
            break
        if line := _row(node, faults):
            rows.append(line)
    about = _texts(groups[0], GROUP, faults)
    if not faults and about is not None:
        faults += _group_faults(about, len(rows), sum(line.amount_fen for line in rows))
    if faults or about is None:
        raise refused(*faults)
    return contents(about["batch_number"], rows)


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


def _unwritable(lines: Sequence[PayLine]) -> Iterator[Refused]:
    for line in lines:
        if has_control_characters("".join((line.holder, line.bank_name, line.purpose))):
            yield Refused(
                _("Line %(row)s holds a control character in its text."),
                _("Have the name or the bank entered again, then void the batch."),
                {"row": line.sequence},
            )


def _account(parent: Element, number: str) -> None:
    other = etree.SubElement(etree.SubElement(parent, "Id"), "Othr")
    _add(other, "Id", number)


def _add(parent: Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = text


def _parsed(content: bytes) -> Element:
    if content.count(b"<") > MOST_TAGS:
        raise too_many_rows()
    # A comment inside an amount would end it there.
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
        fault_in = 0
    except etree.XMLSyntaxError as error:
        fault_in = error.lineno or 1
    # Raised out here: as its context the error would quote the file.
    if fault_in:
        raise refused(
            Refused(
                _("Row %(row)s: the XML breaks off or is not well formed."),
                _("The file may be cut off: fetch it again."),
                {"row": fault_in},
            )
        )
    if cast(Any, root.getroottree()).docinfo.doctype:
        raise refused(
            Refused(
                _("A file with a document type definition is never read."),
                _("Ask the bank for the plain status report."),
            )
        )
    return root


def _row(node: Element, faults: list[Refused]) -> ReturnLine | None:
    row = node.sourceline or 1
    if node.tag != f"{{{PAIN_002}}}TxInfAndSts":
        faults.append(
            Refused(
                _("Row %(row)s: this payment is not told in pain.002.001.10."),
                _("Fetch the report on this batch from the bank, in this version."),
                {"row": row},
            )
        )
        return None
    texts = _texts(node, TRANSACTION, faults)
    if texts is None:
        return None
    status = STATUS.get(texts["status"])
    if status is None:
        faults.append(
            Refused(
                _("Row %(row)s: the status is none that settles a line."),
                _("Ask the bank for a report with a final status for each payment."),
                {"row": row},
            )
        )
    amount = _amount(node, row, texts["amount"], faults)
    if status is None or amount is None:
        return None
    reasons = [each.text for each in node.iterfind("p:StsRsnInf/p:Rsn/p:Prtry", NAMES)]
    cause = node.findtext("p:StsRsnInf/p:AddtlInf", "", NAMES) or node.findtext(
        "p:StsRsnInf/p:Rsn/p:Cd", "", NAMES
    )
    return ReturnLine(
        row=row,
        e2e=texts["e2e"],
        amount_fen=amount,
        account=texts["account"],
        result=ReturnResult.RETURNED if RETURNED_REASON in reasons else status,
        cause=" ".join(cause.split())[:80],
        bank_reference=texts["bank_reference"],
    )


def _texts(node: Element, paths: Mapping[str, str], faults: list[Refused]) -> dict[str, str] | None:
    """What stands at each path, once and as text; None if that is not so, with the fault."""
    texts = {}
    for name, path in paths.items():
        found = node.findall(path, NAMES)
        if len(found) > 1 or any(len(each) for each in found):
            faults.append(
                Refused(
                    _("Row %(row)s: “%(what)s” is not told once, in plain text."),
                    _("The file may be damaged or meant for another bank: fetch it again."),
                    {"row": node.sourceline or 1, "what": path.rpartition(":")[2]},
                )
            )
            return None
        texts[name] = (found[0].text or "").strip() if found else ""
    if fault := unfit(node.sourceline or 1, texts):
        faults.append(fault)
        return None
    return texts


def _amount(node: Element, row: int, text: str, faults: list[Refused]) -> int | None:
    """The amount in fen, if it is one in yuan."""
    stated = node.find(TRANSACTION["amount"], NAMES)
    if stated is not None and stated.get("Ccy") != "CNY":
        faults.append(
            Refused(
                _("Row %(row)s, amount: the currency is not CNY."),
                _("Check with the bank whose file this is."),
                {"row": row},
            )
        )
        return None
    try:
        return fen_from_yuan(text)
    except MoneyError as error:
        faults.append(
            Refused(_("Row %(row)s, amount: %(fault)s"), params={"row": row, "fault": str(error)})
        )
        return None


def _group_faults(about: Mapping[str, str], count: int, total_fen: int) -> Iterator[Refused]:
    said = about["count"]
    if said and said != str(count):
        yield Refused(
            _("The file says it holds %(said)s rows and holds %(count)s."),
            _("The file may be cut off: fetch it again."),
            {"said": as_said(said), "count": count},
        )
    total = about["total_yuan"]
    if total and not _is_sum(total, total_fen):
        yield Refused(
            _("The file says its total is %(said)s yuan, its rows add up to %(total)s."),
            _("The file may be cut off or changed: fetch it again."),
            {"said": as_said(total), "total": plain_yuan(total_fen)},
        )


def _is_sum(text: str, total_fen: int) -> bool:
    try:
        return fen_from_yuan(text) == total_fen
    except MoneyError:
        return False
