"""Sealed columns: unreadable in the table, readable through the model, found by their index."""

import pytest
from django.core import serializers
from django.core.exceptions import FieldError
from django.db import IntegrityError, connection, transaction

from members.models import Person
from tests.cast import make_person
from union_portal import fields
from union_portal.kit.crypto import SealBroken
from union_portal.models import Message

pytestmark = pytest.mark.django_db


def raw(column, person):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM members_person WHERE id = %s", [person.pk])
        return cursor.fetchone()[0]


def test_what_is_sealed_is_not_in_the_table_and_comes_back_through_the_model(cast):
    person = Person.objects.get(pk=cast.lin_person.pk)
    number, phone = cast.lin_person.national_id, cast.lin_person.phone
    assert (person.national_id, person.phone) == (number, phone)
    assert number.encode() not in bytes(raw("national_id", person))
    assert phone.encode() not in bytes(raw("phone", person))


def test_one_text_is_sealed_differently_every_time(cast):
    before = bytes(raw("phone", cast.lin_person))
    cast.lin_person.save()
    assert bytes(raw("phone", cast.lin_person)) != before


def test_the_blind_index_finds_the_row_and_keeps_numbers_unique(cast):
    number = cast.lin_person.national_id
    index = fields.fingerprint("national_id", number)
    assert Person.objects.get(national_id_index=index) == cast.lin_person
    assert number not in index
    other = make_person(cast.tree.union)
    other.national_id = number
    with pytest.raises(IntegrityError), transaction.atomic():
        other.save()


def test_a_sealed_column_answers_no_question_but_null(cast):
    for question in ("phone", "phone__exact", "phone__contains", "phone__in"):
        with pytest.raises(FieldError):
            Person.objects.filter(**{question: cast.lin_person.phone}).count()
    assert Person.objects.filter(phone__isnull=False).count() == 1
    assert Person.objects.filter(phone=None).count() == 0


def test_empty_text_is_null(cast):
    person = make_person(cast.tree.union, phone=False)
    assert Person.objects.get(pk=person.pk).phone is None
    assert Person.objects.get(pk=person.pk).phone_index is None


def test_a_partial_save_never_leaves_the_index_behind(cast):
    cast.lin_person.phone = "19900000001"
    with pytest.raises(ValueError, match="phone_index"):
        cast.lin_person.save(update_fields=["phone"])
    cast.lin_person.save(update_fields=["phone", "phone_index"])
    person = Person.objects.get(pk=cast.lin_person.pk)
    assert person.phone_index == fields.fingerprint("phone", "19900000001")


def test_sql_copies_a_sealed_phone_to_another_table_of_the_same_kind(cast):
    message = Message.objects.create(
        topic="t", key="k", channel="sms", recipient=cast.lin_person.pk, template="x"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE union_portal_message SET address = p.phone FROM members_person p"
            " WHERE p.id = recipient"
        )
    assert Message.objects.get(pk=message.pk).address == cast.lin_person.phone


def test_sql_can_not_pass_a_phone_off_as_an_identity_number(cast):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE members_person SET national_id = phone")
    with pytest.raises(SealBroken):
        Person.objects.get(pk=cast.lin_person.pk)


def test_a_dump_holds_no_sealed_text(cast):
    dump = serializers.serialize("json", Person.objects.all())
    assert cast.lin_person.national_id not in dump
    assert cast.lin_person.phone not in dump


def test_every_sealed_column_is_known_to_the_rotation():
    from django.apps import apps

    names = {
        f"{model._meta.label_lower}.{column.name}"
        for model in apps.get_models()
        for column in fields.sealed_columns(model)
    }
    assert {
        "members.person.national_id",
        "members.person.phone",
        "members.bankaccount.number",
        "union_portal.objection.phone",
        "union_portal.message.address",
    } <= names
