"""Time on the clock and of the processors, of the client and of its server process."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def timed(act: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """What it gave, the seconds on the clock, the processor seconds of client and server."""
    started, used = time.perf_counter(), processor_seconds()
    result = act()
    return result, {
        "seconds": round(time.perf_counter() - started, 3),
        "cpu": round(processor_seconds() - used, 2),
    }


def processor_seconds() -> float:
    from django.db import connection

    connection.ensure_connection()
    server = Path(f"/proc/{connection.connection.info.backend_pid}/stat").read_text()
    ticks = server.rpartition(")")[2].split()[11:13]
    return time.process_time() + sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def execute(statement: str, *parameters: Any) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, list(parameters))
