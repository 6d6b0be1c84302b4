"""`manage.py backup FOLDER`: the whole cluster, the files, and what the outside knew then."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils import timezone

from union_portal.models import AuditBlock


class Command(BaseCommand):
    help = (
        "Write a base backup (pg_basebackup, verified), the stored files and a note of the "
        "moment into an empty folder. Archive the WAL as well to restore to any later moment."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        if folder.exists() and any(folder.iterdir()):
            raise CommandError(f"{folder} is not empty; name a new folder")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        note = moment()
        base = folder / "base"
        _run(
            "pg_basebackup",
            *("--pgdata", str(base), "--checkpoint", "fast", "--wal-method", "stream"),
            *("--manifest-checksums", "SHA256"),
        )
        _run("pg_verifybackup", str(base))
        media = Path(settings.MEDIA_ROOT)
        if media.is_dir():
            with tarfile.open(folder / "media.tar", "w") as files:
                files.add(media, arcname="media")
        (folder / "backup.json").write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")
        self.stdout.write(f"{folder}: {note}")


def moment() -> dict[str, Any]:
    """When it is, how far the log is written, and the last sealed block of the audit log."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_lsn()::text, current_setting('server_version')")
        position, version = cursor.fetchone()
    last = AuditBlock.objects.order_by("-number").first()
    return {
        "made_at": timezone.now().isoformat(),
        "wal_position": position,
        "server_version": version,
        "audit_block": f"{last.number} {last.digest}" if last else "",
    }


def _run(program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL as the role of PORTAL_BACKUP_DATABASE_URL."""
    environment = {"PATH": os.environ.get("PATH", ""), **of_libpq(settings.BACKUP_DATABASE_URL)}
    done = subprocess.run(
        [_find(program), *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CommandError(f"{program} failed: {done.stderr.strip()[-500:]}")


def of_libpq(url: str) -> dict[str, str]:
    """An address as libpq's variables: a password in arguments could be read by everybody."""
    address = urlsplit(url)
    asked = dict(parse_qsl(address.query))
    certificates = {
        f"PG{name.upper()}": asked[name] for name in ("sslmode", "sslrootcert") if name in asked
    }
    return {
        "PGHOST": address.hostname or "",
        "PGPORT": str(address.port or 5432),
        "PGUSER": unquote(address.username or ""),
        "PGPASSWORD": unquote(address.password or ""),
        **certificates,
    }


def _find(program: str) -> str:
    """The program of the server's own major version. Errors: CommandError names what to install."""
    major = connection.cursor().connection.server_version // 10_000
    on_path = shutil.which(program)
    found = [*_packaged(program), *([Path(on_path)] if on_path else [])]
    found += sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    for path in found:
        if path.exists() and _major(path) == major:
            return str(path)
    raise CommandError(f"{program} of PostgreSQL {major} is not installed")


def _packaged(program: str) -> list[Path]:
    """That of the private servers, which the image of production does not hold."""
    if importlib.util.find_spec("union_portal.embedded") is None:
        return []
    from union_portal.embedded import places

    packaged = places.packaged_postgres()
    return [packaged / program] if packaged else []


def _major(program: Path) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    match = re.search(r"(\d+)", said.stdout)
    return int(match[1]) if match else 0
