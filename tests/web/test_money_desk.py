"""The finance pages: who sees which button, what a confirm page asks, what a refusal says."""

import html
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from members.models import BankAccount
from tests.cast import TODAY, Cast, make_account, make_payee, make_person, make_rule_set
from tests.disbursement.conftest import SCHEME, Office, make_office
from tests.roles import playing, serving
from union_portal import lifecycle, readers
from union_portal.access import Role
from union_portal.models import Account, AuditEntry, ReportRun
from union_portal.states import DecisionState
from welfare.disbursement import batches, claims, formats, gate, invariants, ledger, motions
from welfare.disbursement.models import (
    BankFormat,
    BatchApproval,
    Discrepancy,
    Entitlement,
    Fund,
    Motion,
    PayoutBatch,
    ReturnFile,
    StrayPayment,
)
from welfare.disbursement.simulator import write_return

LISTS = (
    "fund", "ledgeraccount", "entry", "posting", "entitlement", "payoutbatch", "payoutline",
    "returnfile", "returnrow", "discrepancy", "motion", "bankformat",
)  # fmt: skip


@pytest.fixture
def office(cast: Cast) -> Iterator[Office]:
    """The finance office; whatever is pressed, the books hold afterwards."""
    yield make_office(cast)
    assert [result for result in invariants.check_all() if not result.holds] == []


def browser(account: Account, *, fresh: bool = True) -> Client:
    """A browser in English, logged in with a second factor; `fresh`: a moment ago."""
    Authenticator.objects.get_or_create(
        user=account, type=Authenticator.Type.TOTP, defaults={"data": {"secret": "x"}}
    )
    client = Client(headers={"X-Forwarded-Proto": "https"})
    client.cookies["django_language"] = "en"
    client.force_login(account, backend="union_portal.backends.RoleBackend")
    if fresh:
        session = client.session
        session["account_authentication_methods_user"] = str(account.pk)
        session["account_authentication_methods"] = [
            {"method": "password", "at": time.time(), "reauthenticated": True}
        ]
        session.save()
    return client


def page(model: str, pk: Any) -> str:
    return reverse(f"admin:disbursement_{model}_change", args=[pk])


def step(model: str, pk: Any, name: str) -> str:
    return reverse(f"admin:disbursement_{model}_do", args=[pk, name])


def seen(answer: Any) -> str:
    found = re.search(r'name="seen" value="(\w*)"', answer.content.decode())
    assert found is not None, answer.content.decode()
    return found[1]


def press(client: Client, url: str, **data: Any) -> Any:
    """Open the confirm page as a person does, then confirm it."""
    opened = client.get(url)
    assert opened.status_code == 200
    return client.post(url, {"seen": seen(opened), **data})


def buttons(client: Client, batch: PayoutBatch) -> dict[str, bool]:
    """The buttons of the batch's page, and whether each is open."""
    answer = client.get(page("payoutbatch", batch.pk))
    assert answer.status_code == 200
    return {offer.button.name: offer.is_open for offer in answer.context["offers"]}


# -- who sees what ------------------------------------------------------------------------
def test_each_of_the_three_is_offered_their_own_step_alone(office):
    batch = office.sealed()
    maker = buttons(browser(office.cast.feng), batch)
    checker = buttons(browser(office.cast.feng_checker), batch)
    releaser = buttons(browser(office.cast.feng_releaser), batch)
    assert {"seal", "check", "release"} & maker.keys() == {"seal"}
    assert {"seal", "check", "release"} & checker.keys() == {"check"}
    assert {"seal", "check", "release"} & releaser.keys() == {"release"}
    assert checker["check"]
    assert not releaser["release"], "a checker looks at it first"


def test_the_auditor_reads_every_page_and_changes_nothing(office):
    batch = office.settled("paid", "failed")
    gao = browser(office.cast.gao)
    assert set(buttons(gao, batch)) == {"report-pdf", "report-xlsx", "vouchers"}
    for model in LISTS:
        listed = gao.get(reverse(f"admin:disbursement_{model}_changelist"))
        assert listed.status_code == 200, model
        assert listed.context["offers"] == [], model
    for name in ("seal", "check", "release", "reopen", "void", "close", "bank-file", "return"):
        assert gao.get(step("payoutbatch", batch.pk, name)).status_code == 403, name


