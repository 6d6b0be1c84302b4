"""审计包核验 / Check an audit pack. Python 3.8+, standard library only.

    python3 verify.py [folder]

Exit status 0 if the chain holds, 1 with a line for each difference.
"""

import hashlib
import json
import sys
from pathlib import Path


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def roots(path: Path) -> dict:
    """{block: (root, count)} from the entries' own text."""
    hashes: dict = {}
    with path.open(encoding="utf-8") as lines:
        for row in lines:
            block, line = row.rstrip("\n").split("\t", 1)
            hashes.setdefault(int(block), []).append(sha256(line))
    return {block: (sha256("".join(found)), len(found)) for block, found in hashes.items()}


def check(folder: Path) -> tuple:
    """A sentence for each difference."""
    faults: list = []
    before, expected = "0" * 64, 1
    found = roots(folder / "entries.jsonl")
    blocks = json.loads((folder / "blocks.json").read_text(encoding="utf-8"))
    for block in blocks:
        number = block["number"]
        root, count = found.pop(number, ("", 0))
        if number != expected:
            faults.append(f"缺少区块 / block {expected} is missing")
        if count != block["entries"]:
            faults.append(f"区块 {number} 条数不符 / block {number} holds {count} entries")
        if root != block["root"]:
            faults.append(f"区块 {number} 记录被改 / an entry of block {number} was changed")
        if block["previous"] != before:
            faults.append(f"区块 {number} 不相接 / block {number} does not follow")
        sealed = f"{number}|{block['entries']}|{block['previous']}|{block['root']}"
        if sha256(sealed) != block["digest"]:
            faults.append(f"区块 {number} 摘要被改 / the digest of block {number} was changed")
        before, expected = block["digest"], number + 1
    for number in found:
        faults.append(f"多出区块 {number} 的记录 / entries of a block {number} that does not exist")
    return faults, (blocks[-1] if blocks else None)


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    faults, last = check(folder)
    for fault in faults:
        print(fault)
    if faults:
        return 1
    print("核验通过 / holds")
    if last:
        print(f"{last['number']} {last['digest']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
