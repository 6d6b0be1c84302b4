"""The PDF disbursement report against one naive WeasyPrint document of the same rows.

    python -m bench.report_pdf                          1,000, 5,000 and 10,000 payees
    python -m bench.report_pdf --ours 100000 --naive 20000 --runs 1
    python -m bench.report_pdf --ours 10000 --naive --typst 10000

The naive peer is what one writes first: one HTML table with a bordered cell per field, the
same bundled font, `HTML(string=…).write_pdf()`. The other peer is typst (`pip install typst`),
a compiled typesetter, with the same columns in one tagged table. All run in processes of their
own, one after the other, interleaved, median of `--runs`; memory is the largest sum of the
proportional sizes (PSS) of all their processes. Rows are made as they are read, in place of the
database.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
COUNTIES = 12
SAMPLING_SECONDS = 0.05


# -- the rows -------------------------------------------------------------------------


def lines(count: int) -> Iterator[Any]:
    """So many payments, county by county, one in fifty failed; the same on every call."""
    from union_portal.kit import fictional, regions
    from welfare.disbursement.reporting.content import Outcome, PayeeLine

    rng = random.Random(count)
    names = [f"{name}总工会" for name in regions.YULIN_DIVISIONS_ZH.values()]
    unions = [fictional.make_union_name(rng, name[:-3]) for name in names]
    banks = ("中国农业银行", "榆林农村商业银行", "长安银行", "中国邮政储蓄银行")
    for number in range(1, count + 1):
        county = (number - 1) * COUNTIES // count
        yield PayeeLine(
            sequence=number,
            reference=f"P2026-{number:06d}",
            county=names[county],
            union=unions[county],
            name=fictional.make_name(rng, "female" if number % 2 else "male"),
            identity=f"612***********{rng.randrange(10_000):04d}",
            bank=banks[number % 4],
            account=f"************{rng.randrange(10_000):04d}",
            amount_fen=30_000 if number % 3 else 200_000,
            outcome=Outcome.FAILED if number % 50 == 0 else Outcome.PAID,
        )


def failed(count: int) -> Iterator[Any]:
    from welfare.disbursement.reporting.content import FailureLine, Outcome

    for line in lines(count):
        if line.outcome == Outcome.FAILED:
            yield FailureLine(
                sequence=line.sequence,
                reference=line.reference,
                county=line.county,
                name=line.name,
                account=line.account,
                amount_fen=line.amount_fen,
                outcome=line.outcome,
                reason="账号户名不符",
                again_batch="P20260000008",
                again_sequence=line.sequence // 50,
                again_outcome=Outcome.PAID,
            )


def figures(count: int) -> Any:
    """The batch's figures, as the database would sum them up."""
    from welfare.disbursement.reporting.content import (
        BankFileFigures,
        BatchFigures,
        CountyFigures,
        Outcome,
        Tally,
    )

    sums: dict[str, list[int]] = {}
    for line in lines(count):
        own = sums.setdefault(line.county, [0] * 4)
        place = 2 if line.outcome == Outcome.FAILED else 0
        own[place] += 1
        own[place + 1] += line.amount_fen
    total = Tally(count, sum(own[1] + own[3] for own in sums.values()))
    digest = "9f2c44aa01b7d3e8" * 4
    return BatchFigures(
        office="榆林市总工会",
        number="P20260000007",
        organization="榆林市总工会",
        period="2026",
        fund_code="LM-2026",
        fund_name="市级劳模专项补助资金",
        fund_source="市级财政预算",
        rule_title="市级劳模双节慰问",
        rule_version="1",
        rule_clause="第五条",
        rule_issuer="市总工会",
        rule_is_sample=True,
        pay_on=date(2026, 1, 22),
        state="closed",
        control=total,
        digest=digest,
        counties=tuple(
            CountyFigures(
                name,
                Tally(own[0] + own[2], own[1] + own[3]),
                Tally(own[0], own[1]),
                Tally(own[2], own[3]),
            )
            for name, own in sums.items()
        ),
        approvals=(),
        bank_file=BankFileFigures("P20260000007.csv", digest, datetime.now(UTC), total),
    )


# -- the two ways ---------------------------------------------------------------------


def ours(count: int, folder: Path) -> int:
    """The report as the worker makes it."""
    from welfare.disbursement.reporting.content import Issue
    from welfare.disbursement.reporting.document import Report
    from welfare.disbursement.reporting.wording import Wording

    sections = folder / "sections"
    sections.mkdir()
    report = Report(figures(count), folder=sections, words=Wording())
    now = datetime.now(UTC)
    report.lay_out(lines(count), failed(count), Issue(1, now, "bench", "1 " + "0" * 64))
    return report.print(
        folder / "out.pdf", made_at=now.isoformat(), progress=lambda done, total: None
    ).pages


NAIVE_STYLE = """
@page { size: A4; margin: 17mm 13mm; @bottom-right { content: counter(page) " / " counter(pages) } }
html { font-family: Report; font-size: 8.5pt }
table { border-collapse: collapse; width: 100% }
th, td { border: 0.5pt solid #999; padding: 2pt 3pt }
"""


HEADS = ("序号", "姓名", "身份证号", "工会", "银行", "账号", "金额", "结果")


def cells(count: int) -> Iterator[tuple[str, ...]]:
    """The texts of a peer's table, row by row."""
    from union_portal.kit.money import yuan

    for line in lines(count):
        yield (
            str(line.sequence),
            line.name,
            line.identity,
            line.union,
            line.bank,
            line.account,
            yuan(line.amount_fen),
            str(line.outcome),
        )


