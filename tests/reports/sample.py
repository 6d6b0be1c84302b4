"""Made-up reports of any length, without a database."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from union_portal.kit import fictional, masks, regions
from union_portal.kit.pdf_assembly import Printed
from welfare.disbursement.reporting.content import (
    Approval,
    BankFileFigures,
    BatchFigures,
    CountyFigures,
    FailureLine,
    Issue,
    Occurrence,
    Outcome,
    PayeeLine,
    Tally,
)
from welfare.disbursement.reporting.document import Report
from welfare.disbursement.reporting.wording import Wording

COUNTIES = tuple(f"{name}总工会" for name in regions.YULIN_DIVISIONS_ZH.values())
BANKS = ("中国农业银行", "榆林农村商业银行", "长安银行", "中国邮政储蓄银行")
DIGEST = "9f2c44aa01b7d3e86c5570a4f0e1992b7c3d5a6e8f90112233445566778899aa"
AT = datetime(2026, 1, 21, 1, 12, tzinfo=UTC)
ISSUE = Issue(
    version=2,
    made_at=AT + timedelta(days=3),
    made_by="冯晓梅",
    witness=f"12 {DIGEST}",
    earlier=(Occurrence("1", "冯晓梅", AT + timedelta(days=2), DIGEST),),
    downloads=(Occurrence("1", "高敏", AT + timedelta(days=2, hours=3)),),
)


def payees(count: int, *, names: Sequence[str] = (), failing: int = 50) -> list[PayeeLine]:
    """So many lines, county by county; every `failing`-th fails; `names` go to the first."""
    rng = random.Random(20260121)
    counties = sorted(rng.choices(range(len(COUNTIES)), k=count))
    unions = {c: fictional.make_union_name(rng, COUNTIES[c][:-3]) for c in range(len(COUNTIES))}
    people = fictional.make_people(
        rng, count, divisions=["610802"], first=date(1936, 1, 1), last=date(1990, 1, 1)
    )
    return [
        PayeeLine(
            sequence=number,
            reference=f"P2026-{number:06d}",
            county=COUNTIES[county],
            union=unions[county],
            name=names[number - 1] if number <= len(names) else person.name,
            identity=masks.mask_id(person.national_id),
            bank=rng.choice(BANKS),
            account=masks.mask_account(person.card_number),
            amount_fen=rng.choice([30_000, 30_050, 100_000, 200_001]),
            outcome=Outcome.FAILED if number % failing == 0 else Outcome.PAID,
        )
        for number, (county, person) in enumerate(zip(counties, people, strict=True), start=1)
    ]


def failures(lines: Sequence[PayeeLine]) -> list[FailureLine]:
    failed = [line for line in lines if line.outcome == Outcome.FAILED]
    return [
        FailureLine(
            sequence=line.sequence,
            reference=line.reference,
            county=line.county,
            name=line.name,
            account=line.account,
            amount_fen=line.amount_fen,
            outcome=line.outcome,
            reason="账号户名不符",
            again_batch="P20260000008",
            again_sequence=number,
            again_outcome=Outcome.PAID,
        )
        for number, line in enumerate(failed, start=1)
    ]


def tally(lines: Sequence[PayeeLine]) -> Tally:
    return Tally(len(lines), sum(line.amount_fen for line in lines))


def figures(lines: Sequence[PayeeLine]) -> BatchFigures:
    """The figures that fit the lines."""
    counties = []
    for name in dict.fromkeys(line.county for line in lines):
        own = [line for line in lines if line.county == name]
        paid = [line for line in own if line.outcome == Outcome.PAID]
        failed = [line for line in own if line.outcome == Outcome.FAILED]
        counties.append(CountyFigures(name, tally(own), tally(paid), tally(failed)))
    people = (("maker", "冯晓梅"), ("checker", "冯建国"), ("releaser", "冯䶮"))
    return BatchFigures(
        office="榆林市总工会",
        number="P20260000007",
        organization="榆林市总工会",
        period="2026",
        fund_code="LM-2026",
        fund_name="2026年市级劳模专项补助资金",
        fund_source="市级财政预算专项资金",
        rule_title="市级劳模双节慰问（示例规则）",
        rule_version="2",
        rule_clause="《市级劳模专项补助资金管理暂行办法》第五条、第六条",
        rule_issuer="市财政局、市总工会",
        rule_is_sample=True,
        pay_on=date(2026, 1, 22),
        state="closed",
        control=tally(lines),
        digest=DIGEST,
        counties=tuple(counties),
        approvals=tuple(
            Approval(step, name, AT + timedelta(hours=2 * index), DIGEST)
            for index, (step, name) in enumerate(people)
        ),
        bank_file=BankFileFigures("P20260000007.csv", DIGEST[::-1], AT, tally(lines)),
        return_files=(Occurrence("P20260000007-1.csv", "冯晓梅", AT, str(len(lines))),),
    )


def print_report(
    lines: Sequence[PayeeLine],
    folder: Path,
    *,
    language: str = "zh-hans",
    changed: BatchFigures | None = None,
) -> Printed:
    """The report of these lines, printed as a worker does."""
    sections = folder / "sections"
    sections.mkdir(parents=True)
    report = Report(changed or figures(lines), folder=sections, words=Wording(language))
    report.lay_out(lines, failures(lines), ISSUE)
    return report.print(
        folder / "report.pdf", made_at=ISSUE.made_at.isoformat(), progress=lambda done, total: None
    )
