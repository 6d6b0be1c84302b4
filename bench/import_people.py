"""Import of people: the product against django-import-export, on the same rows and checks.

    python -m bench.import_people [--rows N] [--peer-rows N] [--turns N]
                                  [--large | --memory | --members]

Every run has a child process and a fresh database of its own (cloned from a migrated one
beside DATABASE_URL). Runs are interleaved; medians of three. All read the same XLSX, check
every value with the same readers and seal the same columns:

product  upload, check with preview, confirm, write; then the same file again
default  a ModelResource as the manual shows it: dry run (as its pages do), then import
best     use_bulk, skip_diff, no look-ups, cached unions: import without dry run
copy     the finished rows by one bare COPY into an empty table with the same indexes

`--large` adds the product's peak memory at ten times the rows, from CSV; `--memory`
measures nothing else. `--members` measures what the nine membership columns cost: the same
people without and with them, from CSV, each written and then brought in again.
"""

import argparse
import csv
import io
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from tests.processes import peak

ROOT = Path(__file__).resolve().parent.parent
HEADERS = ("姓名", "证件号码", "手机号", "工会名称", "工作单位")
MEMBERSHIP = (
    ("民族", ("汉族", "回族", "蒙古族")),
    ("学历", ("初中", "高中", "大专", "本科")),
    ("政治面貌", ("群众", "共青团员", "中共党员")),
    ("户籍类型", ("本地农业", "外地农业")),
    ("就业状况", ("在岗", "灵活就业")),
    ("技能等级", ("无", "初级工", "中级工", "高级工", "技师")),
    ("是否农民工", ("是", "否")),
    ("入会日期", tuple(f"202{year}-0{month}-01" for year in range(1, 6) for month in range(1, 8))),
    ("会籍状态", ("正常", "正常", "正常", "保留会籍")),
)
UNION = "驼城运输有限公司工会委员会"
TURNS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--peer-rows", type=int, default=20_000)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--members", action="store_true")
    parser.add_argument("--child", nargs=2, metavar=("KIND", "FILE"))
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child[0], Path(arguments.child[1]))
        return
    with tempfile.TemporaryDirectory() as folder, Databases() as databases:
        if arguments.memory:
            report_memory(arguments.rows, Path(folder), databases)
        elif arguments.members:
            report_members(arguments.rows, arguments.turns, Path(folder), databases)
        else:
            compare(arguments, Path(folder), databases)


def compare(arguments: argparse.Namespace, folder: Path, databases: "Databases") -> None:
    large = write_file(folder / "people.xlsx", arguments.rows)
    small = write_file(folder / "peer.xlsx", min(arguments.peer_rows, arguments.rows))
    files = {"product": large, "default": small, "best": large, "copy": large}
    results: dict[str, list[dict[str, Any]]] = {kind: [] for kind in RUNS}
    for turn in range(1, arguments.turns + 1):
        for kind in RUNS:
            result = databases.run(kind, files[kind])
            results[kind].append(result)
            print(f"turn {turn} {kind:8} {json.dumps(result)}", flush=True)
    report(results)
    if arguments.large:
        report_memory(arguments.rows, folder, databases)


def report(results: dict[str, list[dict[str, Any]]]) -> None:
    def rate(kind: str, stage: str) -> float:
        return statistics.median(r["rows"] / r[stage] for r in results[kind])

    def memory(kind: str) -> int:
        return int(statistics.median(r["peak_mb"] for r in results[kind]))

    product = rate("product", "first")
    print(f"\nproduct            {product:9,.0f} rows/s   {memory('product')} MB")
    print(f"default            {rate('default', 'imported'):9,.0f} rows/s   {memory('default')} MB")
    print(f"default + dry run  {rate('default', 'both'):9,.0f} rows/s")
    print(f"best               {rate('best', 'imported'):9,.0f} rows/s   {memory('best')} MB")
    print(f"bare COPY          {rate('copy', 'imported'):9,.0f} rows/s")
    print(f"\nA1 product / default           {product / rate('default', 'imported'):6.1f}")
    print(f"A1 product / default + dry run {product / rate('default', 'both'):6.1f}")
    print(f"A1 product / best              {product / rate('best', 'imported'):6.1f}")
    print(f"A2 product / bare COPY         {product / rate('copy', 'imported'):6.2f}")
    write = rate("product", "written")
    print(f"A2 its writing / bare COPY     {write / rate('copy', 'imported'):6.2f}")
    print(f"A2 again / first               {rate('product', 'again') / product:6.2f}")


