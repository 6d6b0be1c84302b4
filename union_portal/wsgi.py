"""WSGI entry point."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "union_portal.settings")

application = get_wsgi_application()

from union_portal import checks  # noqa: E402 (knows the settings)

checks.refuse_insecure_secrets()
