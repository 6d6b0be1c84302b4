"""Everything sealed moves to the newest key, history and second factors too, and stays true."""

import base64
import re
from itertools import product

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from awards.models import HomeVisit, SubsidyCase
from members.models import Person
from tests.cast import Cast
from tests.roles import playing
from tests.web import scene
from union_portal import audit, fields, keys
from union_portal.kit.crypto import Keyring, SealBroken, generate_key
from union_portal.models import AuditEntry, Message
from union_portal.privileges import WEB, WORKER
from welfare.disbursement import invariants
from welfare.disbursement.delivery import content_of
from welfare.disbursement.models import BankFile, ReturnFile

pytestmark = pytest.mark.django_db
KEPT = (BankFile, ReturnFile, HomeVisit)


@pytest.fixture
def office(cast: Cast) -> Cast:
    """A row in every sealed column, and a second factor."""
    scene.play(cast)
    SubsidyCase.objects.update(details="Two operations.", opinion="In need.")
    Message.objects.update(address="13800138000")
    Person.objects.update(address="Yuyang, 1 River Street")
    TOTP.activate(cast.shi, "JBSWY3DPEHPK3PXP")
    return cast


@pytest.fixture
def second_key(office: Cast, settings):
    """From now on the second key seals; everything there is has the first."""
    settings.PORTAL_KEYRING = f"{settings.PORTAL_KEYRING},2:sm4:{generate_key()}"
    fields.keyring.cache_clear()
    yield
    fields.keyring.cache_clear()


def opened() -> dict[str, list]:
    return {
        str(column): list(
            column.model._default_manager.order_by("pk").values_list("pk", column.field.name)
        )
        for column in keys.columns()
    }


def test_the_owner_moves_every_value_and_changes_none(second_key, capsys):
    before = opened()
    empty = [name for name, rows in before.items() if not [one for _pk, one in rows if one]]
    assert empty == [], "a sealed column without a value proves nothing"
    with playing("none"):
        call_command("rotate_keys")
    assert capsys.readouterr().out.endswith("0 left\n")
    assert opened() == before
    for file in [*BankFile.objects.all(), *ReturnFile.objects.all()]:
        content_of(file)  # raises where the bytes do not fit their digest
    assert [one.code for one in invariants.check_all() if not one.holds] == []
    assert audit.verify() == []


def test_the_second_factor_still_opens_and_is_sealed(second_key, cast: Cast):
    factor = Authenticator.objects.get(user=cast.shi, type=Authenticator.Type.TOTP)
    assert "JBSWY3DPEHPK3PXP" not in str(factor.data)
    assert base64.b64decode(factor.data["secret"])[1] == 1
    keys.reseal_factors()
    factor.refresh_from_db()
    assert base64.b64decode(factor.data["secret"])[1] == 2
    assert get_adapter().decrypt(factor.data["secret"]) == "JBSWY3DPEHPK3PXP"
    assert keys.outdated_factors() == 0


def test_a_worker_moves_all_but_kept_history_and_says_so(second_key, capsys):
    with playing(WORKER), pytest.raises(CommandError, match="as the owner of the tables"):
        call_command("rotate_keys")
    left = re.findall(r"^(.+): \d+$", capsys.readouterr().out, re.MULTILINE)
    assert set(left) == {str(column) for column in kept_columns()}


def test_nobody_but_the_owner_seals_history_anew(second_key):
    for role, column in product((WEB, WORKER), kept_columns()):
        with playing(role):
            assert not column.may_be_resealed()
            with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
                column.reseal()


def kept_columns() -> list[keys.Column]:
    found = [column for column in keys.columns() if column.model in KEPT]
    assert len(found) == len(KEPT)
    return found


def test_what_was_kept_can_get_a_newer_seal_and_nothing_else(second_key):
    for column in kept_columns():
        _try_to_forge(column)


def _try_to_forge(column: keys.Column) -> None:
    table, name = column.model._meta.db_table, column.field.column
    other = "visitors" if column.model is HomeVisit else "name"
    sealed = fields.keyring().seal(column.field.kind, "forged")
    older = bytes((sealed[0], 1)) + sealed[2:]
    with playing("none"):
        for change in (
            f"{name} = %(older)s",
            f"{name} = %(sealed)s, {other} = {other} || 'x'",
            f"{other} = {other}",
        ):
            with pytest.raises(DatabaseError, match="history is never changed"):
                _execute(f"UPDATE {table} SET {change}", older=older, sealed=sealed)
        _execute(f"UPDATE {table} SET {name} = %(sealed)s", sealed=sealed)
        with pytest.raises(DatabaseError, match="history is never changed"):
            _execute(f"UPDATE {table} SET {name} = %(sealed)s", sealed=sealed)


def _execute(sql: str, **values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_a_secret_from_before_they_were_sealed_is_sealed(second_key, cast: Cast):
    made = Authenticator.objects.create(
        user=cast.wei, type=Authenticator.Type.TOTP, data={"secret": "JBSWY3DPEHPK3PXP"}
    )
    with pytest.raises(SealBroken):
        get_adapter().decrypt(made.data["secret"])
    assert keys.outdated_factors() > 0
    keys.reseal_factors()
    made.refresh_from_db()
    assert get_adapter().decrypt(made.data["secret"]) == "JBSWY3DPEHPK3PXP"
    assert keys.outdated_factors() == 0


def test_each_newer_seal_of_history_leaves_an_entry_in_the_log(second_key):
    visit = HomeVisit.objects.first()
    with playing("none"):
        call_command("rotate_keys")
    (entry,) = AuditEntry.objects.filter(
        action="keys.resealed", subject_type=HomeVisit._meta.db_table, subject_id=str(visit.pk)
    )
    assert entry.detail["version"] == 2
    assert entry.detail["was"] != entry.detail["is"]


def test_the_old_key_may_go_once_nothing_is_left(second_key, settings, cast: Cast):
    with playing("none"):
        call_command("rotate_keys")
    settings.PORTAL_KEYRING = settings.PORTAL_KEYRING.partition(",")[2]
    fields.keyring.cache_clear()
    assert opened()
    assert Person.objects.get(pk=cast.lin_person.pk).phone


def test_a_new_key_is_first_made_known_and_seals_when_it_is_named_last(settings):
    first, second = settings.PORTAL_KEYRING, f"2:aes:{generate_key()}"
    known, seals = (
        Keyring.from_config(ring, index_key=settings.PORTAL_INDEX_KEY)
        for ring in (f"{second},{first}", f"{first},{second}")
    )
    assert (known.current, seals.current) == (1, 2)
    assert known.open("phone", seals.seal("phone", "13800138000")) == "13800138000"
    alone = Keyring.from_config(first, index_key=settings.PORTAL_INDEX_KEY)
    with pytest.raises(SealBroken, match="key version 2"):
        alone.open("phone", seals.seal("phone", "13800138000"))
