"""A finance office, and reports asked for and made as a worker makes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db.models import Model

from tests.disbursement.conftest import Office, office
from union_portal import files, queue, reports
from union_portal.models import ReportRun

__all__ = ["office"]


@dataclass
class Made:
    """A report, and its bytes on disk if it was made."""

    run: ReportRun
    path: Path


@pytest.fixture
def ask(office: Office, tmp_path: Path) -> Callable[..., Made]:
    """Ask for a report and let the worker's code make it or refuse."""

    def make(kind: str, subject: Model, **parameters: object) -> Made:
        run = reports.request(
            kind=kind,
            subject=subject,
            by=office.cast.feng,
            organization=office.cast.tree.city,
            **parameters,
        )
        assert run.job is not None
        queue.run_job(run.job.pk)
        run.refresh_from_db()
        run.job.refresh_from_db()
        path = tmp_path / f"{kind}-{run.version}"
        if run.file is not None:
            with files.open_for(run.file) as stream:
                path.write_bytes(stream.read())
        return Made(run, path)

    return make
