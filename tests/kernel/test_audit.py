"""The log: append-only, sealed into a chain, and whoever cuts into it is found out."""

import pytest
from django.db import connection

from tests.cast import make_tree
from tests.kernel.attacks import refused_by
from tests.roles import the_superuser
from union_portal import audit, witnesses
from union_portal.models import AuditBlock, AuditEntry

pytestmark = pytest.mark.django_db
TABLE = "union_portal_auditentry"
DIGEST = (
    "encode(sha256(convert_to(concat_ws('|', number, to_char(sealed_at AT TIME ZONE 'UTC',"
    " 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), entries, previous, root), 'UTF8')), 'hex')"
)


def as_superuser(*statements):
    """What a database administrator can do: triggers asleep."""
    with the_superuser(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
            assert cursor.rowcount, "the attack itself must work"


@pytest.fixture
def log(tree):
    """Nine entries in three blocks."""
    for turn in range(9):
        audit.record("thing.done", tree.city, by=audit.WORKER, reason=f"第{turn}", n=turn)
        if turn % 3 == 2:
            audit.seal()
    return AuditEntry.objects.order_by("id")


def test_an_entry_says_who_did_what_where_and_for_which_request(cast):
    token = audit.request_id.set("request-1")
    entry = audit.record("x.y", cast.lin_person, by=cast.qiao, reason="因为", amount_fen=5)
    audit.request_id.reset(token)
    entry.refresh_from_db()
    assert (entry.actor_id, entry.actor, entry.request_id) == (cast.qiao.pk, "Qiao", "request-1")
    assert entry.organization_path == cast.tree.union.path
    assert entry.detail == {"amount_fen": 5}


def test_the_log_is_append_only(log):
    refused_by("audit_entry_append_only", f"UPDATE {TABLE} SET reason = 'x'")
    refused_by("audit_entry_append_only", f"UPDATE {TABLE} SET block = NULL")
    refused_by("audit_entry_append_only", f"UPDATE {TABLE} SET block = 1 WHERE block = 2")
    refused_by("audit_entry_append_only", f"DELETE FROM {TABLE}")
    refused_by("audit_entry_no_truncate", f"TRUNCATE {TABLE}")
    refused_by("audit_block_append_only", "UPDATE union_portal_auditblock SET entries = 1")
    refused_by("audit_block_append_only", "DELETE FROM union_portal_auditblock")
    refused_by("audit_block_no_truncate", "TRUNCATE union_portal_auditblock")


def test_an_unsealed_entry_is_sealed_but_not_changed_on_the_way(log, tree):
    entry = audit.record("late", tree.city, by=audit.WORKER)
    refused_by(
        "audit_entry_append_only",
        f"UPDATE {TABLE} SET block = 9, reason = 'x' WHERE id = {entry.pk}",
    )


def test_sealing_links_block_to_block_and_an_empty_round_makes_none(log):
    blocks = list(AuditBlock.objects.order_by("number"))
    assert [block.number for block in blocks] == [1, 2, 3]
    assert blocks[0].previous == audit.GENESIS
    assert blocks[2].previous == blocks[1].digest
    assert audit.seal() is None
    assert audit.verify() == []


ATTACKS = {
    "an entry edited": [f"UPDATE {TABLE} SET reason = 'x' WHERE block = 2"],
    "a detail edited": [f"UPDATE {TABLE} SET detail = '{{}}' WHERE block = 1"],
    "an actor swapped": [f"UPDATE {TABLE} SET actor_id = 7 WHERE block = 3"],
    "a time moved": [f"UPDATE {TABLE} SET at = at - interval '1 day' WHERE block = 2"],
    "an entry removed": [f"DELETE FROM {TABLE} WHERE id = (SELECT min(id) FROM {TABLE})"],
    "a copy inserted": [
        f"INSERT INTO {TABLE} (at, actor_id, actor, action, subject_type, subject_id,"
        " organization_path, reason, detail, request_id, block) SELECT at, actor_id, actor,"
        " action, subject_type, subject_id, organization_path, reason, detail, request_id,"
        f" block FROM {TABLE} WHERE block = 2 LIMIT 1"
    ],
    "an entry moved to another block": [
        f"UPDATE {TABLE} SET block = 3 WHERE id = (SELECT max(id) FROM {TABLE} WHERE block = 2)"
    ],
    "an entry moved to no block": [
        f"UPDATE {TABLE} SET block = -1 WHERE id = (SELECT max(id) FROM {TABLE})"
    ],
    "an entry unsealed": [
        f"UPDATE {TABLE} SET block = NULL WHERE id = (SELECT min(id) FROM {TABLE})"
    ],
    "a block cut out": [
        f"DELETE FROM {TABLE} WHERE block = 2",
        "DELETE FROM union_portal_auditblock WHERE number = 2",
    ],
    "the first block cut off": [
        f"DELETE FROM {TABLE} WHERE block = 1",
        "DELETE FROM union_portal_auditblock WHERE number = 1",
    ],
    "a block's count edited": ["UPDATE union_portal_auditblock SET entries = 2 WHERE number = 2"],
    "a block's digest edited": [
        "UPDATE union_portal_auditblock SET digest = repeat('a', 64) WHERE number = 3"
    ],
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_chain_shows(log, attack):
    as_superuser(*ATTACKS[attack])
    assert audit.verify() != []


def test_an_edit_resealed_with_its_block_still_breaks_the_next(log):
    as_superuser(
        f"UPDATE {TABLE} SET reason = 'x' WHERE block = 2",
        f"UPDATE union_portal_auditblock SET root = (SELECT {audit.ROOT} FROM {TABLE}"
        " WHERE block = 2) WHERE number = 2",
        f"UPDATE union_portal_auditblock SET digest = {DIGEST} WHERE number = 2",
    )
    assert audit.verify() == ["block 3 does not follow the one before"]


def test_cutting_off_the_end_shows_against_the_witness(log, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        audit.record("last", AuditEntry(pk=1), by=audit.WORKER)
        assert audit.seal().number == 4
    assert witnesses.file().read_text().startswith("4 ")
    assert audit.verify() == []
    as_superuser(
        f"DELETE FROM {TABLE} WHERE block = 4",
        "DELETE FROM union_portal_auditblock WHERE number = 4",
    )
    assert audit.verify() == ["block 4 is missing, but was seen from outside"]


@pytest.fixture
def restored(log, tree):
    """Five blocks were witnessed; the database was restored to the moment after the third."""
    for number in (4, 5):
        audit.record("late", tree.city, by=audit.WORKER)
        assert audit.seal().number == number
    for block in AuditBlock.objects.order_by("number"):
        witnesses.write_down(witnesses.Head(block.number, block.digest))
    assert audit.verify() == []
    _cut_from(4)


def _cut_from(number):
    as_superuser(
        f"DELETE FROM {TABLE} WHERE block >= {number}",
        f"DELETE FROM union_portal_auditblock WHERE number >= {number}",
    )


def test_a_number_that_was_witnessed_is_never_given_again(restored, tree):
    audit.record("after", tree.city, by=audit.WORKER)
    assert audit.seal().number == 6
    assert audit.verify() == [
        "block 4 is missing",
        "block 4 is missing, but was seen from outside",
        "block 5 is missing, but was seen from outside",
    ]


def test_a_restore_declares_in_the_log_what_it_lost(restored, tree, cast):
    audit.record("after", tree.city, by=audit.WORKER)
    audit.seal()
    entry = audit.declare_lost(by=cast.feng_checker, reason="the disk failed")
    assert (entry.actor, entry.reason) == (cast.feng_checker.name, "the disk failed")
    assert audit.verify() == []
    assert [str(one) for one in audit.lost()] == [
        f"blocks 4 to 5 were lost in a restore (entry {entry.pk})"
    ]
    assert audit.declare_lost(by=cast.feng_checker, reason="again") is None
    audit.seal()
    witnesses.write_down(audit.head())
    _cut_from(6)
    assert audit.verify() == [
        "block 4 is missing, but was seen from outside",
        "block 5 is missing, but was seen from outside",
        "block 7 is missing, but was seen from outside",
    ]


def test_what_was_cut_out_of_the_middle_is_no_loss_by_a_restore(restored, tree, cast):
    as_superuser(
        f"DELETE FROM {TABLE} WHERE block = 2",
        "DELETE FROM union_portal_auditblock WHERE number = 2",
    )
    audit.declare_lost(by=cast.feng_checker, reason="the disk failed")
    assert "block 2 is missing, but was seen from outside" in audit.verify()


def test_without_a_loss_nothing_is_declared(log, cast):
    assert audit.declare_lost(by=cast.feng_checker, reason="nothing") is None
    assert audit.lost() == []


@pytest.mark.django_db(transaction=True)
def test_two_sealers_make_one_chain():
    from django.db import transaction

    from tests.kernel.races import at_once, waits_for_lock

    tree = make_tree()
    audit.record("one", tree.city, by=audit.WORKER)
    with at_once(audit.seal) as other, transaction.atomic():
        assert audit.seal().number == 1
        audit.record("two", tree.city, by=audit.WORKER)
        other.start()
        waits_for_lock(other)
    assert other.error is None
    assert other.result.number == 2
    assert audit.verify() == []
