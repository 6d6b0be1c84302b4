import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.web.awards_play import browser

pytestmark = pytest.mark.django_db


def test_count(cast):
    c = browser(cast.lin)
    c.get(reverse("members:me"))
    for n in ("me", "consent-list", "settings", "my-data", "family-list"):
        with CaptureQueriesContext(connection) as q:
            c.get(reverse("members:" + n))
        print("COUNT", n, len(q))
        if n == "me":
            for one in q:
                print("   ", one["sql"][:150])
