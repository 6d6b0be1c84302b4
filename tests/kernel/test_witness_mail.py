"""Every day the counties get the head of the log by e-mail, and may compare it for ever."""

from datetime import timedelta
from io import StringIO
from smtplib import SMTPException

import pytest
from django.core import mail
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.audit import log_edits, rows
from tests.audit.scene import see
from tests.cast import TODAY
from union_portal import (
    audit,
    gateways,
    notifications,
    organizations,
    tasks,
    witness_mail,
    witnesses,
)
from union_portal.models import AuditEntry, Channel, Message, Organization

pytestmark = pytest.mark.django_db
TO = "witness@county.example"


@pytest.fixture
def log(cast):
    """Some entries in one block, and one county that keeps the log's heads."""
    organizations.describe(organization=cast.tree.county, by=cast.account_admin, witness_email=TO)
    see()
    return audit.head()


def sent_on(day):
    witness_mail.write_digests(today=day)
    notifications.send_pending()
    return mail.outbox


def verified(*witnesses_given: str) -> str:
    out = StringIO()
    given = [part for one in witnesses_given for part in ("--witness", one)]
    call_command("verify_audit", *given, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_a_county_with_an_address_gets_one_mail_a_day(log):
    for _again in range(2):
        sent_on(TODAY)
    assert [letter.to for letter in mail.outbox] == [[TO]]
    assert len(sent_on(TODAY + timedelta(days=1))) == 2


def test_the_mail_names_block_digest_and_count_in_both_languages(log):
    (letter,) = sent_on(TODAY)
    assert f"{log.number} {log.digest}" in letter.body
    assert f"{AuditEntry.objects.filter(block__isnull=False).count()} entries" in letter.body
    assert "verify_audit --witness" in letter.body
    assert TODAY.isoformat() in letter.subject
    assert letter.subject not in letter.body.splitlines()[:3]
    assert letter.body.count(log.digest) == 4  # as a line to compare and as a command, twice


def test_a_mail_holds_nothing_about_people_and_no_member_is_shown_it(log, cast):
    (letter,) = sent_on(TODAY)
    assert cast.lin_person.name not in letter.body
    message = Message.objects.get(channel=Channel.EMAIL)
    assert message.recipient is None
    assert not notifications.messages_for(cast.tree.county.pk).exists()


def test_what_was_sent_stays_in_the_outbox_like_any_message(log):
    sent_on(TODAY)
    message = Message.objects.get(channel=Channel.EMAIL)
    assert (message.state, message.gateway, message.sent_at is not None) == ("sent", "email", True)
    assert (message.values["to"], message.values["number"]) == (TO, log.number)


def test_a_mail_server_that_is_down_is_tried_again_with_the_same_number(log, monkeypatch):
    def refuse(self, messages):
        raise SMTPException

    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        sent_on(TODAY)
    assert mail.outbox == []
    Message.objects.update(created_at="2026-01-01T00:00Z")
    notifications.send_pending()
    (letter,) = mail.outbox
    number = Message.objects.get(channel=Channel.EMAIL).pk
    assert letter.extra_headers["Message-ID"] == f"<{number}.message@union-portal>"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (f"{TO}\nBcc: other@example.org", "Audit log\n\nbody"),
        (f"{TO}\r\nBcc: other@example.org", "Audit log\n\nbody"),
        (TO, "Audit log\rBcc: other@example.org\n\nbody"),
    ],
)
def test_a_line_break_in_an_address_or_a_subject_is_refused(number, text):
    with pytest.raises(gateways.GatewayError):
        gateways.EmailGateway().send(number=number, text=text, reference="1")
    assert mail.outbox == []


def test_without_a_block_or_an_address_nothing_is_written(cast):
    assert witness_mail.write_digests(today=TODAY) == 0
    see()
    audit.record("x", cast.tree.city, by=audit.WORKER)
    see()
    assert witness_mail.write_digests(today=TODAY) == 0


def test_a_closed_union_is_no_witness_any_more(log, cast):
    Organization.objects.filter(pk=cast.tree.county.pk).update(is_active=False)
    assert witness_mail.write_digests(today=TODAY) == 0


def test_the_scheduled_task_records_history_and_writes_once_a_day(log):
    for _again in range(2):
        tasks.send_witnesses()
    assert AuditEntry.objects.filter(action="audit.history").count() == 1
    assert Message.objects.filter(channel=Channel.EMAIL).count() == 1


# -- comparing -----------------------------------------------------------------------------


def test_a_saved_mail_is_compared_with_the_log(log, tmp_path):
    (letter,) = sent_on(TODAY)
    saved = tmp_path / "saved.eml"
    saved.write_bytes(letter.message().as_bytes())
    assert f"block {log.number} is the one that was seen" in verified(str(saved))


def test_a_block_copied_from_a_report_is_compared(log):
    groups = " ".join(log.digest[at : at + 8] for at in range(0, 64, 8))
    for given in (f"{log.number}:{log.digest}", f"{log.number} {groups}", str(log).upper()):
        assert "is the one that was seen" in verified(given)


def test_a_log_rewritten_past_the_file_does_not_deceive_a_mail(log, tmp_path, cast):
    (letter,) = sent_on(TODAY)
    saved = tmp_path / "saved.txt"
    saved.write_text(letter.body)
    with rows.undone():
        rows.execute(f"UPDATE {log_edits.ENTRY} SET reason = '!' WHERE block = {log.number}")
        log_edits.rechain(log.number)
        witnesses.file().write_text(f"{audit.head()}\n")  # whoever rules the database and the file
        assert "holds" in verified()
        with pytest.raises(CommandError, match="tampered"):
            verified(str(saved))


def test_a_witness_file_that_is_gone_is_told(log):
    witnesses.file().unlink()
    with pytest.raises(CommandError, match="tampered"):
        verified()


def test_what_names_no_block_is_refused(log, tmp_path):
    (tmp_path / "empty.txt").write_text("nothing")
    for given in (str(tmp_path / "empty.txt"), "12", "x:y"):
        with pytest.raises(CommandError, match="no block is named"):
            verified(given)
