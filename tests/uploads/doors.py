"""Every door a file can come in by: how it is sent there, and what became of it."""

from __future__ import annotations

import random
import re
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from awards.actions import applications
from awards.models import HomeVisit, SubsidyCase
from members.actions import consents, imports
from members.models import (
    BankAccount,
    CardResultFile,
    CardResultRow,
    Consent,
    Correction,
    ImportRun,
    Merchant,
    MerchantAccount,
    MerchantAgreement,
    Person,
    ServiceCard,
)
from tests.awards.roster import model_worker, rule_set
from tests.awards.test_applications import ILLNESS as STATED
from tests.awards.test_applications import photo
from tests.cast import NOW, TODAY, Cast, make_account, make_person
from tests.disbursement.conftest import make_office
from tests.members.benefits import AGREED, applying, make_merchant
from tests.members.card_office import make_card_office
from tests.uploads.corpus import MARK, Hostile
from tests.web.awards_play import ILLNESS, apply, browser, lins_case
from union_portal.kit import fictional
from union_portal.models import FileDownload, StoredFile
from welfare.disbursement.models import ReturnFile, ReturnRow

BOUNDARY = "hostile-7f3a"
# Nothing of these may come of a file that is refused.
KEPT = (
    StoredFile,
    Person,
    BankAccount,
    HomeVisit,
    ReturnFile,
    ReturnRow,
    FileDownload,
    SubsidyCase,
    Consent,
    Correction,
    CardResultFile,
    CardResultRow,
    ServiceCard,
    Merchant,
    MerchantAgreement,
    MerchantAccount,
)
LEFT_OUT = re.compile(r"%\(\w+\)")


@dataclass
class Door:
    """Where files are sent, by the form's field that takes them, and how many at once."""

    name: str
    client: Client
    url: str
    typed: Callable[[], dict[str, str]]
    at_once: int = 1
    then: Callable[[], Model | None] = lambda: None

    @property
    def takes(self) -> str:
        return self.name.rpartition(".")[2]


@dataclass
class Tally:
    """What became of the files, and every sentence that was told."""

    refused: int = 0
    clean: int = 0
    crashed: int = 0
    faults: list[str] = field(default_factory=list)
    told: Counter = field(default_factory=Counter)


def doors(cast: Cast) -> list[Door]:
    """All of them, with the rows they need."""
    office = make_office(cast)
    rule_set(cast, "special_hardship")
    model_worker(cast, cast.lin_person, year=timezone.localdate().year)
    asks, returned = browser(cast.lin), browser(cast.lin)
    apply(browser(cast.lin))
    case = lins_case(cast)
    applications.return_(case=case, message="The summary is missing.", by=cast.qiao)
    applied = "/me/subsidies/apply/?ground=illness"
    batch = office.delivered(2)
    feng, qiao, clerk = browser(cast.feng), browser(cast.qiao), browser(cast.qiao)
    other = visited_case(cast)
    visit, pay = button(other, "visit"), button(batch, "return")
    person = button(cast.lin_person, "enter-account")
    today = timezone.localdate().isoformat()
    found = {
        "visited_on": today,
        "visitors": "Qiao",
        "findings": "Bills were seen.",
        "is_confirmed": "yes",
    }
    number = fictional.make_card_number(random.Random(1))
    account = {"number": number, "bank_name": "示范银行", "holder": "", "reason": ""}
    today_and_now = {"today": timezone.localdate(), "now": timezone.now()}
    consents.install_samples(by=cast.rules_clerk, second=cast.decider, **today_and_now)
    consents.give(person=cast.lin_person, purpose="family", by=cast.lin, **today_and_now)
    consents.give(person=cast.lin_person, purpose="sensitive", by=cast.lin, **today_and_now)
    consent = button(cast.lin_person, "consent")
    withdrawal = button(cast.lin_person, "withdrawal")
    member, correction = browser(cast.lin), "/me/corrections/ask/?field=employer"
    people = reverse("admin:members_importrun_list_do", args=["upload"])
    answers = reverse("admin:disbursement_returnfile_list_do", args=["import"])
    completion = f"/me/subsidies/{case.pk}/complete/"
    merchant, benefits, public = make_merchant(cast), browser(cast.benefits), Client()
    public.cookies["django_language"] = "en"
    agreement, settled = button(merchant, "agreement"), button(merchant, "account")
    bank = "welfare.admin.returns.ReturnFileForm.content"
    return [
        Door("awards.forms.ApplicationForm.documents", asks, applied, lambda: ILLNESS, 12),
        Door("awards.forms.CompletionForm.documents", returned, completion,
             lambda: {**ILLNESS, "answer": "Here."}, 12),
        Door("awards.admin.case_forms.VisitForm.photos", qiao, visit,
             lambda: found | seen(qiao, visit), 12),
        Door("awards.admin.case_forms.VisitForm.signature", qiao, visit,
             lambda: found | seen(qiao, visit)),
        Door("members.admin.person_forms.AccountForm.evidence", clerk, person,
             lambda: account | seen(clerk, person)),
        Door("members.admin.person_privacy.ConsentForm.paper", clerk, consent,
             lambda: {"purpose": "card"} | seen(clerk, consent)),
        Door("members.admin.person_privacy.WithdrawForm.letter", clerk, withdrawal,
             lambda: {"purpose": "family"} | seen(clerk, withdrawal)),
        Door("members.forms_privacy.CorrectionForm.evidence", member, correction,
             lambda: {"wanted": "榆林示范厂", "words": "Since May"}),
        Door("members.admin.imports.UploadForm.content", clerk, people,
             lambda: {"organization": str(cast.tree.union.pk)}, then=checked),
        Door("members.forms_benefits.MerchantForm.licence", public, "/merchants/apply/",
             lambda: applying(cast)),
        Door("members.forms_benefits.AgreementForm.document", benefits, agreement,
             lambda: AGREED | seen(benefits, agreement)),
        Door("members.forms_benefits.MerchantAccountForm.evidence", benefits, settled,
             lambda: account | {"bank_code": ""} | seen(benefits, settled)),
        Door(bank, feng, answers, dict),
        Door(bank, feng, pay, lambda: seen(feng, pay)),
        *card_doors(cast),
    ]  # fmt: skip


