"""Every recipient is told once, by SMS or by letter, and how and when is kept (X13)."""

import json
import ssl
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.db.models import F, TextField, Value
from django.db.models.fields.json import JSONField
from django.db.models.functions import Cast
from django.utils import timezone

from members.models import Person
from tests import cast
from union_portal import gateways, notifications, tasks
from union_portal.models import AuditEntry, Channel, Message
from union_portal.states import MessageState

pytestmark = pytest.mark.django_db

notifications.template("test_paid", "%(amount)s yuan went to your account.")


@pytest.fixture
def people():
    tree = cast.make_tree()
    made = [cast.make_person(tree.union) for _ in range(3)]
    Person.objects.filter(pk=made[2].pk).update(phone=None, phone_index=None)
    return made


def queue_all() -> int:
    rows = Person.objects.values(
        key=Cast("id", TextField()),
        recipient=F("id"),
        sealed_phone=F("phone"),
        about=Cast("id", TextField()),
        facts=Value({"amount": "300.00"}, JSONField()),
    )
    return notifications.queue_messages(
        topic="t", template="test_paid", rows=rows, subject_type="members.person"
    )


def test_whoever_has_no_phone_gets_a_letter(people):
    assert queue_all() == 3
    channels = dict(Message.objects.values_list("recipient", "channel"))
    assert channels == {people[0].pk: "sms", people[1].pk: "sms", people[2].pk: "letter"}


def test_what_happened_first_is_read_last_whenever_it_was_written(people):
    told = [
        notifications.queue_portal_message(
            topic="t", key=str(days), template="test_paid", recipient=people[0].pk,
            subject=people[0], amount="1.00",
        )
        for days in (1, 3, 2)
    ]  # fmt: skip
    for message in told:
        ago = timezone.now() - timedelta(days=int(message.key))
        Message.objects.filter(pk=message.pk).update(created_at=ago)
    assert [message.key for message in notifications.inbox(people[0].pk)] == ["1", "2", "3"]


def test_asking_twice_sends_once(people):
    assert (queue_all(), queue_all()) == (3, 0)


def test_the_worker_sends_what_is_due_and_keeps_how_and_when(people):
    queue_all()
    assert notifications.send_pending() == notifications.Sent(sent=2)
    sent = Message.objects.filter(state=MessageState.SENT)
    assert {(message.gateway, message.sent_at is not None) for message in sent} == {
        ("outbox", True)
    }
    assert {notifications.text_of(message) for message in sent} == {
        "300.00 yuan went to your account."
    }
    assert notifications.send_pending() == notifications.Sent()


class Down:
    name = "down"

    def send(self, **message):
        raise gateways.GatewayError("down")


def test_a_gateway_that_is_down_is_tried_later_and_given_up_in_the_open(people, settings):
    settings.SMS_GATEWAY = "tests.kernel.test_notifications.Down"
    queue_all()
    assert notifications.send_pending() == notifications.Sent(failed=2)
    assert notifications.send_pending() == notifications.Sent()  # not due yet
    long_ago = timezone.now() - timedelta(hours=1)
    for _try in range(4):
        Message.objects.update(created_at=long_ago)
        notifications.send_pending()
    failed = Message.objects.filter(channel=Channel.SMS)
    assert {(message.state, message.attempts) for message in failed} == {("failed", 5)}


def test_letters_are_noted_as_posted_by_somebody(people):
    queue_all()
    officer = cast.make_account("poster")
    assert notifications.post_letters(messages=Message.objects.all(), by=officer) == 1
    assert Message.objects.get(channel="letter").state == MessageState.SENT
    assert AuditEntry.objects.filter(action="message.posted", actor_id=officer.pk).exists()


def test_the_http_gateway_signs_and_keeps_the_reference(people, settings):
    seen = []

    class Provider(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((json.loads(body), self.headers["X-Signature"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"id": "R-1"}')

        def log_message(self, *args):
            return

    server = HTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings.SMS_GATEWAY = "union_portal.notifications.HttpGateway"
    settings.SMS_HTTP_URL = f"http://127.0.0.1:{server.server_port}/"
    settings.SMS_HTTP_KEY = "key"
    try:
        queue_all()
        assert notifications.send_pending().sent == 2
    finally:
        server.shutdown()
        server.server_close()
    assert {row["reference"] for row, _sign in seen} == {
        str(pk) for pk in Message.objects.filter(channel="sms").values_list("pk", flat=True)
    }
    assert all(len(sign) == 64 for _row, sign in seen)
    assert set(
        Message.objects.filter(channel="sms").values_list("gateway_reference", flat=True)
    ) == {"R-1"}


@pytest.mark.parametrize("address", ["file:///etc/passwd", "http://sms.example/", "ftp://x/", ""])
def test_a_wrong_address_of_the_gateway_is_an_error_not_a_crash(people, settings, address):
    settings.SMS_GATEWAY = "union_portal.notifications.HttpGateway"
    settings.SMS_HTTP_URL = address
    settings.SMS_HTTP_KEY = "key"
    queue_all()
    assert notifications.send_pending().failed == 2


def test_a_gateway_that_leads_elsewhere_is_not_followed(people, settings):
    asked = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"id": "R-1"}')

        def log_message(self, *args):
            return

    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.SMS_GATEWAY = "union_portal.notifications.HttpGateway"
    settings.SMS_HTTP_URL = f"http://127.0.0.1:{server.server_port}/sms"
    settings.SMS_HTTP_KEY = "key"
    try:
        queue_all()
        assert notifications.send_pending().failed == 2
    finally:
        server.shutdown()
        server.server_close()
    assert asked == ["/sms", "/sms"]


def test_a_gateway_with_a_certificate_of_its_own_is_not_believed(people, settings, tmp_path):
    asked = []

    class Impostor(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own_certificate(tmp_path / "impostor.pem"))
    server = HTTPServer(("127.0.0.1", 0), Impostor)
    server.handle_error = lambda *_: None
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.SMS_GATEWAY = "union_portal.notifications.HttpGateway"
    settings.SMS_HTTP_URL = f"https://localhost:{server.server_port}/sms"
    settings.SMS_HTTP_KEY = "key"
    try:
        queue_all()
        assert notifications.send_pending().failed == 2
    finally:
        server.shutdown()
        server.server_close()
    assert asked == []


def own_certificate(path):
    """A key and a certificate for localhost that nobody but itself vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = timezone.now()
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *form)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_the_bell_rings_until_everything_is_sent(people, monkeypatch):
    queue_all()
    monkeypatch.setattr(notifications, "CHUNK", 1)
    rung = []

    def ring(**how):
        rung.append(how)
        tasks.send_messages()

    monkeypatch.setattr(tasks.send_messages, "apply_async", ring)
    tasks.send_messages()
    assert not Message.objects.filter(channel=Channel.SMS, state=MessageState.PENDING).exists()
    assert len(rung) == 2
