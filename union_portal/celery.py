"""The Celery application: it carries the work, PostgreSQL stays the truth."""

import os

from celery import Celery
from kombu.transport import redis

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "union_portal.settings")

# A bell that nobody had acknowledged when the broker went is not put back by its worker: kombu
# (5.7) tries that over the connection it has just closed, and its error would end the worker.
# What the bell rings for stands in a row, and the beat rings again.
redis.Channel.do_restore = False

app = Celery("union_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
