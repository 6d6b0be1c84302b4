"""Rows are judged by the database too: by whom a statement is sent for, and by nobody's favour."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from members.models import Person
from tests.architecture.sources import ROOT, python_files
from tests.cast import TODAY, Cast, make_account, make_bank_account, make_person
from tests.disbursement.conftest import SCHEME, make_office
from tests.roles import playing
from tests.web.scene import play
from tests.web.test_reach import holder
from union_portal import row_security, shown_to
from union_portal.access import Role
from union_portal.fields import FenField, SealedTextField
from union_portal.privileges import WEB
from union_portal.readers import Door, reading_as
from union_portal.row_rules import Through
from welfare.disbursement import batches

pytestmark = pytest.mark.django_db


@contextmanager
def page_of(account: int | None) -> Iterator[None]:
    """A web process that serves an account, or nobody."""
    with playing(WEB), reading_as(account):
        yield


def test_the_database_holds_the_policies_of_the_page_and_no_others():
    assert row_security.differences() == []


def test_every_table_is_shown_by_a_rule_or_open_for_a_reason():
    labels = {
        model._meta.label_lower
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy
    }
    assert labels == set(shown_to.SHOWN) | set(shown_to.OPEN)
    assert set(shown_to.SHOWN) & set(shown_to.OPEN) == set()


def test_a_policy_asks_for_a_reach_once_and_not_for_every_row():
    """Within EXISTS, IN is joined: PostgreSQL may then ask the function for each row, and a list
    of ten thousand takes minutes.
    """
    conditions = [
        condition
        for label in shown_to.SHOWN
        for condition in row_security.judged(apps.get_model(label))
    ]
    following = [one for one in conditions if re.search(r"EXISTS .* = ANY \(ARRAY\(SELECT", one)]
    assert len(following) > 10
    assert not [one for one in conditions if re.search(r"AND a\d[^ ]* IN \(SELECT", one)]


def rows_seen(account: int | None) -> dict[str, int]:
    """How many rows of every guarded table a page of the account could read, were it to forget."""
    with page_of(account), connection.cursor() as cursor:
        seen = {}
        for label in shown_to.SHOWN:
            table = apps.get_model(label)._meta.db_table
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            seen[label] = cursor.fetchone()[0]
        return seen


def code_of(sql: str, *parameters: object) -> str:
    """The SQLSTATE that a statement is refused with; empty if it is carried out."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, parameters)
    except DatabaseError as error:
        return str(error.__cause__.pgcode)  # type: ignore[union-attr]
    return ""


def is_personal_or_money(model: type[models.Model]) -> bool:
    fields = model._meta.local_fields
    return any(isinstance(field, SealedTextField | FenField) for field in fields) or any(
        field.is_relation and field.related_model is Person for field in fields
    )


def test_whatever_holds_personal_data_or_money_is_shown_by_a_rule():
    open_ones = {
        model._meta.label_lower
        for model in apps.get_models()
        if is_personal_or_money(model) and model._meta.label_lower not in shown_to.SHOWN
    }
    assert open_ones == set()


