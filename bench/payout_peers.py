"""The peers of `bench/payouts.py`: the same rows, written without ledger and audit."""

from typing import Any

from bench.measuring import execute, timed

SCHEME = "winter_gift"


def bare(rows: int) -> dict[str, Any]:
    batch = plain_batch()
    for table in ("entitlement", "payoutline"):
        execute(f"ALTER TABLE disbursement_{table} DISABLE TRIGGER USER")

    def write() -> None:
        execute(
            "INSERT INTO disbursement_entitlement (decision_id, person_id, fund_id,"
            " organization_id, scheme, period, amount_fen, claim_key, state) SELECT d.id, p.id,"
            " f.id, d.organization_id, d.scheme, d.period, d.amount_fen, d.scheme || ':' ||"
            " p.national_id_index || ':' || d.period, 'granted' FROM union_portal_decision d"
            " JOIN members_person p ON p.id = d.subject_id, disbursement_fund f"
        )
        execute(
            "INSERT INTO disbursement_payoutline (batch_id, entitlement_id, attempt, position,"
            " e2e, amount_fen, bank_account_id, payee_name, account_number, account_fingerprint,"
            " account_last_four, bank_name, bank_code, state) SELECT %s, e.id, 1, e.id,"
            " 'B-' || e.id, e.amount_fen, a.id, a.holder, a.number, a.fingerprint, a.last_four,"
            " a.bank_name, a.bank_code, 'ready' FROM disbursement_entitlement e"
            " JOIN members_bankaccount a ON a.person_id = e.person_id",
            batch.pk,
        )

    return {"rows": rows} | timed(write)[1]


def bulk(rows: int) -> dict[str, Any]:
    from django.db import transaction

    from members.models import BankAccount
    from welfare.disbursement.models import Entitlement, PayoutLine

    batch = plain_batch()

    def write() -> None:
        with transaction.atomic():
            made = Entitlement.objects.bulk_create(
                (Entitlement(**fields) for fields in owed_fields(batch.fund)), batch_size=5000
            )
            accounts = {account.person_id: account for account in BankAccount.objects.all()}
            PayoutLine.objects.bulk_create(
                (
                    PayoutLine(entitlement=row, **line_fields(batch, n, accounts[row.person_id]))
                    for n, row in enumerate(made, start=1)
                ),
                batch_size=5000,
            )

    return {"rows": rows} | timed(write)[1]


def each(rows: int) -> dict[str, Any]:
    from members.models import BankAccount
    from welfare.disbursement.models import Entitlement, PayoutLine

    batch = plain_batch()

    def write() -> None:
        for n, fields in enumerate(owed_fields(batch.fund), start=1):
            key = fields.pop("claim_key")
            owed, _new = Entitlement.objects.get_or_create(claim_key=key, defaults=fields)
            account = BankAccount.objects.get(person=owed.person_id, state="confirmed")
            PayoutLine.objects.get_or_create(
                entitlement=owed, attempt=1, defaults=line_fields(batch, n, account)
            )

    return {"rows": rows} | timed(write)[1]


def joined(rows: int) -> dict[str, Any]:
    from django.db import transaction

    with transaction.atomic():
        return each(rows)


def plain_batch() -> Any:
    """A draft to hang lines on."""
    from tests.cast import TODAY
    from union_portal.models import Account, Organization
    from welfare.disbursement import formats
    from welfare.disbursement.models import Fund, PayoutBatch

    return PayoutBatch.objects.create(
        number="B",
        fund=Fund.objects.get(),
        scheme=SCHEME,
        period="2026",
        organization=Organization.objects.get(level="federation"),
        bank_format=formats.stored("generic-utf8"),
        pay_on=TODAY,
        made_by=Account.objects.get(username="feng"),
    )


def owed_fields(fund: Any) -> list[dict[str, Any]]:
    from members.models import Person
    from union_portal.models import Decision

    marks = dict(Person.objects.values_list("pk", "national_id_index"))
    return [
        {
            "decision": decision,
            "person_id": decision.subject_id,
            "fund": fund,
            "organization_id": decision.organization_id,
            "scheme": decision.scheme,
            "period": decision.period,
            "amount_fen": decision.amount_fen,
            "claim_key": f"{decision.scheme}:{marks[decision.subject_id]}:{decision.period}",
        }
        for decision in Decision.objects.filter(scheme=SCHEME)
    ]


def line_fields(batch: Any, n: int, account: Any) -> dict[str, Any]:
    return {
        "batch": batch,
        "attempt": 1,
        "position": n,
        "e2e": f"B-{n:06d}",
        "amount_fen": 30_000,
        "bank_account": account,
        "payee_name": account.holder,
        "account_number": account.number,
        "account_fingerprint": account.fingerprint,
        "account_last_four": account.last_four,
        "bank_name": account.bank_name,
        "bank_code": account.bank_code,
    }
