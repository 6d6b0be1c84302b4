"""Export of people as XLSX: the product against django-import-export, on the same people.

    python -m bench.export_people [--rows 100000]

Each run has a child process; all read one fresh database beside DATABASE_URL. Runs are
interleaved; medians of three. Both write the same masked columns; the product also logs
the export and scopes it to its reader.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.import_people import ROOT, TURNS, Databases, environment, sql, write_file
from tests.processes import peak

KINDS = ("product", "product_csv", "default")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--child", choices=(*KINDS, "fill"))
    parser.add_argument("--file", type=Path)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child, arguments.file)
        return
    with tempfile.TemporaryDirectory() as folder, Databases() as databases:
        name = f"{databases.template}_full"
        sql(f"CREATE DATABASE {name} TEMPLATE {databases.template}")
        try:
            compare(name, write_file(Path(folder) / "people.csv", arguments.rows))
        finally:
            sql(f"DROP DATABASE {name}")


def compare(database: str, people: Path) -> None:
    run("fill", database, people)
    results: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    for turn in range(1, TURNS + 1):
        for kind in KINDS:
            result = run(kind, database, people)
            results[kind].append(result)
            print(f"turn {turn} {kind:12} {json.dumps(result)}", flush=True)

    def median(kind: str, key: str) -> float:
        return statistics.median(result[key] for result in results[kind])

    print()
    for kind in KINDS:
        print(f"{kind:12} {median(kind, 'seconds'):8.2f} s {median(kind, 'peak_mb'):6.0f} MB")
    faster = median("default", "seconds") / median("product", "seconds")
    smaller = median("product", "peak_mb") / median("default", "peak_mb")
    print(f"\nD1 speed   default / product  {faster:6.1f}")
    print(f"D1 memory  product / default  {smaller:6.2f}")


def run(kind: str, database: str, people: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.export_people", "--child", kind, "--file", str(people)],
        cwd=ROOT,
        env=environment(database),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    read: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return read


def child(kind: str, people: Path) -> None:
    import django

    django.setup()
    from bench.import_people import run_product

    if kind == "fill":
        with tempfile.TemporaryDirectory() as media:
            from django.conf import settings

            settings.MEDIA_ROOT, settings.UPLOAD_MAX_BYTES = media, 1 << 30
            run_product(people)
        print("{}")
        return
    started = time.perf_counter()
    with tempfile.TemporaryFile() as target:
        (export_default if kind == "default" else export_product)(target, kind)
        size = target.tell()
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - started,
                "bytes": size,
                "peak_mb": peak() // (1 << 20),
            }
        )
    )


def export_product(target: Any, kind: str) -> None:
    from members.models import Person
    from members.resources import Format, write_people
    from union_portal.models import Account

    officer = Account.objects.get(username="officer")
    sheet: Format = "csv" if kind == "product_csv" else "xlsx"
    write_people(target, people=Person.objects.all(), by=officer, kind=sheet)


def export_default(target: Any, _kind: str) -> None:
    from bench.peer_resources import ExportResource

    target.write(ExportResource().export().xlsx)


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