@pytest.mark.parametrize("who", ["wei", "qiao", "shi", "account_admin"])
def test_nobody_outside_finance_sees_a_batch(office, who):
    batch = office.sealed()
    answer = browser(getattr(office.cast, who)).get(page("payoutbatch", batch.pk))
    assert answer.status_code in (302, 403, 404)
    assert batch.digest not in answer.content.decode()


def test_a_closed_button_says_why(office):
    batch = office.sealed()
    answer = browser(office.cast.feng_releaser).get(page("payoutbatch", batch.pk))
    assert "A checker looks at it first." in answer.content.decode()


# -- the three steps ------------------------------------------------------------------------
def test_from_assembly_to_release_through_the_pages(office):
    office.owe(3)
    feng, checker, releaser = (
        browser(office.cast.feng),
        browser(office.cast.feng_checker),
        browser(office.cast.feng_releaser),
    )
    chosen = {
        "fund": office.fund.pk,
        "scheme": SCHEME,
        "period": "2026",
        "organization": office.cast.tree.city.pk,
    }
    assemble = reverse("admin:disbursement_payoutbatch_assemble")
    assert feng.post(assemble, chosen).status_code == 302
    batch = PayoutBatch.objects.get()
    assert press(feng, step("payoutbatch", batch.pk, "seal")).status_code == 302
    check = step("payoutbatch", batch.pk, "check")
    shown = checker.get(check).content.decode()
    batch.refresh_from_db()
    for told in ("¥900.00", "人民币玖佰元整", batch.digest):
        assert told in shown
    for line in batch.lines.all():
        assert line.payee_name in shown and f"************{line.account_last_four}" in shown
        assert str(line.account_number) not in shown
    assert press(checker, check, looked="on").status_code == 302
    release = step("payoutbatch", batch.pk, "release")
    assert ">Release the money</h2>" in releaser.get(release).content.decode()
    assert press(releaser, release, looked="on").status_code == 302
    batch.refresh_from_db()
    assert batch.state == "approved"
    told = releaser.get(page("payoutbatch", batch.pk)).content.decode()
    assert "The batch is released" in told and "another releaser" not in told


@pytest.mark.parametrize("name", ["check", "release"])
def test_approving_asks_for_the_password_again(office, name):
    batch = office.sealed()
    if name == "release":
        batches.check(batch=batch, by=office.cast.feng_checker, digest=batch.digest)
    who = office.cast.feng_checker if name == "check" else office.cast.feng_releaser
    who.set_password("three-small-horses")
    who.save()
    answer = browser(who, fresh=False).get(step("payoutbatch", batch.pk, name))
    assert answer.status_code == 302
    assert answer.url.startswith(reverse("account_reauthenticate"))
    assert BatchApproval.objects.filter(account=who).count() == 0


def test_approving_without_having_looked_changes_nothing(office):
    batch = office.sealed()
    url = step("payoutbatch", batch.pk, "check")
    assert press(browser(office.cast.feng_checker), url).status_code == 422
    assert BatchApproval.objects.filter(batch=batch).count() == 1


def test_a_stale_form_is_explained_and_a_double_click_approves_once(office):
    batch = office.sealed()
    checker = browser(office.cast.feng_checker)
    url = step("payoutbatch", batch.pk, "check")
    old = seen(checker.get(url))
    office.release(batch)
    late = checker.post(url, {"seen": old, "looked": "on"})
    assert late.status_code == 409
    assert "Nothing was changed" in late.content.decode()
    assert BatchApproval.objects.filter(batch=batch, step="checker").count() == 1


def test_a_second_click_on_make_the_draft_makes_no_second_draft(office):
    office.owe(2)
    feng = browser(office.cast.feng)
    chosen = {
        "fund": office.fund.pk,
        "scheme": SCHEME,
        "period": "2026",
        "organization": office.cast.tree.city.pk,
    }
    url = reverse("admin:disbursement_payoutbatch_assemble")
    assert feng.post(url, chosen).status_code == 302
    again = feng.post(url, chosen)
    assert again.status_code == 422
    assert "Nobody is ready to be paid" in again.content.decode()
    assert PayoutBatch.objects.count() == 1


