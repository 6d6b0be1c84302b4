"""A copy of one's own data: everything, for the person alone, for a week."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db import models
from django.urls import reverse
from django.utils import timezone, translation

from members.actions import people
from members.models import Person
from members.queries.privacy import COPY_DAYS, COPY_KINDS
from members.views.privacy import ask_copy
from tests.cast import Cast, make_bank_account, make_person
from tests.reports.pdftools import texts
from tests.web.awards_play import browser
from tests.web.scene import play
from union_portal import files, my_data, queue, reports
from union_portal.models import Account, Message, ReportRun, StoredFile
from union_portal.states import ReportState

pytestmark = pytest.mark.django_db

# Rows with a way to a person that no section tells, each with the reason.
NOT_TOLD = {
    "members.cardresultrow": "the bank's line; what it says stands on the card",
    "members.importfinding": "of a file, not of a person; emptied after a year",
    "members.merchantaccount": "of merchants alone; the same table as people's accounts",
    "members.stagedperson": "a file on its way in, gone when it has been taken over",
    "disbursement.returnrow": "the bank's line; its outcome is the payment's state",
    "disbursement.discrepancy": "a difference in the bank's file, settled by the office",
    "disbursement.motion": "a step of the office on a payment; the payment tells its outcome",
    "welfare.statementline": "the merchant's count of uses; each use is told as such",
    "union_portal.factorreset": "of staff alone, who log in with a second factor",
    "union_portal.objection": "somebody else's words about a decision, whose name is protected",
}  # fmt: skip


def made(cast: Cast, kind: str = "my_data_json") -> ReportRun:
    run = ask_copy(person=cast.lin_person, kind=kind, by=cast.lin)
    assert run.job is not None
    queue.run_job(run.job.pk)
    run.refresh_from_db()
    run.job.refresh_from_db()
    assert run.state == ReportState.READY, run.job.error
    return run


def told(run: ReportRun) -> dict[str, Any]:
    assert run.file is not None
    with files.open_for(run.file) as stream:
        return {one["key"]: one["rows"] for one in json.load(stream)["sections"]}


def leading_to_people() -> set[str]:
    """Models with a foreign key to a person, or to a row that leads to one."""
    reached: set[type[models.Model]] = {Person}
    ours = {"union_portal", "members", "disbursement", "awards", "events", "welfare"}
    everything = [one for one in apps.get_models() if one._meta.app_label in ours]
    while True:
        further = {
            model
            for model in everything
            for field in model._meta.concrete_fields
            if field.is_relation and field.related_model in reached
        } - reached
        if not further:
            return {model._meta.label_lower for model in reached}
        reached |= further


def test_every_table_that_leads_to_a_person_is_told_or_named_with_the_reason():
    in_sections = {
        model._meta.label_lower for section in my_data.sections() for model in section.tells
    }
    leading = leading_to_people()
    assert len(leading) > 30
    assert leading - in_sections - set(NOT_TOLD) == set(), "add a section, or say why not"
    assert set(NOT_TOLD) & in_sections == set()


def test_the_copy_for_machines_holds_everything_with_whole_numbers(cast: Cast):
    play(cast)
    make_bank_account(cast.lin_person, entered_by=cast.qiao)
    sections = told(made(cast))
    assert set(sections) == {section.key for section in my_data.sections()}
    person = sections["person"][0]
    assert person["national_id"] == str(cast.lin_person.national_id)
    assert person["phone"] == str(cast.lin_person.phone)
    assert sections["bank_accounts"][-1]["number"] == str(
        cast.lin_person.bank_accounts.latest("id").number
    )
    for key in ("subsidies", "model_worker", "consents", "corrections", "family", "log_ins"):
        assert key == "log_ins" or sections[key], key
    assert sections["account"][0]["username"] == "lin"


def test_no_secret_and_no_keyed_hash_is_in_it(cast: Cast):
    play(cast)
    text = json.dumps(told(made(cast)))
    person = Person.objects.get(pk=cast.lin_person.pk)
    for secret in (person.national_id_index, person.phone_index, cast.lin.password, "code_hash"):
        assert secret and secret not in text
    sections = told(made(cast))
    for row in sections["factors"]:
        assert "data" not in row
    for row in sections["card_codes"]:
        assert not [name for name in row if name.endswith("digest")]


def test_nothing_of_anybody_else_is_in_it(cast: Cast):
    other = make_person(cast.tree.union, name="贺兰山", account=cast.wei)
    make_bank_account(other, entered_by=cast.qiao)
    play(cast)
    text = json.dumps(told(made(cast)), ensure_ascii=False)
    for secret in (other.name, str(other.national_id), str(other.phone)):
        assert secret not in text


def test_a_code_that_came_by_text_message_is_told_without_its_digits(cast: Cast):
    Message.objects.create(
        topic="login_code", key="k", channel="sms", recipient=cast.lin_person.pk,
        template="login_code", values={"code": "739146"}, subject_type="x", subject_id="1",
    )  # fmt: skip
    copy = told(made(cast))
    assert copy["messages"] and "739146" not in json.dumps(copy)


def test_the_copy_for_people_reads_the_same(cast: Cast, tmp_path: Path):
    play(cast)
    run = made(cast, "my_data_pdf")
    assert run.file is not None and run.pages >= 2
    with files.open_for(run.file) as stream:
        (tmp_path / "copy.pdf").write_bytes(stream.read())
    text = "".join(texts(tmp_path / "copy.pdf")).replace("\n", "").replace(" ", "")
    assert cast.lin_person.name in text
    assert str(cast.lin_person.national_id) in text


def test_people_read_words_where_machines_read_codes(cast: Cast):
    play(cast)
    sections = {section.key: section for section in my_data.sections()}

    def read(key: str, column: str) -> list[str]:
        rows = sections[key].rows(cast.lin_person.pk)
        return [entry.text for row in rows for entry in row if entry.name == column]

    with translation.override("zh-hans"):
        fields, kinds = read("corrections", "field"), read("decisions", "subject_type")
        steps = read("decisions", "steps")
    assert fields and kinds and steps
    assert not [text for text in (*fields, *kinds) if re.search("[a-z]", text)]
    assert not [text for text in steps if "amount_fen" in text or "{" in text]


def test_titles_of_the_copy_are_told_apart():
    titles = [str(section.title) for section in my_data.sections()]
    assert sorted(set(titles)) == sorted(titles)


def test_only_the_person_asks_and_one_copy_is_made_at_a_time(cast: Cast):
    for other in (cast.qiao, cast.wei, cast.gao, cast.officer, cast.account_admin):
        with pytest.raises(PermissionDenied):
            ask_copy(person=cast.lin_person, kind="my_data_json", by=other)
    first = ask_copy(person=cast.lin_person, kind="my_data_json", by=cast.lin)
    assert ask_copy(person=cast.lin_person, kind="my_data_json", by=cast.lin) == first
    assert first.title == first.job.title and cast.lin_person.name not in first.title
    for language, title in (("zh-hans", "我的数据副本（JSON）"), ("en", "Copy of my data (JSON)")):
        with translation.override(language):
            assert str(first.job) == title


def test_the_person_alone_fetches_it(cast: Cast):
    run = made(cast)
    assert run.file is not None
    assert files.may_fetch(cast.lin, run.file)
    make_person(cast.tree.union, account=cast.wei)
    for account in Account.objects.exclude(pk=cast.lin.pk):
        assert not files.may_fetch(account, run.file), account
        if account.is_staff:
            answer = browser(account).get(reverse("portal:file", args=[run.file.pk]))
            assert answer.status_code == 404, account
            listed = browser(account).get(reverse("admin:union_portal_reportrun_changelist"))
            assert "Copy of my data" not in listed.content.decode()


def test_it_takes_a_fresh_log_in_and_a_copy_a_week_old_is_gone(cast: Cast):
    run = made(cast)
    assert run.file is not None
    url = reverse("portal:file", args=[run.file.pk])
    stale = browser(cast.lin, fresh=False).get(url)
    assert "/reauthenticate/" in stale.url
    fresh = browser(cast.lin).get(url)
    assert fresh.status_code == 200 and "attachment" in fresh["Content-Disposition"]
    assert b"".join(fresh.streaming_content).startswith(b"{")
    last = StoredFile.objects.get(pk=run.file.pk)
    last.created_at = timezone.now() - timedelta(days=COPY_DAYS + 1)
    assert not files.may_fetch(cast.lin, last)
    last.created_at = timezone.now() - timedelta(days=COPY_DAYS)
    assert files.may_fetch(cast.lin, last)


def test_the_page_says_what_is_in_it_and_leads_to_the_work(cast: Cast):
    page = browser(cast.lin)
    url = reverse("members:my-data")
    shown = page.get(url).content.decode()
    for section in my_data.sections():
        assert str(section.title) in shown
    for kind in COPY_KINDS:
        answer = page.post(url, {"kind": kind})
        assert answer.status_code == 302 and "/job/" in answer.url
        assert page.get(answer.url).status_code == 200
    assert page.post(url, {"kind": "disbursement"}).status_code == 404
    assert {run.kind for run in ReportRun.objects.all()} == set(COPY_KINDS)


def test_a_person_without_rows_gets_a_copy_too(cast: Cast):
    newcomer = make_person(cast.tree.union, account=cast.wei, phone=False)
    run = ask_copy(person=newcomer, kind="my_data_pdf", by=cast.wei)
    assert run.job is not None
    queue.run_job(run.job.pk)
    run.refresh_from_db()
    assert run.state == ReportState.READY


def test_offices_do_not_ask_for_it(cast: Cast):
    assert set(COPY_KINDS) & set(reports.of_offices()) == set()
    people.update(person=cast.lin_person, by=cast.qiao, employer="榆林示范厂")
    assert told(made(cast))["person"][0]["employer"] == "榆林示范厂"
