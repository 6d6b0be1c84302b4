"""A broker that goes at a bad moment: whoever listened lives on, whoever rings rings again."""

from contextlib import suppress
from socket import SHUT_RDWR
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from kombu import Consumer, Queue

from tests.faults.proxy import Proxy
from union_portal.celery import app


@pytest.fixture
def way(settings):
    """A way to the broker that can be cut."""
    proxy = Proxy(urlsplit(settings.REDIS_URL).port)
    yield proxy
    proxy.close()


@pytest.fixture
def url(way, settings):
    parts = urlsplit(settings.REDIS_URL)
    who = parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{who}@127.0.0.1:{way.port}").geturl()


def listen(channel, *, name):
    """A queue that is polled; what is heard there is not acknowledged."""
    heard = []
    consumer = Consumer(channel, [Queue(name)], callbacks=[lambda body, bell: heard.append(bell)])
    consumer.qos(prefetch_count=2)
    consumer.consume()
    return heard


def test_a_worker_lets_go_of_a_broker_that_went_while_a_bell_was_out(way, url):
    connection = app.connection_for_read(url)
    bells, orders = connection.default_channel, connection.channel()
    name = f"test-{uuid4().hex}"
    heard = listen(bells, name=name)
    listen(orders, name=f"{name}-orders")
    connection.Producer(bells).publish("a bell", routing_key=name)
    connection.drain_events(timeout=10)
    with pytest.raises(TimeoutError):
        connection.drain_events(timeout=0.2)
    assert len(heard) == 1
    way.close()
    for client in (bells.client, orders.client):
        client.connection._sock.shutdown(SHUT_RDWR)
    # What a worker does when it has lost its broker; an error here would end it.
    with suppress(*connection.connection_errors):
        connection.collect()
    connection.close()
    assert not connection.connected


def test_a_ringer_rings_again_after_its_broker_was_away(way, url):
    connection = app.connection_for_write(url)
    name = f"test-{uuid4().hex}"
    bells = connection.SimpleQueue(name)
    bells.put("a bell")
    way.cut_after(1)
    with suppress(*connection.connection_errors):
        bells.put("a lost bell", retry=app.conf.task_publish_retry)
    bells.put("a bell", retry=app.conf.task_publish_retry)
    assert bells.qsize() >= 2
    bells.clear()
    connection.close()
