"""`docs/security.md` below its mark, made from `docs/security.csv`.

    python -m tests.architecture.security_map

The table says in our own words what each item asks, whether it applies, and which tests show
it. Numbers and levels: OWASP Application Security Verification Standard 5.0.0 (CC BY-SA 4.0)
and GB/T 22239-2019, 8.1.4.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from tests.architecture.sources import ROOT

TABLE: Final = ROOT / "docs/security.csv"
PAPER: Final = ROOT / "docs/security.md"
MARK: Final = (
    "<!-- Below this line: made from security.csv by `python -m tests.architecture.security_map`."
    " -->"
)
ASVS: Final = "ASVS 5.0.0"
DENGBAO: Final = "GB/T 22239-2019"
YES, NO, OPERATIONS = "yes", "no", "operations"

# One digit per requirement, in order: its level. The standard, section by section.
LEVELS: Final = """
1.1 22
1.2 1111122223
1.3 112222222223
1.4 222
1.5 123
2.1 122
2.2 112
2.3 12223
2.4 23
3.1 3
3.2 113
3.3 12223
3.4 11222233
3.5 11122333
3.6 3
3.7 22333
4.1 12233
4.2 23333
4.3 22
4.4 1222
5.1 2
5.2 112333
5.3 113
5.4 222
6.1 122
6.2 111111112222
6.3 11223333
6.4 112233
6.5 22222333
6.6 2223
6.7 33
6.8 2222
7.1 222
7.2 1111
7.3 22
7.4 11222
7.5 223
7.6 22
8.1 1233
8.2 1123
8.3 133
8.4 23
9.1 111
9.2 1222
10.1 22
10.2 223
10.3 22223
10.4 1111122222233333
10.5 22222
10.6 22
10.7 222
11.1 2233
11.2 22233
11.3 11233
11.4 1222
11.5 23
11.6 23
11.7 33
12.1 12233
12.2 11
12.3 22223
13.1 2333
13.2 222223
13.3 2233
13.4 1222233
14.1 22
14.2 12223333
14.3 122
15.1 12233
15.2 12233
15.3 1222222
15.4 3333
16.1 2
16.2 22222
16.3 2222
16.4 222
16.5 2223
17.1 23
17.2 22223333
17.3 22
"""
CHAPTERS: Final = {
    "1": "Encoding and sanitization",
    "2": "Validation and business logic",
    "3": "Web frontend",
    "4": "API and web service",
    "5": "Files",
    "6": "Authentication",
    "7": "Sessions",
    "8": "Authorization",
    "9": "Self-contained tokens",
    "10": "OAuth and OIDC",
    "11": "Cryptography",
    "12": "Communication",
    "13": "Configuration",
    "14": "Data protection",
    "15": "Coding and architecture",
    "16": "Logging and errors",
    "17": "WebRTC",
}
CLAUSES: Final = {
    "8.1.4.1": ("身份鉴别", "abcd"),
    "8.1.4.2": ("访问控制", "abcdefg"),
    "8.1.4.3": ("安全审计", "abcd"),
    "8.1.4.4": ("入侵防范", "abcdef"),
    "8.1.4.5": ("恶意代码防范", ""),
    "8.1.4.6": ("可信验证", ""),
    "8.1.4.7": ("数据完整性", "ab"),
    "8.1.4.8": ("数据保密性", "ab"),
    "8.1.4.9": ("数据备份恢复", "abc"),
    "8.1.4.10": ("剩余信息保护", "ab"),
    "8.1.4.11": ("个人信息保护", "ab"),
}


@dataclass(frozen=True)
class Item:
    """One row of the table."""

    standard: str
    item: str
    level: str
    asked: str
    applies: str
    how: str
    tests: str
    reason: str

    @property
    def chapter(self) -> str:
        """The chapter of ASVS, or the clause of the national standard."""
        return self.item.split(".")[0] if self.standard == ASVS else self.item.split(" ")[0]

    @property
    def names(self) -> list[str]:
        return [name for name in self.tests.split(";") if name]


def items(table: Path = TABLE) -> list[Item]:
    with table.open(encoding="utf-8", newline="") as lines:
        return [Item(**row) for row in csv.DictReader(lines)]


def requirements() -> dict[str, str]:
    """Number → level, of every requirement of ASVS 5.0.0."""
    return {
        f"{section}.{number}": level
        for section, levels in (line.split() for line in LEVELS.strip().splitlines())
        for number, level in enumerate(levels, 1)
    }


def clauses() -> list[str]:
    """Every clause of 8.1.4 (安全计算环境), level 3."""
    return [
        f"{clause} {letter}".strip()
        for clause, (_name, letters) in CLAUSES.items()
        for letter in letters or [""]
    ]


def paper(front: str, table: list[Item]) -> str:
    return "\n".join([front.rstrip(), "", MARK, "", *_body(table)]) + "\n"


def front() -> str:
    """What is written by hand, above the mark."""
    return PAPER.read_text("utf-8").split(MARK)[0]


def _body(table: list[Item]) -> Iterator[str]:
    asvs = [item for item in table if item.standard == ASVS]
    dengbao = [item for item in table if item.standard == DENGBAO]
    yield from _summary(asvs)
    for chapter, rows in groupby(asvs, key=lambda item: item.chapter):
        yield from ["", f"### V{chapter} {CHAPTERS[chapter]}", "", *_rows(list(rows))]
    yield from ["", "## 等级保护 2.0 第三级 安全计算环境", ""]
    yield "编号依据 GB/T 22239-2019 的 8.1.4，要求用我们自己的话概括。"
    for clause, rows in groupby(dengbao, key=lambda item: item.chapter):
        yield from ["", f"### {clause} {CLAUSES[clause][0]}", "", *_rows(list(rows))]


def _summary(asvs: list[Item]) -> Iterator[str]:
    yield from ["## OWASP ASVS 5.0, item by item", ""]
    yield (
        "Numbers and levels are those of version 5.0.0 (OWASP, CC BY-SA 4.0); what is asked is"
        " told in our words. All of levels 1 and 2 are listed, of level 3 those that a test shows."
    )
    yield from ["", "| Chapter | Level 1 | Level 2 | Level 3 | shown by tests | operator's | no |"]
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for chapter in CHAPTERS:
        yield _counted(f"V{chapter} {CHAPTERS[chapter]}", [i for i in asvs if i.chapter == chapter])
    yield _counted("**all**", asvs)


def _counted(title: str, rows: list[Item]) -> str:
    counts = [sum(item.level == level for item in rows) for level in "123"]
    counts += [sum(item.applies == how for item in rows) for how in (YES, OPERATIONS, NO)]
    return f"| {title} | {' | '.join(map(str, counts))} |"


def _rows(rows: list[Item]) -> Iterator[str]:
    yield from ["| Item | Level | Asked | How | Shown by, or why not |", "|---|---|---|---|---|"]
    for row in rows:
        shown = ", ".join(f"`{name}`" for name in row.names)
        why = {YES: shown, OPERATIONS: f"operator: {row.reason}", NO: f"not here: {row.reason}"}
        yield f"| {row.item} | {row.level} | {row.asked} | {row.how} | {why[row.applies]} |"


def main() -> None:
    PAPER.write_text(paper(front(), items()), encoding="utf-8")


if __name__ == "__main__":
    main()
