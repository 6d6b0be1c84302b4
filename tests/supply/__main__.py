"""`python -m tests.supply licences` writes docs/licences.csv; `sbom --out FILE` a bill."""

import argparse
import sys
from pathlib import Path

from tests.supply import licences, sbom


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.supply", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("licences", help="write the list of licences anew")
    bill = commands.add_parser("sbom", help="write a bill of materials (CycloneDX JSON)")
    bill.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    if asked.command == "licences":
        licences.LISTED.write_text(licences.table(), encoding="utf-8")
        print(licences.LISTED)
    else:
        asked.out.write_text(sbom.bill() + "\n", encoding="utf-8")
        print(asked.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