def card_doors(cast: Cast) -> list[Door]:
    """Receipts of members, lists and answers of banks."""
    office = make_card_office(cast)
    issued, sent = office.issued(), office.sent(1)
    clerk, officer = browser(cast.qiao), browser(cast.officer)
    one, result = button(issued, "hand-out"), button(sent, "result")
    every = reverse("admin:members_servicecard_list_do", args=["hand-out-all"])
    listed = reverse("admin:members_servicecard_list_do", args=["activate-listed"])
    forms = "members.admin.card_forms"
    return [
        Door(f"{forms}.ReceiptForm.receipt", clerk, one, lambda: seen(clerk, one)),
        Door(f"{forms}.HandOutForm.signed_list", clerk, every,
             lambda: {"organization": str(cast.tree.union.pk), "unsigned": ""}),
        Door(f"{forms}.ActivatedForm.content", officer, listed, dict),
        Door(f"{forms}.ResultForm.content", officer, result, lambda: seen(officer, result)),
    ]  # fmt: skip


def visited_case(cast: Cast) -> SubsidyCase:
    """Another member's application, waiting for its visit."""
    person = make_person(cast.tree.union)
    log_in = make_account("Lin2")
    Person.objects.filter(pk=person.pk).update(account=log_in)
    person.refresh_from_db()
    model_worker(cast, person, year=timezone.localdate().year)
    return applications.apply(
        ground="illness", stated=STATED, asked_fen=None, documents=[photo()], by=log_in,
        today=timezone.localdate(),
    )  # fmt: skip


def button(row: Model, name: str) -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_do", args=[row.pk, name])


def seen(client: Client, url: str) -> dict[str, str]:
    """The print of the row that the confirm page carries."""
    return {"seen": client.get(url).context["seen"]}


def checked() -> ImportRun | None:
    """Have the worker check a file of people that was taken in."""
    run = ImportRun.objects.last()
    if run is not None:
        imports.check(run=run, today=TODAY, now=NOW, progress=lambda _done, _total: None)
        run.refresh_from_db()
    return run


def send(door: Door, files: Sequence[Hostile], tally: Tally) -> None:
    """Send files of one temper through a door, judge what became of them, and undo it all."""
    with transaction.atomic():
        before = kept()
        door.client.raise_request_exception = False
        answer = door.client.post(
            door.url, data=multipart(door, files),
            content_type=f"multipart/form-data; boundary={BOUNDARY}",
        )  # fmt: skip
        try:
            _judge(door, files, answer, before, tally)
        finally:
            transaction.set_rollback(True)
            shutil.rmtree(settings.MEDIA_ROOT, ignore_errors=True)