def test_more_than_a_file_takes_become_several_drafts_and_the_page_says_how_many(
    office, monkeypatch
):
    plain = formats.layout
    monkeypatch.setattr(formats, "layout", lambda row: replace(plain(row), max_rows=2))
    office.owe(5)
    feng = browser(office.cast.feng)
    chosen = {
        "fund": office.fund.pk,
        "scheme": SCHEME,
        "period": "2026",
        "organization": office.cast.tree.city.pk,
    }
    answer = feng.post(reverse("admin:disbursement_payoutbatch_assemble"), chosen, follow=True)
    drafts = PayoutBatch.objects.order_by("id")
    assert [draft.lines.count() for draft in drafts] == [2, 2, 1]
    told = f"3 drafts were made, as many as the bank's files take, from {drafts[0]} to {drafts[2]}"
    assert told in html.unescape(answer.content.decode())
    assert set(answer.context["cl"].queryset) == set(drafts)


def county_desk(office, *, owed: int):
    """A county with a fund of its own that owes so many people: its maker, and what they choose."""
    county = office.cast.tree.county
    fund = ledger.open_fund(
        code="county", name="County fund", year=2026, organization=county, schemes=[SCHEME],
        payer_name="榆阳区总工会", payer_account="99990000000000000002", by=office.cast.feng,
    )  # fmt: skip
    ledger.appropriate(
        fund=fund, amount_fen=100_000_00, by=office.cast.feng, reason="budget", key="county-2026"
    )
    rules = make_rule_set(office.cast, SCHEME, fund_code="county")
    for _number in range(owed):
        office.owe_one(make_payee(office.cast, office.cast.tree.union), rule_set=rules)
    chosen = {"fund": fund.pk, "scheme": SCHEME, "period": "2026", "organization": county.pk}
    return make_account("county_maker", role=Role.FINANCE_MAKER, at=county), chosen


def test_a_maker_of_a_county_leaves_out_whom_the_register_has_paid_already(office):
    """What is not shown of the federation's register would stop the whole draft."""
    maker, chosen = county_desk(office, owed=3)
    paid, *others = Entitlement.objects.filter(fund__code="county")
    StrayPayment.objects.create(
        e2e="x", claim_key=paid.claim_key, amount_fen=paid.amount_fen, batch_number="P20259999999"
    )
    StrayPayment.objects.create(e2e="y", claim_key="another's", amount_fen=1, batch_number="P")
    answer = browser(maker).post(reverse("admin:disbursement_payoutbatch_assemble"), chosen)
    assert answer.status_code == 302, answer.content.decode()
    (draft,) = PayoutBatch.objects.filter(fund__code="county")
    assert {line.entitlement for line in draft.lines.all()} == set(others)
    with serving(), readers.reading_as(maker.pk):
        assert [one.e2e for one in StrayPayment.objects.all()] == ["x"]


def test_a_maker_of_a_county_makes_several_drafts_while_others_have_sent(office, monkeypatch):
    """Each draft stands before its lines, so that the database lets it be filled.

    What others sent is not shown to the maker, and yet neither missing to the restore gate nor
    a number that is free.
    """
    plain = formats.layout
    monkeypatch.setattr(formats, "layout", lambda row: replace(plain(row), max_rows=2))
    office.owe(1, union=office.cast.tree.other_union)
    sent = office.release(batches.seal(batch=office.assemble(), by=office.cast.feng))
    claims.wake()
    maker, chosen = county_desk(office, owed=3)
    fund = Fund.objects.get(code="county")
    with playing("none"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval('disbursement_batch_number', %s, false)", [int(sent.number[5:])]
        )
    answer = browser(maker).post(reverse("admin:disbursement_payoutbatch_assemble"), chosen)
    assert answer.status_code == 302, answer.content.decode()
    drafts = PayoutBatch.objects.filter(fund=fund)
    assert sorted(draft.lines.count() for draft in drafts) == [1, 2]
    numbers = [int(draft.number[1:]) for draft in drafts.order_by("id")]
    assert numbers == [int(sent.number[1:]) + 1, int(sent.number[1:]) + 2]
    assert not gate.row().is_shut


def test_the_preview_counts_who_is_in_and_names_why_others_are_left_out(office):
    office.owe(2)
    office.owe_one(make_person(office.cast.tree.union))  # no account
    chosen = {
        "fund": office.fund.pk,
        "scheme": SCHEME,
        "period": "2026",
        "organization": office.cast.tree.city.pk,
    }
    url = reverse("admin:disbursement_payoutbatch_assemble")
    answer = browser(office.cast.feng).get(url, chosen)
    assert answer.context["in_count"] == 2
    assert answer.context["in_sum"] == "¥600.00"
    assert answer.context["left_count"] == 1
    assert "no bank account is known" in answer.content.decode()
    assert PayoutBatch.objects.count() == 0


