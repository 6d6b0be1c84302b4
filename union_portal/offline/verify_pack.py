"""审计包核验 / Check an audit pack. Python 3.8+, standard library only.

    python3 verify.py [FOLDER] [NUMBER:DIGEST ...]

NUMBER:DIGEST 是外部见证过的区块（邮件、报表所印）/ a block seen elsewhere (e-mail, report).
Exit status 0 if the chain holds and every such block is in it, 1 with a line for each difference.
"""

import hashlib
import io
import json
import re
import sys
from pathlib import Path


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def recount(path: Path) -> tuple:
    """{block: (root, count)} from the entries' own text, ranges of blocks that the log itself

    says were lost in a restore, and a sentence for each misplaced entry."""
    found: dict = {}
    faults: list = []
    lost: list = []
    last = (0, 0)
    running, count = hashlib.sha256(), 0
    with path.open(encoding="utf-8", newline="\n") as lines:
        for row, line in enumerate(lines, start=1):
            number, text = line.rstrip("\n").split("\t", 1)
            entry = json.loads(text)
            place = (int(number), entry[0])
            if entry[4] == "audit.restored":
                lost.append((entry[9]["first"], entry[9]["last"], entry[0]))
            if place <= last:
                faults.append(f"第 {row} 行次序错乱 / line {row} is out of order")
            if place[0] != last[0]:
                running, count = hashlib.sha256(), 0
            running.update(sha256(text).encode("ascii"))
            count += 1
            found[place[0]] = (running.hexdigest(), count)
            last = place
    return found, lost, faults


def is_lost(first: int, last: int, lost: list) -> bool:
    return any(one[0] <= first and last <= one[1] for one in lost)


def check(folder: Path, witnesses: list) -> tuple:
    """A sentence for each difference, for each loss by a restore, and the last block."""
    before, expected = "0" * 64, 1
    found, lost, faults = recount(folder / "entries.jsonl")
    blocks = json.loads((folder / "blocks.json").read_text(encoding="utf-8"))
    for block in blocks:
        number = block["number"]
        root, count = found.pop(number, ("", 0))
        if number != expected and not is_lost(expected, number - 1, lost):
            faults.append(f"缺少区块 / block {expected} is missing")
        if count != block["entries"]:
            faults.append(f"区块 {number} 条数不符 / block {number} holds {count} entries")
        if root != block["root"]:
            faults.append(f"区块 {number} 记录被改 / an entry of block {number} was changed")
        if block["previous"] != before:
            faults.append(f"区块 {number} 不相接 / block {number} does not follow")
        parts = ("number", "sealed_at", "entries", "previous", "root")
        if sha256("|".join(str(block[part]) for part in parts)) != block["digest"]:
            faults.append(f"区块 {number} 校验值被改 / the digest of block {number} was changed")
        before, expected = block["digest"], number + 1
    for number in found:
        faults.append(f"多出区块 {number} 的记录 / entries of a block {number} that does not exist")
    digests = {block["number"]: block["digest"] for block in blocks}
    for number, digest in witnesses:
        if digests.get(number) != digest and (
            number in digests or not is_lost(number, number, lost)
        ):
            faults.append(f"区块 {number} 与见证不符 / block {number} is not the one that was seen")
    losses = [
        f"区块 {first} 至 {last} 在一次恢复中丢失 / blocks {first} to {last} were lost in a restore"
        f" (记录 / entry {entry})"
        for first, last, entry in lost
    ]
    return faults, losses, (blocks[-1] if blocks else None)


def main() -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):  # a console may know no Chinese
        sys.stdout.reconfigure(errors="backslashreplace")
    folder, witnesses = Path(__file__).resolve().parent, []
    for given in sys.argv[1:]:
        seen = re.fullmatch(r"(\d+):([0-9a-fA-F]{64})", given)
        if seen:
            witnesses.append((int(seen[1]), seen[2].lower()))
        else:
            folder = Path(given)
    try:
        faults, losses, last = check(folder, witnesses)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"审计包不完整 / the pack can't be read: {type(error).__name__}: {error}")
        return 1
    for line in [*faults, *losses]:
        print(line)
    if faults:
        return 1
    own = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    print("核验通过 / holds")
    if last:
        print(f"最后区块 / last block: {last['number']}:{last['digest']}")
    print(f"本程序 / this program: {own}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