def report_memory(rows: int, folder: Path, databases: "Databases") -> None:
    few = databases.run("product", write_file(folder / "few.csv", rows))
    many = databases.run("product", write_file(folder / "many.csv", rows * 10))
    print(f"\nCSV {few['rows']} rows {few['peak_mb']} MB, {many['rows']} rows {many['peak_mb']} MB")
    print(f"A3 memory                      {many['peak_mb'] / few['peak_mb']:6.2f}")


def report_members(rows: int, turns: int, folder: Path, databases: "Databases") -> None:
    files = {
        "people": write_file(folder / "people.csv", rows),
        "members": write_file(folder / "members.csv", rows, with_membership=True),
    }
    results: dict[str, list[dict[str, Any]]] = {kind: [] for kind in files}
    for turn in range(1, turns + 1):
        for kind, file in files.items():
            results[kind].append(databases.run("product", file))
            print(f"turn {turn} {kind:8} {json.dumps(results[kind][-1])}", flush=True)
    print(f"\n{'':10}{'rows/s':>9}{'again':>9}{'written':>9}{'peak MB':>9}")
    for kind, found in results.items():
        rates = [
            statistics.median(r["rows"] / r[stage] for r in found)
            for stage in ("first", "again", "written")
        ]
        memory = int(statistics.median(r["peak_mb"] for r in found))
        print(f"{kind:10}" + "".join(f"{rate:9,.0f}" for rate in rates) + f"{memory:9}")


class Databases:
    """A migrated database to clone from; everything is dropped at the end."""

    def __enter__(self) -> "Databases":
        self.template = f"bench_import_{os.getpid()}"
        sql(f"CREATE DATABASE {self.template}")
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT,
            env=environment(self.template),
            check=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        sql(f"DROP DATABASE IF EXISTS {self.template}")

    def run(self, kind: str, file: Path) -> dict[str, Any]:
        name = f"{self.template}_run"
        sql(f"CREATE DATABASE {name} TEMPLATE {self.template}")
        try:
            done = subprocess.run(
                [sys.executable, "-m", "bench.import_people", "--child", kind, str(file)],
                cwd=ROOT,
                env=environment(name),
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
        finally:
            sql(f"DROP DATABASE {name}")
        read: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return read


def environment(database: str, *, as_worker: bool = False) -> dict[str, str]:
    """What a child runs with: the database as its owner, or with the rights of a worker."""
    role = "PORTAL_WORKER_DATABASE_URL" if as_worker else "DATABASE_URL"
    parts = urlsplit(os.environ[role])
    url = urlunsplit(parts._replace(path=f"/{database}"))
    return os.environ | {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "union_portal.settings"),
        "PORTAL_LOG_LEVEL": "ERROR",
    }


def sql(statement: str) -> None:
    import psycopg2

    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def write_file(path: Path, rows: int, *, with_membership: bool = False) -> Path:
    """Made-up people of one union, or members of it; XLSX or CSV by the name."""
    from union_portal.kit import fictional
    from union_portal.kit.sheets import SheetData, write_xlsx

    columns = MEMBERSHIP if with_membership else ()
    headers = (*HEADERS, *(header for header, _values in columns))
    people = fictional.make_people(
        random.Random(7),
        rows,
        divisions=["610802"],
        first=date(1940, 1, 1),
        last=date(2004, 12, 31),
    )
    lines = (
        (
            *(p.name, p.national_id, p.mobile, UNION, f"驼城第{number % 400}运输队"),
            *(values[number % len(values)] for _header, values in columns),
        )
        for number, p in enumerate(people)
    )
    if path.suffix == ".xlsx":
        write_xlsx(path, [SheetData("people", headers, lines)])
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(headers)
            writer.writerows(lines)
    return path


def child(kind: str, path: Path) -> None:
    import django

    django.setup()
    with tempfile.TemporaryDirectory() as media:
        from django.conf import settings

        settings.MEDIA_ROOT = media
        settings.UPLOAD_MAX_BYTES = 1 << 30
        result = RUNS[kind](path)
    result["peak_mb"] = peak() // (1 << 20)
    print(json.dumps(result))


