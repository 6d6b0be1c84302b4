"""Files: judged by content, kept by digest, fetched by permission, never without a trace."""

import io
from urllib.parse import unquote

import pytest
from django.conf import settings as django_settings
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from PIL import Image

from union_portal import access, audit, files
from union_portal.access import Permission
from union_portal.kit.images import ImageError
from union_portal.kit.uploads import UploadError
from union_portal.models import AuditEntry, FileDownload, StoredFile

pytestmark = pytest.mark.django_db


def may_view(account, file):
    return access.may(account, Permission.PERSON_VIEW, file.organization)


files.purpose("tests.evidence", label="a file", may=may_view)
files.purpose("tests.issued", label="a file", may=may_view, is_issued=True)
files.purpose("tests.bank", label="a file", may=may_view, is_issued=True, is_sensitive=True)


def photo(**exif):
    picture = Image.new("RGB", (40, 30), "red")
    data = picture.getexif()
    data[0x010E] = "taken at home"
    sink = io.BytesIO()
    picture.save(sink, "JPEG", exif=data)
    return sink.getvalue()


def store(cast, content=None, *, purpose="tests.evidence", name="照片.jpg", **more):
    return files.store(
        purpose=purpose,
        name=name,
        content=photo() if content is None else content,
        subject=cast.lin_person,
        organization=cast.tree.union,
        by=cast.qiao,
        **more,
    )


def disk(tmp_path):
    return [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


def test_a_photo_is_written_anew_without_what_it_tells_about_its_taker(cast, tmp_path):
    stored = store(cast)
    with files.open_for(stored) as stream:
        kept = stream.read()
    assert b"taken at home" not in kept
    assert (stored.content_type, stored.size, stored.name) == ("image/jpeg", len(kept), "照片.jpg")
    [path] = disk(tmp_path)
    assert path.name == stored.pk.hex
    assert path.stat().st_mode & 0o777 == 0o600
    assert AuditEntry.objects.get(action="file.store").subject_id == str(stored.pk)


@pytest.mark.parametrize(
    ("content", "name", "error"),
    [
        (b"MZ\x90\x00 program", "photo.jpg", UploadError),
        (b"<html><script>", "a.pdf", UploadError),
        (b"", "a.jpg", UploadError),
        (photo()[:300], "a.jpg", ImageError),
        (photo(), "a.pdf", UploadError),
    ],
)
def test_what_a_file_claims_to_be_does_not_count(cast, tmp_path, content, name, error):
    with pytest.raises(error):
        store(cast, content, name=name)
    assert disk(tmp_path) == []
    assert not StoredFile.objects.exists()


def test_a_large_upload_is_read_no_further_than_it_may_be(cast, settings):
    settings.UPLOAD_MAX_BYTES = 1024 * 1024

    class Endless:
        taken = 0

        def read(self, size=-1, /):
            assert 0 < size <= 1024 * 1024 + 1
            self.taken += size
            return b"\xff\xd8\xff" + b"x" * (size - 3)

    upload = Endless()
    with pytest.raises(UploadError, match="1 MB"):
        store(cast, upload)
    assert upload.taken <= 1024 * 1024 + 1


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\scan.csv", "scan.csv"),
        ('a"b\r\nSet-Cookie: x.csv', "abSet-Cookie x.csv"),
        ("长" * 300 + ".csv", "长" * 116 + ".csv"),
        ("...", "file"),
    ],
)
def test_a_name_is_only_a_name(cast, name, kept):
    assert store(cast, b"1", purpose="tests.issued", name=name).name == kept


def test_issued_files_are_kept_as_they_are_from_bytes_file_or_path(cast, tmp_path):
    path = tmp_path / "report.csv"
    path.write_bytes(b"a,b")
    for content in (b"a,b", io.BytesIO(b"a,b"), path):
        stored = store(cast, content, purpose="tests.issued", name="r.csv", content_type="text/csv")
        with files.open_for(stored) as stream:
            assert stream.read() == b"a,b"
        assert stored.content_type == "text/csv"


def test_a_file_changed_or_lost_on_the_disk_is_not_handed_out(cast, tmp_path):
    stored = store(cast)
    [path] = disk(tmp_path)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(files.FileDamaged, match=str(stored.pk)):
        files.open_for(stored)
    path.unlink()
    with pytest.raises(files.FileDamaged):
        files.open_for(stored)
    assert not FileDownload.objects.exists()


def test_a_purpose_nobody_registered_stores_and_serves_nothing(cast):
    with pytest.raises(LookupError):
        store(cast, purpose="tests.unheard_of")
    stored = StoredFile(purpose="tests.unheard_of", organization=cast.tree.union)
    assert not files.may_fetch(cast.qiao, stored)


def test_every_fetch_leaves_a_row_for_good(cast):
    stored = store(cast)
    files.fetch(file=stored, by=cast.shi, reason="Review").close()
    download = FileDownload.objects.get()
    assert (download.account, download.reason) == (cast.shi, "Review")
    assert AuditEntry.objects.get(action="file.fetch").actor_id == cast.shi.pk
    with pytest.raises(PermissionDenied):
        files.fetch(file=stored, by=cast.wei)
    assert FileDownload.objects.count() == 1


# -- the page ----------------------------------------------------------------------------


def url(stored):
    return reverse("portal:file", args=[stored.pk])


@pytest.fixture
def no_second_factor(monkeypatch):
    monkeypatch.setattr("union_portal.middleware.has_second_factor", lambda account: True)


def test_the_page_serves_who_may_and_does_not_exist_for_others(cast, client, no_second_factor):
    stored = store(cast, b"<script>", purpose="tests.issued", name="名单.html")
    assert client.get(url(stored)).status_code == 302
    for account in (cast.wei, cast.lin, cast.account_admin):
        client.force_login(account, backend=django_settings.AUTHENTICATION_BACKENDS[1])
        assert client.get(url(stored)).status_code == 404
    client.force_login(cast.qiao, backend=django_settings.AUTHENTICATION_BACKENDS[1])
    answer = client.get(url(stored))
    assert b"".join(answer.streaming_content) == b"<script>"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "名单.html" in unquote(answer.headers["Content-Disposition"])
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    policy = answer.headers["Content-Security-Policy"]
    assert "sandbox" in policy and "frame-ancestors 'none'" in policy
    assert FileDownload.objects.get().account == cast.qiao
    assert client.post(url(stored)).status_code == 405


def test_what_moves_money_asks_for_a_fresh_log_in(cast, client, no_second_factor):
    stored = store(cast, b"rows", purpose="tests.bank", name="bank.csv")
    cast.qiao.set_password("a-long-unusual-phrase")
    cast.qiao.save()
    client.force_login(cast.qiao, backend=django_settings.AUTHENTICATION_BACKENDS[1])
    answer = client.get(url(stored))
    assert answer.status_code == 302
    assert "reauthenticate" in answer.headers["Location"]
    confirmed = client.post(answer.headers["Location"], {"password": "a-long-unusual-phrase"})
    told = client.get(confirmed.headers["Location"])
    assert f'<meta http-equiv="refresh" content="0; url={url(stored)}">' in told.content.decode()
    assert not FileDownload.objects.exists()
    assert b"".join(client.get(url(stored)).streaming_content) == b"rows"


def test_a_machine_stores_without_an_uploader(cast):
    stored = files.store(
        purpose="tests.issued",
        name="x.csv",
        content=b"1",
        subject=cast.lin_person,
        organization=None,
        by=audit.WORKER,
    )
    assert stored.uploaded_by is None
    assert not files.may_fetch(cast.wei, stored)
