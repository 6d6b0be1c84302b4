"""Redis is away: a closed port stands where it should be. Everybody still works."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from kombu import pools

from tests.cast import Cast
from tests.web.awards_play import apply, lin_may_apply, lins_case
from union_portal import queue, tries
from union_portal.celery import app
from union_portal.models import Job
from union_portal.states import JobState

PASSWORD = "seventeen grey camels"


@pytest.fixture(autouse=True)
def _redis_is_away() -> Iterator[None]:
    """Nobody listens on a port that was just closed; the broker's pools are made anew."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    before = app.conf.broker_url
    _use_broker(f"redis://127.0.0.1:{port}/0")
    yield
    _use_broker(before)


def _use_broker(url: str) -> None:
    app.conf.broker_url = app.conf.broker_write_url = app.conf.broker_read_url = url
    app.amqp._producer_pool = app._pool = None
    pools.reset()


@pytest.fixture
def lin(cast: Cast) -> Client:
    cast.lin.set_password(PASSWORD)
    cast.lin.save()
    client = Client()
    client.cookies["django_language"] = "en"
    return client


def log_in(client: Client, password: str = PASSWORD, **more: Any):
    form = {"login": "lin", "password": password}
    return client.post(reverse("account_login"), form, **more)


@pytest.mark.django_db
def test_the_broker_is_really_away():
    with pytest.raises(Exception, match="refused"):
        app.send_task("union_portal.seal_audit", retry=False)


@pytest.mark.django_db
def test_a_member_logs_in_and_applies(cast: Cast, lin: Client):
    lin_may_apply(cast)
    assert log_in(lin).url == reverse("members:me")
    assert apply(lin).status_code == 302
    assert lins_case(cast)


@pytest.mark.django_db
def test_wrong_passwords_still_lock_the_pair_of_name_and_address(lin: Client, settings: Any):
    for _try in range(settings.AXES_FAILURE_LIMIT):
        log_in(lin, "wrong wrong wrong")
    assert log_in(lin).status_code != 302
    assert log_in(Client(), REMOTE_ADDR="10.9.9.9").status_code == 302


@pytest.mark.django_db
def test_a_one_time_code_still_counts_once(cast: Cast):
    TOTP.activate(cast.feng, "JBSWY3DPEHPK3PXP")
    totp = Authenticator.objects.get(user=cast.feng).wrap()
    code = format_hotp_value(hotp_value("JBSWY3DPEHPK3PXP", int(time.time()) // 30))
    assert totp.validate_code(code)
    assert not totp.validate_code(code)


@pytest.mark.django_db
def test_what_has_expired_is_forgotten():
    cache.set("short", 1, timeout=-60)
    cache.set("long", 1, timeout=3600)
    assert tries.sweep(now=timezone.now()) == 1
    assert cache.get("long") == 1


@pytest.mark.django_db(transaction=True)
def test_a_job_is_written_at_once_and_found_by_the_sweep(cast: Cast):
    began = time.monotonic()
    job = queue.enqueue("members.check_import", by=cast.qiao, import_id=0)
    assert time.monotonic() - began < 2, "the page waited for the bell"
    assert Job.objects.get(pk=job.pk).state == JobState.QUEUED
    queue.run_waiting()
    assert Job.objects.get(pk=job.pk).state != JobState.QUEUED