def test_a_period_that_no_decision_names_is_refused_with_those_there_are(office):
    office.owe(1)
    chosen = {
        "fund": office.fund.pk,
        "scheme": SCHEME,
        "period": "99😀99😀",
        "organization": office.cast.tree.city.pk,
    }
    url = reverse("admin:disbursement_payoutbatch_assemble")
    feng = browser(office.cast.feng)
    shown = feng.get(url, chosen)
    assert "Known periods: 2026." in shown.content.decode()
    assert "has_preview" not in shown.context
    assert feng.post(url, chosen).status_code == 422
    assert not PayoutBatch.objects.exists()


def test_two_people_void_a_batch(office):
    batch = office.sealed()
    checker, releaser = browser(office.cast.feng_checker), browser(office.cast.feng_releaser)
    url = step("payoutbatch", batch.pk, "void")
    assert press(checker, url, reason="Wrong period").status_code == 302
    motion = Motion.objects.get()
    own = checker.get(page("motion", motion.pk)).context["offers"]
    assert not any(offer.is_open for offer in own), "nobody seconds their own motion"
    assert press(releaser, step("motion", motion.pk, "second")).status_code == 302
    batch.refresh_from_db()
    assert batch.state == "void"


# -- return files -------------------------------------------------------------------------
def test_a_refused_return_file_lists_every_fault_and_leaves_nothing(office):
    batch = office.delivered(3)
    rows = office.says(batch, "paid", "paid", "paid")
    content = write_return(office.layout(batch), batch.number, rows).decode("utf-8-sig")
    broken = content.replace("300.00", "30o.00", 2).encode("utf-8-sig")
    upload = SimpleUploadedFile("answer.csv", broken)
    url = step("payoutbatch", batch.pk, "return")
    answer = press(browser(office.cast.feng), url, content=upload)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "Nothing of this file was taken over." in text
    assert text.count("<li>") >= 2
    assert ReturnFile.objects.count() == 0


def test_the_form_for_a_return_file_names_the_encoding_that_is_read(office):
    batch = office.delivered(1)
    feng = browser(office.cast.feng)
    on_batch = feng.get(step("payoutbatch", batch.pk, "return")).content.decode()
    assert f"{batch.bank_format} – UTF-8." in html.unescape(on_batch)
    on_list = feng.get(reverse("admin:disbursement_returnfile_list_do", args=["import"]))
    assert "generic-gbk – GB18030 (GBK)" in html.unescape(on_list.content.decode())


def test_failed_payments_that_were_issued_again_are_not_offered_once_more(office):
    batch = office.settled("paid", "failed")
    feng = browser(office.cast.feng)
    assert not buttons(feng, batch)["reissue"]
    assert "have the account corrected" in feng.get(page("payoutbatch", batch.pk)).content.decode()
    office.correct_account(office.line(batch, 1).entitlement.person)
    assert buttons(feng, batch)["reissue"]
    made = batches.reissue(batch=batch, by=office.cast.feng, today=TODAY)
    assert not buttons(feng, batch)["reissue"]
    told = feng.get(page("payoutbatch", batch.pk)).content.decode()
    assert f"Its failed payments were issued again in {made.number}." in told
    motion = batches.void(batch=made, by=office.cast.feng_checker, reason="wrong account")
    motions.second(motion=motion, by=office.cast.feng_releaser)
    assert buttons(feng, batch)["reissue"], "a batch that was voided paid nobody"


def test_no_scheme_is_chosen_for_a_batch_beforehand(office):
    office.owe(1)
    url = reverse("admin:disbursement_payoutbatch_assemble")
    form = browser(office.cast.feng).get(url).context["form"]
    assert form["scheme"].value() is None
    assert form.fields["scheme"].choices[0][0] == ""


