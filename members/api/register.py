"""The register: who I am, and people within reach, masked."""

from __future__ import annotations

from typing import Any, Final

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from members import queries
from members.queries import memberships as queries_memberships
from members.queries import till as queries_till
from members.states import MembershipState
from union_portal.access import Permission, Role
from union_portal.api import gates, shapes
from union_portal.api.endpoint import Endpoint
from union_portal.api.shapes import AskedList, Sent, Text, Told, UnionTold, page_of

FOUND_AT_MOST: Final = 20
STAFF: Final = gates.Holding(Permission.PERSON_VIEW)


class RoleTold(Told):
    role = serializers.ChoiceField(choices=Role.choices)
    role_text = serializers.CharField(
        source="get_role_display", style={"example": "grassroots clerk"}
    )
    union = UnionTold(source="organization")


class MeTold(Told):
    id = serializers.IntegerField()
    name = serializers.CharField(style={"example": "Till 1"})
    roles = RoleTold(many=True)
    person = serializers.IntegerField(allow_null=True, help_text="A member's number, for members.")
    merchant = UnionTold(allow_null=True, help_text="For tills: whose till it is.")


class Me(Endpoint):
    gate = gates.WITH_TOKEN

    @extend_schema(operation_id="who_am_i", tags=["log-in"], summary="Who am I", responses=MeTold)
    def get(self, request: Request) -> Response:
        """Whom the token stands for: roles of staff, the member, the till's merchant."""
        account = self.account
        person, till = queries.person_of(account), queries_till.till_of(account)
        told = {
            "id": account.pk,
            "name": account.name,
            "roles": account.roles.select_related("organization").order_by("pk"),
            "person": person.pk if person is not None else None,
            "merchant": till.merchant if till is not None else None,
        }
        return Response(MeTold(told).data)


class PersonTold(Told):
    """Somebody of the register. Whole numbers are never told here."""

    id = serializers.IntegerField()
    name = serializers.CharField(style={"example": "林海"})
    identity = serializers.CharField(source="national_id_shown", help_text="Masked.")
    phone = serializers.CharField(source="phone_shown", help_text="Masked; may be empty.")
    employer = serializers.CharField()
    union = UnionTold(source="organization")
    died_on = serializers.DateField(allow_null=True, style={"example": None})


class MembershipTold(Told):
    state = serializers.ChoiceField(choices=MembershipState.choices)
    state_text = serializers.CharField(source="get_state_display", style={"example": "member"})
    union = UnionTold(source="organization")
    joined_on = serializers.DateField()


class PersonFull(PersonTold):
    membership = MembershipTold(allow_null=True, help_text="The one that holds now.")


class AskedPeople(AskedList):
    union = serializers.IntegerField(
        min_value=1,
        max_value=shapes.LARGEST,
        required=False,
        help_text="Number of a union: its own people, not those below it.",
    )


class PersonList(Endpoint):
    gate = STAFF
    asks = AskedPeople

    @extend_schema(
        operation_id="list_people", tags=["register"], summary="People",
        responses=page_of(PersonTold),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """People of the unions within reach, the newest entries first.

        Names and numbers are no filters here, since an address is kept in many places: use the
        look-up.
        """
        rows = queries.people_for(self.account).select_related("organization")
        if "union" in self.asked:
            rows = rows.filter(organization=self.asked["union"])
        return self.page(_without_sealed(rows), PersonTold)


@extend_schema_serializer(
    examples=[
        OpenApiExample("By whole number", {"text": "13800138000"}, request_only=True),
        OpenApiExample("By name or pinyin", {"text": "wangfang"}, request_only=True),
    ]
)
class PersonSought(Sent):
    text = Text(
        max_length=60,
        help_text="An identity number, a phone, a name or its pinyin.",
    )


class PeopleFound(Told):
    found = PersonTold(many=True)
    is_more = serializers.BooleanField(help_text="Whether there are more than these.")


class PersonLookUp(Endpoint):
    gate = STAFF

    @extend_schema(
        operation_id="look_up_people", tags=["register"], summary="Look people up",
        request=PersonSought, responses=PeopleFound,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """People within reach by a whole number, a name or its sound; the first twenty.

        A look-up changes nothing: it needs no key and may be sent as often as one likes.
        """
        sought = self.sent(PersonSought)["text"]
        rows = queries.search(sought, self.account).select_related("organization").order_by("-pk")
        found = list(_without_sealed(rows)[: FOUND_AT_MOST + 1])
        told = {"found": found[:FOUND_AT_MOST], "is_more": len(found) > FOUND_AT_MOST}
        return Response(PeopleFound(told).data)


class OnePerson(Endpoint):
    gate = STAFF

    @extend_schema(
        operation_id="read_person", tags=["register"], summary="A person", responses=PersonFull
    )
    def get(self, request: Request, person_id: int) -> Response:
        """Somebody within reach, with the membership that holds now."""
        rows = queries.people_for(self.account).select_related("organization")
        person: Any = _without_sealed(rows).filter(pk=person_id).first()
        if person is None:
            raise Http404
        person.membership = queries_memberships.membership_of(person)
        return Response(PersonFull(person).data)


def _without_sealed(rows: Any) -> Any:
    """The sealed numbers are not even read here."""
    return rows.defer("national_id", "phone", "address")
