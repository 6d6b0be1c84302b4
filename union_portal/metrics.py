"""Figures for a monitoring server, in Prometheus' text: how much waits, how long, how fast.

Apps contribute gauges (`source`), read from the database when somebody asks. Requests are counted
in each web process; prometheus_client adds the processes up through files. Labels are names of
pages and states, never a person, an account or a number of a row.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from django.db import connection
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from union_portal import health

FILES: Final = "PROMETHEUS_MULTIPROC_DIR"
METHODS: Final = frozenset({"GET", "HEAD", "POST"})
BUCKETS: Final = [ms / 1000 for ms in (10, 25, 50, 100, 250, 500, 1000, 2500, 10_000)]


class Gauge(NamedTuple):
    """One figure now; the same name may come with several labels."""

    name: str
    text: str
    value: int
    labels: Mapping[str, str] = {}


Source = Callable[[], Iterable[Gauge]]
_sources: list[Source] = []

_of_this_process: Final = CollectorRegistry()
_requests: Final = Counter(
    "portal_requests", "Requests answered", ["page", "method", "status"], registry=_of_this_process
)
_seconds: Final = Histogram(
    "portal_request_seconds",
    "Seconds until an answer",
    buckets=BUCKETS,
    registry=_of_this_process,
)


def source(function: Source) -> Source:
    """Register gauges of an app."""
    _sources.append(function)
    return function


def count_request(page: str, method: str, status: int, seconds: float) -> None:
    """Note one answer. Pages by their name, so that nobody makes up new ones."""
    known = method if method in METHODS else "other"
    _requests.labels(page or "none", known, str(status)).inc()
    _seconds.observe(seconds)


def forget(process: int) -> None:
    """A web process ended: what it counted stays, what it held does not."""
    if FILES in os.environ:
        multiprocess.mark_process_dead(process)  # type: ignore[no-untyped-call]


def text() -> bytes:
    """Everything, as Prometheus reads it."""
    requests = _of_this_process
    if FILES in os.environ:
        requests = CollectorRegistry()
        multiprocess.MultiProcessCollector(requests)  # type: ignore[no-untyped-call]
    gauges = CollectorRegistry(auto_describe=False)
    gauges.register(_Gauges())
    return bytes(generate_latest(requests) + generate_latest(gauges))


class _Gauges(Collector):
    def collect(self) -> Iterator[Metric]:
        families: dict[str, GaugeMetricFamily] = {}
        for one in (gauge for each in _sources for gauge in each()):
            family = families.setdefault(
                one.name, GaugeMetricFamily(one.name, one.text, labels=list(one.labels))
            )
            family.add_metric(list(one.labels.values()), one.value)
        yield from families.values()


@source
def kernel() -> Iterator[Gauge]:
    """Jobs, messages, beat, disks."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, count(*) FROM union_portal_job WHERE state IN ('queued', 'running')"
            " OR created_at > now() - interval '1 day' GROUP BY state ORDER BY state"
        )
        for state, count in cursor.fetchall():
            said = "Jobs that wait or run, and those of the last day that ended"
            yield Gauge("portal_jobs", said, count, {"state": state})
        cursor.execute(
            "SELECT coalesce(extract(epoch FROM now() - min(started_at)), 0)::bigint,"
            " greatest(coalesce(extract(epoch FROM now() - min(lease_until)), 0), 0)::bigint"
            " FROM union_portal_job WHERE state = 'running'"
        )
        running, lapsed = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM union_portal_message WHERE state = 'pending'")
        (pending,) = cursor.fetchone()
    yield Gauge("portal_job_longest_running_seconds", "Age of the job that runs longest", running)
    yield Gauge("portal_job_lease_lapsed_seconds", "Since the oldest lapsed lease ended", lapsed)
    yield Gauge("portal_job_oldest_waiting_seconds", "Age of the oldest job nobody took",
                health.oldest_waiting_seconds())  # fmt: skip
    yield Gauge("portal_messages_waiting", "Messages not sent yet", pending)
    age = health.pulse_seconds()
    if age is not None:
        yield Gauge("portal_pulse_age_seconds", "Since a worker last heard beat", age)
    for name, folder in health.folders().items():
        yield Gauge("portal_disk_free_bytes", "Free space", health.free_bytes(folder),
                    {"folder": name})  # fmt: skip
