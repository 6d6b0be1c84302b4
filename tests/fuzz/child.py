"""One target under the fuzzer: `python -m tests.fuzz.child TARGET INPUTS SEED FOLDER OUT`."""

import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["welfare.disbursement.bankfile", "union_portal.kit"]):
    from tests.fuzz import targets
from tests.fuzz.files import TOKENS
from tests.fuzz.judging import Unjudged

# Beyond this an input is of no more use than two that are shorter.
LONGEST = 8192
SHRINKS = 2000


class Run:
    """Counts inputs and what they did; ends the process after the last."""

    def __init__(self, name: str, inputs: int, folder: Path, out: Path) -> None:
        self.target = targets.TARGETS[name]
        self.name, self.wanted, self.folder, self.out = name, inputs, folder, out
        self.count = {"inputs": 0, "crashes": 0, "unjudged": 0}
        self.known: set[str] = set()

    def __call__(self, data: bytes) -> None:
        if fault := fault_of(self.target, data):
            self.count["unjudged" if fault.startswith("Unjudged") else "crashes"] += 1
            self._keep(fault, data)
        self.count["inputs"] += 1
        if self.count["inputs"] % 10_000 == 0:
            self._tell()
        if self.count["inputs"] >= self.wanted:
            self._tell()
            os._exit(0)

    def _keep(self, fault: str, data: bytes) -> None:
        """The shortest input that does the same, once for each fault."""
        if fault in self.known:
            return
        self.known.add(fault)
        small = shrunk(data, lambda tried: fault_of(self.target, tried) == fault)
        path = self.out / f"{self.name}-{sha256(small).hexdigest()[:12]}"
        path.write_bytes(small)
        print(f"FOUND {fault}\n  {path}: {small[:200]!r}", flush=True)

    def _tell(self) -> None:
        (self.folder / "found.json").write_text(json.dumps(self.count))


def fault_of(target: Callable[[bytes], None], data: bytes) -> str:
    """What the input did that no input should, and where; empty if nothing."""
    try:
        target(data)
    except Unjudged as error:
        return f"Unjudged: {error}"
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # Panics of libraries are no Exceptions.
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
    return ""


def shrunk(data: bytes, is_same: Callable[[bytes], bool]) -> bytes:
    """Cut pieces out, large ones first, as long as it does the same."""
    size, tries = max(len(data) // 2, 1), 0
    while tries < SHRINKS:
        start, was = 0, data
        while start < len(data) and tries < SHRINKS:
            tries += 1
            less = data[:start] + data[start + size :]
            if is_same(less):
                data = less
            else:
                start += size
        if size == 1 and data == was:
            break
        size = max(size // 2, 1)
    return data


def main() -> None:
    name, inputs, seed, folder, out = sys.argv[1:]
    # Sheets are written there, and go with it: this process ends without tidying up.
    tempfile.tempdir = folder
    corpus = Path(folder) / "corpus"
    corpus.mkdir()
    for number, content in enumerate(targets.seeds(name)):
        (corpus / f"seed-{number:03d}").write_bytes(content)
    words = Path(folder) / "words"
    words.write_text("".join(f'"{_escaped(token)}"\n' for token in TOKENS if 0 < len(token) < 64))
    # A seed of 0 would be drawn anew.
    arguments = [
        sys.argv[0], f"-seed={int(seed) + 1}", f"-max_len={LONGEST}", f"-dict={words}",
        f"-artifact_prefix={out}/{name}-", "-rss_limit_mb=1500", "-timeout=20",
        "-verbosity=0", "-print_final_stats=0", str(corpus),
    ]  # fmt: skip
    atheris.Setup(arguments, Run(name, int(inputs), Path(folder), Path(out)))
    atheris.Fuzz()


def _escaped(token: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in token)


if __name__ == "__main__":
    main()
