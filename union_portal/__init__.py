"""The portal: who acts, what was decided, published, contested, logged."""

from union_portal.celery import app as celery_app

__all__ = ["celery_app"]