def naive(count: int, folder: Path) -> int:
    """One document, one table, a cell per field."""
    from html import escape

    import pikepdf
    from weasyprint import HTML

    from union_portal.kit import pdf

    face = pdf.bundled_font("regular").as_uri()
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>"
        for row in cells(count)
    )
    heads = "".join(f"<th>{head}</th>" for head in HEADS)
    html = (
        f'<html lang="zh-CN"><style>@font-face{{font-family:Report;src:url("{face}")}}'
        f"{NAIVE_STYLE}</style><table><thead><tr>{heads}</tr></thead>{rows}</table></html>"
    )
    HTML(string=html).write_pdf(folder / "out.pdf")
    with pikepdf.open(folder / "out.pdf") as document:
        return len(document.pages)


TYPST_SOURCE = """
#set page(paper: "a4", margin: (x: 13mm, y: 17mm), numbering: "1 / 1")
#set text(font: "Noto Sans CJK JP", size: 7pt, lang: "zh", region: "cn")
#table(
  columns: 8, stroke: none, inset: 2pt, fill: (_, y) => if calc.odd(y) { luma(245) },
  table.header(..json("heads.json")), ..json("cells.json"),
)
"""


def typst(count: int, folder: Path) -> int:
    """The same table by a compiled typesetter, tagged as it does by default."""
    import pikepdf
    import typst as typesetter

    from union_portal.kit import pdf

    (folder / "heads.json").write_text(json.dumps(HEADS))
    (folder / "cells.json").write_text(json.dumps([text for row in cells(count) for text in row]))
    (folder / "report.typ").write_text(TYPST_SOURCE)
    fonts = pdf.bundled_font("regular").parent
    typesetter.compile(folder / "report.typ", output=folder / "out.pdf", font_paths=[fonts])
    with pikepdf.open(folder / "out.pdf") as document:
        if "/StructTreeRoot" not in document.Root:
            raise SystemExit("typst wrote no tags: no fair peer")
        return len(document.pages)


WAYS = {"ours": ours, "naive": naive, "typst": typst}


# -- measuring ------------------------------------------------------------------------


def work(way: str, count: int) -> None:
    """One measured run, in this process: prints what it took as JSON."""
    import django

    django.setup()
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        pages = WAYS[way](count, Path(folder))
        seconds = time.perf_counter() - started
        size = (Path(folder) / "out.pdf").stat().st_size
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in used)
    print(json.dumps({"seconds": seconds, "cpu": cpu, "pages": pages, "bytes": size}))


def measure(way: str, count: int) -> dict[str, Any]:
    """Run one way in a process of its own and watch the memory of all it starts."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.report_pdf", "--work", way, str(count)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "union_portal.settings"},
    )
    peak = [0]

    def watch() -> None:
        # Counting a big process's pages stops it for a while: look rarely at those that are.
        while process.poll() is None:
            started = time.perf_counter()
            peak[0] = max(peak[0], sum(map(_pss_kb, _family(process.pid))))
            time.sleep(max(SAMPLING_SECONDS, 30 * (time.perf_counter() - started)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, _err = process.communicate()
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{way} {count} failed with {process.returncode}")
    result: dict[str, Any] = json.loads(out.splitlines()[-1])
    return result | {"mib": peak[0] / 1024}


def _family(root: int) -> list[int]:
    """A process and everything it started."""
    family, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        family.append(pid)
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return family


def _pss_kb(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def table(results: dict[tuple[str, int], list[dict[str, Any]]]) -> Iterator[str]:
    yield "| payees | way | seconds | rows/s | CPU s | peak MiB | pages | MB |"
    yield "|---|---|---|---|---|---|---|---|"
    for (way, count), runs in results.items():
        seconds = median(run["seconds"] for run in runs)
        cpu = median(run["cpu"] for run in runs)
        memory = median(run["mib"] for run in runs)
        yield (
            f"| {count:,} | {way} | {seconds:.1f} | {count / seconds:,.0f} | {cpu:.1f}"
            f" | {memory:,.0f} | {runs[0]['pages']} | {runs[0]['bytes'] / 1e6:.1f} |"
        )


def ratios(results: dict[tuple[str, int], list[dict[str, Any]]]) -> Iterator[str]:
    """Each of ours against every peer's document of the same run."""
    speed = {key: key[1] / median(run["seconds"] for run in runs) for key, runs in results.items()}
    cpu = {key: key[1] / median(run["cpu"] for run in runs) for key, runs in results.items()}
    memory = {key: median(run["mib"] for run in runs) for key, runs in results.items()}
    for mine in (key for key in results if key[0] == "ours"):
        for peer in (key for key in results if key[0] != "ours"):
            yield (
                f"{mine[1]:,} payees : {peer[0]} {peer[1]:,}:"
                f" {speed[mine] / speed[peer]:.1f} × the rows/s"
                f" ({cpu[mine] / cpu[peer]:.1f} × per CPU second),"
                f" {memory[mine] / memory[peer]:.3f} × the memory"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ours", type=int, nargs="*", default=[1_000, 5_000, 10_000])
    parser.add_argument("--naive", type=int, nargs="*", default=[1_000, 5_000, 10_000])
    parser.add_argument("--typst", type=int, nargs="*", default=[])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments.work[0], int(arguments.work[1]))
        return
    results: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for _run in range(arguments.runs):
        for count in sorted({*arguments.ours, *arguments.naive, *arguments.typst}):
            for way in WAYS:
                if count in getattr(arguments, way):
                    results.setdefault((way, count), []).append(measure(way, count))
                    print(way, f"{count:,}", results[way, count][-1], file=sys.stderr, flush=True)
    print("\n".join([*table(results), "", *ratios(results)]))


if __name__ == "__main__":
    main()