def _judge(
    door: Door, files: Sequence[Hostile], answer: Any, before: tuple[int, ...], tally: Tally
) -> None:
    families = ", ".join(sorted({one.family for one in files}))
    if answer.status_code >= 500:
        tally.crashed += len(files)
        tally.faults.append(f"{door.name}: {families}: {answer.status_code}")
        return
    if answer.status_code == 302 and answer.url.startswith("/account/"):
        tally.faults.append(f"{door.name}: {families}: nobody was let in")
        return
    is_told = answer.context is not None and "told" in answer.context
    if answer.status_code == 302 or is_told:
        _judge_taken(door, files, families, before, tally)
        return
    if answer.context is None or "form" not in answer.context:
        tally.faults.append(f"{door.name}: {families}: {answer.status_code} without the form")
        return
    faults = [str(one) for errors in answer.context["form"].errors.values() for one in errors]
    passed = list(getattr(answer.context["form"].fields[door.takes], "passed", []))
    if answer.status_code != 422 or not faults:
        tally.faults.append(f"{door.name}: {families}: {answer.status_code} tells nothing")
    _told(door, families, faults, tally)
    if kept() != before:
        tally.faults.append(f"{door.name}: {families}: half-written")
    _judge_clean(door, files, [one.content for one in passed], tally)
    tally.refused += len(files) - len(passed)


def _judge_taken(
    door: Door, files: Sequence[Hostile], families: str, before: tuple[int, ...], tally: Tally
) -> None:
    """The form went through: people are judged by a worker, pictures must be written anew."""
    run = door.then()
    if isinstance(run, ImportRun):
        told = (
            [run.fault]
            if run.state == "refused"
            else [
                f"{one.message} {one.remedy}" for one in run.findings.filter(severity="error")[:5]
            ]
        )
        _told(door, families, told, tally)
        if not told or Person.objects.count() != before[KEPT.index(Person)]:
            tally.faults.append(f"{door.name}: {families}: {run.state} without a fault")
        tally.refused += len(files)
        return
    stored = [Path(settings.MEDIA_ROOT, one.pk.hex[:2], one.pk.hex).read_bytes()
              for one in StoredFile.objects.order_by("-created_at")[: len(files)]]  # fmt: skip
    _judge_clean(door, files, stored, tally)
    tally.refused += len(files) - len(stored)
    for one in StoredFile.objects.order_by("-created_at")[: len(files)]:
        if "/" in one.name or "\\" in one.name or not one.name.isprintable() or len(one.name) > 120:
            tally.faults.append(f"{door.name}: kept under the name {one.name!r}")


def _judge_clean(door: Door, files: Sequence[Hostile], contents: list[bytes], tally: Tally) -> None:
    """Only a picture may be kept, and only one in which nothing of the payload is left."""
    for content in contents:
        tally.clean += 1
        picture = Image.open(BytesIO(content))
        picture.load()
        if MARK in content or picture.getexif() or picture.info.get("comment"):
            tally.faults.append(f"{door.name}: {files[0].family}: the payload is kept")
    if contents and not all(one.may_be_clean for one in files):
        tally.faults.append(f"{door.name}: {[one.family for one in files]}: accepted")


def _told(door: Door, families: str, sentences: list[str], tally: Tally) -> None:
    """What is said holds at least two sentences: what is wrong, and how to mend it."""
    for sentence in sentences:
        plain = re.sub(r"“.*”: ", "", re.sub(r"<[^>]+>", " ", sentence), flags=re.DOTALL)
        tally.told[plain[:90]] += 1
        if LEFT_OUT.search(plain) or MARK.decode() in plain or len(plain) < 20:
            tally.faults.append(f"{door.name}: {families}: says {sentence!r}")


def kept() -> tuple[int, ...]:
    """How many rows there are of each, in one question."""
    counts = ", ".join(f'(SELECT count(*) FROM "{model._meta.db_table}")' for model in KEPT)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {counts}")
        return cursor.fetchone()


def multipart(door: Door, files: Sequence[Hostile]) -> bytes:
    """The form as bytes, with file names exactly as hostile as they are."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in door.typed().items()
    ]
    for one in files:
        name = quote(one.name, safe="")
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{door.takes}"; '
            f"filename*=UTF-8''{name}\r\nContent-Type: image/jpeg\r\n\r\n"
        )
        parts += [head.encode(), one.content, b"\r\n"]
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])
