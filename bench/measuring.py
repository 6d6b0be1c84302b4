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


def watch(owner: Any, name: str) -> dict[str, float]:
    """Time every call of a function from now on; the sums grow in what is returned."""
    called, sums = getattr(owner, name), {"seconds": 0.0, "cpu": 0.0}

    def watched(*given: Any, **more: Any) -> Any:
        result, taken = timed(lambda: called(*given, **more))
        for clock, value in taken.items():
            sums[clock] += value
        return result

    setattr(owner, name, watched)
    return sums


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