def make_office() -> tuple[Any, Any]:
    """A federation, one union below it, and an officer who may import."""
    from tests.cast import give_role, make_account
    from union_portal.access import Role
    from union_portal.models import Organization, OrganizationLevel

    city = Organization.objects.create(name="榆林市总工会", level=OrganizationLevel.FEDERATION)
    county = Organization.objects.create(
        name="榆阳区总工会", level=OrganizationLevel.COUNTY, parent=city
    )
    Organization.objects.create(name=UNION, level=OrganizationLevel.GRASSROOTS, parent=county)
    officer = make_account("officer")
    give_role(officer, Role.CITY_OFFICER, city)
    return city, officer


def run_product(path: Path) -> dict[str, Any]:
    city, officer = make_office()
    first, written, rows = _product_once(path, city, officer)
    again, _written, _rows = _product_once(path, city, officer)
    return {"rows": rows, "first": first, "written": written, "again": again}


def _product_once(path: Path, city: Any, officer: Any) -> tuple[float, float, int]:
    from django.core.files.uploadedfile import TemporaryUploadedFile
    from django.utils import timezone

    from members.actions import imports
    from union_portal.kit.sheets import Limits

    now = timezone.now()
    started = time.perf_counter()
    with TemporaryUploadedFile(path.name, "", path.stat().st_size, None) as received:
        with path.open("rb") as file:
            shutil.copyfileobj(file, received)
        received.seek(0)
        run = imports.upload(content=received, name=path.name, organization=city, by=officer)
    imports.check(
        run=run,
        today=now.date(),
        now=now,
        progress=lambda _done, _total: None,
        limits=Limits(max_bytes=1 << 30, max_rows=2_000_000),
    )
    run.refresh_from_db()
    assert run.error_count == 0, run.fault
    imports.confirm(run=run, by=officer, now=now)
    run.refresh_from_db()
    checked = time.perf_counter()
    assert imports.apply(run=run, today=now.date(), now=now)
    done = time.perf_counter()
    return done - started, done - checked, run.rows_count


def run_default(path: Path) -> dict[str, Any]:
    make_office()
    from bench.peer_resources import DefaultResource

    data, loaded = _dataset(path)
    started = time.perf_counter()
    _without_errors(DefaultResource().import_data(data, dry_run=True))
    tried = time.perf_counter()
    _without_errors(DefaultResource().import_data(data, dry_run=False))
    done = time.perf_counter()
    return {
        "rows": len(data),
        "imported": loaded + done - tried,
        "both": 2 * loaded + done - started,
    }


def run_best(path: Path) -> dict[str, Any]:
    make_office()
    from bench.peer_resources import BestResource

    data, loaded = _dataset(path)
    started = time.perf_counter()
    _without_errors(BestResource().import_data(data, dry_run=False))
    return {"rows": len(data), "imported": loaded + time.perf_counter() - started}


def _dataset(path: Path) -> tuple[Any, float]:
    from tablib import Dataset

    started = time.perf_counter()
    data = Dataset().load(path.read_bytes(), format="xlsx")
    return data, time.perf_counter() - started


def _without_errors(result: Any) -> None:
    assert not result.has_errors(), [e.error for e in result.base_errors] or result.row_errors()
    assert not result.has_validation_errors(), result.invalid_rows[:1]


def run_copy(path: Path) -> dict[str, Any]:
    from django.db import connection

    city, officer = make_office()
    _first, _written, rows = _product_once(path, city, officer)
    names = "members_person"
    with connection.cursor() as cursor:
        sink = io.StringIO()
        cursor.copy_expert(f"COPY {names} TO STDOUT", sink)
        cursor.execute(f"CREATE TABLE bare (LIKE {names} INCLUDING ALL)")
        sink.seek(0)
        started = time.perf_counter()
        cursor.copy_expert("COPY bare FROM STDIN", sink)
        done = time.perf_counter()
    return {"rows": rows, "imported": done - started}


RUNS = {
    "product": run_product,
    "default": run_default,
    "best": run_best,
    "copy": run_copy,
}

if __name__ == "__main__":
    main()