def test_a_return_file_is_imported_on_its_batch_and_again_changes_nothing(office):
    batch = office.delivered(2)
    content = write_return(office.layout(batch), batch.number, office.says(batch, "paid", "failed"))
    feng, url = browser(office.cast.feng), step("payoutbatch", batch.pk, "return")
    first = press(feng, url, content=SimpleUploadedFile("answer.csv", content))
    assert first.status_code == 302
    assert first.url == page("returnfile", ReturnFile.objects.get().pk)
    again = press(feng, url, content=SimpleUploadedFile("answer.csv", content))
    assert again.status_code == 422
    assert "imported" in again.content.decode()
    assert ReturnFile.objects.count() == 1


def test_a_discrepancy_is_settled_with_what_was_found_out(office):
    batch = office.delivered(1)
    wrong = office.says(batch, "paid")[0]
    office.answer(batch, type(wrong)(**{**vars(wrong), "amount_fen": 29_999}))
    found = Discrepancy.objects.get()
    url = step("discrepancy", found.pk, "resolve")
    feng = browser(office.cast.feng)
    assert press(feng, url, finding="x").status_code == 422
    assert press(feng, url, finding="The bank corrected it by phone").status_code == 302
    found.refresh_from_db()
    assert found.state == "resolved"


def test_the_bank_file_is_fetched_by_the_maker_alone_and_each_fetch_is_logged(office):
    batch = office.delivered(1)
    url = step("payoutbatch", batch.pk, "bank-file")
    got = press(browser(office.cast.feng), url, reason="The bank asked for it")
    assert got.status_code == 200
    assert got["Content-Disposition"] == f'attachment; filename="{batch.bank_file.name}"'
    assert AuditEntry.objects.filter(action="bankfile.fetch").count() == 1
    assert browser(office.cast.gao).get(url).status_code == 403


def test_a_report_is_asked_for_once_per_press_and_shown_on_the_batch(office):
    batch = office.sealed()
    answer = press(browser(office.cast.gao), step("payoutbatch", batch.pk, "report-pdf"))
    run = ReportRun.objects.get()
    assert answer.status_code == 302
    assert answer.url == reverse("portal:job", args=[run.job_id])


# -- lists ----------------------------------------------------------------------------------
def test_a_withdrawal_says_whether_a_second_person_is_needed(office):
    alone, ended = office.owe(2)
    feng = browser(office.cast.feng)
    press(feng, step("entitlement", alone.pk, "withdraw"), reason="moved away for good")
    assert "waits for a second person" in feng.get(page("entitlement", alone.pk)).content.decode()
    # As a withdrawal left it before it ended what is owed by itself.
    lifecycle.advance(ended.decision, to=DecisionState.WITHDRAWN, by=office.cast.decider)
    press(feng, step("entitlement", ended.pk, "withdraw"), reason="objection upheld")
    told = feng.get(page("entitlement", ended.pk)).content.decode()
    assert "It has ended, as its decision has" in told and "waits for a second" not in told


def test_an_entitlement_is_found_by_name_pinyin_and_exact_number(office):
    wanted = office.owe(2)[0]
    feng = browser(office.cast.feng)
    url = reverse("admin:disbursement_entitlement_changelist")
    person = wanted.person
    for typed in (
        person.name,
        person.pinyin.replace(" ", ""),
        str(person.national_id),
        str(wanted),
    ):
        found = list(feng.get(url, {"q": typed}).context["cl"].result_list)
        assert wanted in found, typed
    assert list(feng.get(url, {"q": "610802196001011234"}).context["cl"].result_list) == []


def test_entitlements_are_listed_by_the_state_of_their_payment(office):
    office.settled("paid", "failed")
    feng = browser(office.cast.feng)
    url = reverse("admin:disbursement_entitlement_changelist")
    for state, count in {"paid": 1, "failed": 1, "waits": 0, "under-way": 0}.items():
        rows = feng.get(url, {"payment": state}).context["cl"].result_list
        assert len(rows) == count, state


def test_no_page_shows_a_full_account_number(office):
    batch = office.settled("paid", "failed")
    whole = [str(account.number) for account in BankAccount.objects.all()]
    whole.append(Fund.objects.get().payer_account)
    feng = browser(office.cast.feng)
    urls = [reverse(f"admin:disbursement_{model}_changelist") for model in LISTS]
    urls += [page("payoutbatch", batch.pk), page("fund", office.fund.pk)]
    urls += [page("payoutline", line.pk) for line in batch.lines.all()]
    urls += [page("entitlement", owed.pk) for owed in Entitlement.objects.all()]
    urls += [page("returnfile", ReturnFile.objects.get().pk), reverse("admin:index")]
    for url in urls:
        text = feng.get(url).content.decode()
        assert not [number for number in whole if number in text], url