# What stands behind each door, and where it is opened: a new one is added here on purpose.
DOORS = {
    Door.AUDIT: ({"union_portal.auditentry"}, {"union_portal/audit.py"}),
    Door.FIRST_LOG_IN: (
        {"members.person", "members.logincode", "union_portal.message"},
        {"members/actions/first_login.py"},
    ),
    Door.LOG_IN: (
        {"members.person", "members.servicecard"},
        {"members/actions/log_in.py"},
    ),
    Door.OBJECTION: (
        {"union_portal.decision", "union_portal.objection"},
        {"union_portal/views/public.py"},
    ),
    Door.HONOURS_ROLL: ({"members.person", "awards.honour"}, {"awards/views/honours.py"}),
    Door.DIRECTORY: (
        {"members.rating", "members.redemption"},
        {"members/queries/benefits.py"},
    ),
    Door.MERCHANT_APPLYING: (
        {"members.merchant", "union_portal.storedfile"},
        {"members/actions/merchants.py", "members/queries/benefits.py"},
    ),
    Door.NEXT_VERSION: ({"union_portal.reportrun"}, {"union_portal/reports.py"}),
    Door.LIVE_JOB: ({"union_portal.job"}, {"union_portal/queue.py"}),
    Door.PROBES: (
        {"union_portal.job", "union_portal.message", "disbursement.payoutbatch"},
        {"union_portal/probes.py"},
    ),
    Door.REGISTER: (
        {"disbursement.sentmark", "disbursement.payoutbatch", "disbursement.bankfile"},
        {"welfare/disbursement/gate.py"},
    ),
    Door.TILL: (
        {"members.person", "members.membership", "members.servicecard", "members.cardcode"}
        | {"members.redemption", "members.wrongcode"},
        {"members/actions/redemptions.py"},
    ),
    Door.MY_USES: (
        {"members.merchant", "members.benefitoffer"},
        {"members/views/uses.py"},
    ),
    Door.GRANTING: (
        {"disbursement.fund", "disbursement.ledgeraccount", "disbursement.entry"}
        | {"disbursement.posting"},
        {"welfare/disbursement/entitlements.py"},
    ),
    Door.JOINING: (
        {"members.person", "members.joinapplication", "union_portal.message"},
        {
            "members/actions/join_applications.py",
            "members/actions/joining.py",
            "members/queries/memberships.py",
        },
    ),
    Door.TRANSFER: (
        {"members.person", "members.membership", "members.membershipchange"}
        | {"members.memberprofile", "members.servicecard"},
        {"members/actions/joining.py", "members/actions/transfers.py"},
    ),
    # What hangs on two rows of one human, and the money that may stand against a merge.
    Door.MERGING: (
        {"members.membership", "members.membershipchange", "members.membershiptransfer"}
        | {"members.bankaccount", "members.memberprofile", "members.servicecard"}
        | {"members.consent", "members.correction", "members.familymember"}
        | {"members.favourite", "members.merchantcomplaint"}
        | {"awards.subsidycase", "awards.honour", "awards.modelworker"}
        | {"disbursement.entitlement", "disbursement.payoutline", "disbursement.cap"},
        {"members/actions/merges.py"},
    ),
}


def test_a_door_opens_what_is_listed_and_where_it_is_listed():
    behind: dict[Door, tuple[set[str], set[str]]] = {door: (set(), set()) for door in Door}
    for label, ways in shown_to.SHOWN.items():
        for way in ways:
            if isinstance(way, Through):
                behind[way.door][0].add(label)
    for path in python_files():
        for door in re.findall(r"\bseeing\(Door\.(\w+)\)", path.read_text(encoding="utf-8")):
            behind[Door[door]][1].add(str(path.relative_to(ROOT)))
    assert behind == DOORS


@pytest.mark.parametrize("setting", ["", " ", "0 ", "0"])
def test_a_statement_of_nobody_sees_nothing(cast: Cast, setting: str):
    """Whether the setting was never made, or is what a transaction left behind: the empty text."""
    with playing(WEB), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM members_person")
        assert cursor.fetchone() == (0,)
        cursor.execute(f"SET LOCAL portal.reader = '{setting}'")
        cursor.execute("SELECT count(*) FROM members_person")
        assert cursor.fetchone() == (0,)


PUBLIC = {"union_portal.notice", "union_portal.noticeentry"} | {
    # the directory of offers
    "members.merchant", "members.merchantagreement", "members.merchantplace",
    "members.benefitoffer", "members.benefitprogramme",
}  # fmt: skip


def test_of_a_whole_portal_nobody_sees_more_than_what_is_posted(cast: Cast):
    """Every guarded table holds rows (tests/web/scene.py), and shows none of them to nobody."""
    play(cast)
    with playing("none"), connection.cursor() as cursor:
        for label in sorted(shown_to.SHOWN):
            cursor.execute(f'SELECT count(*) FROM "{apps.get_model(label)._meta.db_table}"')
            assert cursor.fetchone() > (0,), f"{label} has no row"
    elsewhere = holder("elsewhere", cast.tree.other_county, *Role)
    assert shown(None) == PUBLIC
    for account in (elsewhere, cast.wei):
        assert shown(account.pk) == PUBLIC | {"awards.subsidyround"}


def shown(account: int | None) -> set[str]:
    return {label for label, count in rows_seen(account).items() if count}


