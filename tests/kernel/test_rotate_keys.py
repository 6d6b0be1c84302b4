"""Sealed columns move to the newest key, and stay readable."""

import pytest
from django.core.management import call_command
from django.db import connection

from members.models import Person
from tests import cast
from union_portal import fields
from union_portal.kit.crypto import Keyring, generate_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def second_key(settings):
    settings.PORTAL_KEYRING = f"{settings.PORTAL_KEYRING},2:sm4:{generate_key()}"
    yield
    fields.keyring.cache_clear()


def test_rotation_reseals_every_value_and_changes_none(second_key, settings, capsys):
    fields.keyring.cache_clear()
    person = cast.make_cast(cast.make_tree()).lin_person
    number = Person.objects.get(pk=person.pk).national_id
    old_ring = Keyring.from_config(
        settings.PORTAL_KEYRING, index_key=settings.PORTAL_INDEX_KEY, current=1
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE members_person SET national_id = %s", [old_ring.seal("national_id", number)]
        )
    call_command("rotate_keys", "--check")
    assert "members.Person.national_id: 1" in capsys.readouterr().out
    call_command("rotate_keys")
    call_command("rotate_keys", "--check")
    assert "0 left" in capsys.readouterr().out
    assert Person.objects.get(pk=person.pk).national_id == number