def test_an_export_of_payments_is_logged_and_not_for_auditors(office):
    office.settled("paid")
    feng = browser(office.cast.feng)
    for model in ("payoutline", "entitlement"):
        url = reverse(f"admin:disbursement_{model}_list_do", args=["export"])
        got = feng.post(url, {})
        assert got.status_code == 200
        content = b"".join(got.streaming_content)
        assert content[:2] == b"PK"
        assert AuditEntry.objects.filter(action=f"{model}.export").count() == 1
    assert browser(office.cast.gao).get(url).status_code == 403


@pytest.mark.parametrize("model", ["payoutbatch", "payoutline", "entitlement", "entry", "fund"])
def test_a_list_costs_the_same_queries_however_long(office, model, django_assert_max_num_queries):
    feng = browser(office.cast.feng)
    url = reverse(f"admin:disbursement_{model}_changelist")
    office.settled("paid", "failed")

    def queries() -> int:
        with django_assert_max_num_queries(40) as counted:
            assert feng.get(url).status_code == 200
        return len(counted)

    queries()  # whatever is read once and kept
    few = queries()
    office.settled("paid", "failed", "paid")
    office.sealed(4)
    assert queries() <= few


def test_a_batch_page_costs_the_same_queries_however_many_lines(
    office, django_assert_max_num_queries
):
    feng = browser(office.cast.feng)
    small, large = office.sealed(2), office.sealed(12)

    def queries(batch: PayoutBatch) -> int:
        with django_assert_max_num_queries(60) as counted:
            assert feng.get(page("payoutbatch", batch.pk)).status_code == 200
        return len(counted)

    queries(small)
    assert queries(large) <= queries(small)


# -- funds and formats --------------------------------------------------------------------
def test_a_funds_bar_shows_where_every_fen_stands(office):
    office.settled("paid", "failed")
    answer = browser(office.cast.feng).get(page("fund", office.fund.pk))
    drawn = {str(part.label): part.sum for part in answer.context["segments"]}
    assert drawn == {
        "spent": "¥300.00",
        "in transit": "¥0.00",
        "reserved": "¥300.00",
        "available": "¥99,400.00",
    }


def test_an_appropriation_is_booked_once_per_document(office):
    feng, url = browser(office.cast.feng), step("fund", office.fund.pk, "appropriate")
    data = {"amount_fen": "1,000.50", "key": "budget-7", "reason": "Second half"}
    assert press(feng, url, **data).status_code == 302
    assert press(feng, url, **data).status_code == 302
    assert office.figures()["appropriated_fen"] == 10_100_050


def test_a_bank_format_with_an_unknown_field_is_refused_by_name(office):
    known = BankFormat.objects.get(code="generic-utf8")
    url = step("bankformat", known.pk, "change")
    definition = '{"kind": "delimited", "columns": ["holder", "shoe_size"]}'
    feng = browser(office.cast.feng)
    answer = press(feng, url, name="Generic", definition=definition, is_active="on")
    assert answer.status_code == 422
    assert "shoe_size" in answer.content.decode()
    for broken in ("{", "[]", "[" * 5000):
        answer = press(feng, url, name="Generic", definition=broken, is_active="on")
        assert answer.status_code == 422, broken[:2]
    known.refresh_from_db()
    assert "shoe_size" not in known.definition.get("columns", [])


# -- the desk ---------------------------------------------------------------------------------
def waiting(account: Any) -> dict[str, int]:
    rows = browser(account).get(reverse("admin:index")).context["waiting"]
    return {str(row["title"]): row["count"] for row in rows}


def test_the_desk_shows_each_person_what_waits_for_them(office):
    batch = office.sealed()
    office.owe(2)
    assert waiting(office.cast.feng)["People who wait for their money"] == 2
    assert waiting(office.cast.feng_checker)["Batches to check"] == 1
    assert waiting(office.cast.feng_releaser)["Batches to release"] == 0
    batches.check(batch=batch, by=office.cast.feng_checker, digest=batch.digest)
    assert waiting(office.cast.feng_checker)["Batches to check"] == 0
    assert waiting(office.cast.feng_releaser)["Batches to release"] == 1