def test_staff_see_their_own_union_and_what_lies_below(cast: Cast):
    beside = make_person(cast.tree.sibling_union)
    elsewhere = make_person(cast.tree.other_union)
    seen = {}
    for who in ("qiao", "shi", "gao", "account_admin", "wei"):
        with page_of(getattr(cast, who).pk):
            seen[who] = set(Person.objects.values_list("pk", flat=True))
    mine = cast.lin_person.pk
    assert seen == {
        "qiao": {mine},
        "shi": {mine, beside.pk},
        "gao": {mine, beside.pk, elsewhere.pk},
        "account_admin": set(),
        "wei": set(),
    }


def test_a_member_sees_one_person_and_their_accounts(cast: Cast):
    make_bank_account(cast.lin_person, entered_by=cast.qiao)
    make_bank_account(make_person(cast.tree.union), entered_by=cast.qiao)
    seen = rows_seen(cast.lin.pk)
    assert (seen["members.person"], seen["members.bankaccount"]) == (1, 1)


def test_a_member_changes_no_account_of_theirs_behind_the_office(cast: Cast):
    held = make_bank_account(cast.lin_person, entered_by=cast.qiao)
    with page_of(cast.lin.pk), connection.cursor() as cursor:
        cursor.execute("UPDATE members_bankaccount SET bank_name = 'x' WHERE id = %s", [held.pk])
        assert cursor.rowcount == 0
    insert = "INSERT INTO members_bankaccount (person_id, holder, number, fingerprint, last_four,"
    insert += " bank_name, bank_code, reason, entered_at, state) VALUES"
    insert += f" ({cast.lin_person.pk}, 'x', '', '', '', '', '', '', now(), 'proposed')"
    with page_of(cast.lin.pk):
        assert code_of(insert) == "42501"


def test_nobody_writes_a_person_into_a_union_beside(cast: Cast):
    mine, beside = cast.lin_person.pk, cast.tree.sibling_union.pk
    move = "UPDATE members_person SET organization_id = %s WHERE id = %s"
    with page_of(cast.qiao.pk):
        assert code_of(move, beside, mine) == "42501"
    with page_of(cast.shi.pk):
        assert code_of(move, beside, mine) == ""


def test_whoever_pays_finds_the_account_of_somebody_who_has_moved_away(cast: Cast):
    """Else they would be left out of a batch for want of an account that is known."""
    office = make_office(cast)
    (owed,) = office.owe(1)
    maker = make_account("feng4", role=Role.FINANCE_MAKER, at=cast.tree.county)
    Person.objects.filter(pk=owed.person_id).update(organization=cast.tree.other_union)
    with page_of(maker.pk):
        left = batches.left_out(
            fund=office.fund, scheme=SCHEME, period="2026", organization=cast.tree.county,
            today=TODAY,
        )  # fmt: skip
        assert list(left.values_list("because", flat=True)) == []


def test_a_role_that_has_ended_and_an_account_that_is_closed_show_nothing(cast: Cast):
    assert rows_seen(cast.shi.pk)["members.person"] == 1
    cast.shi.roles.update(valid_from="2020-01-01", valid_to="2020-12-31")
    assert rows_seen(cast.shi.pk)["members.person"] == 0
    assert rows_seen(cast.lin.pk)["members.person"] == 1
    cast.qiao.is_active = False
    cast.qiao.save()
    assert rows_seen(cast.qiao.pk)["members.person"] == 0


def test_a_policy_altered_by_hand_is_told_and_mended():
    with playing("none"):
        with connection.cursor() as cursor:
            cursor.execute("ALTER POLICY read ON members_person USING (true)")
            cursor.execute("DROP POLICY change ON disbursement_payoutline")
            cursor.execute("CREATE POLICY extra ON members_bankaccount FOR SELECT USING (true)")
            cursor.execute("ALTER TABLE awards_homevisit DISABLE ROW LEVEL SECURITY")
        assert row_security.differences() == [
            "policy missing: change on disbursement_payoutline",
            "policy too much: extra on members_bankaccount",
            "policy altered: read on members_person",
            "rows of awards_homevisit are open",
        ]
        assert row_security.apply() == 5
        assert row_security.differences() == []
