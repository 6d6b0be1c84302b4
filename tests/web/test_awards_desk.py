"""The staff pages of honours and subsidies: who sees which button, and the whole way of a case."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from awards.actions import applications, subsidies
from awards.models import Honour, SubsidyCase, SubsidyRound
from awards.states import CaseState, CheckState, HonourState, RoundState
from tests.awards.roster import model_worker, rule_set
from tests.awards.test_subsidies import open_fund
from tests.cast import Cast, make_account
from tests.web.awards_play import apply, browser, lin_may_apply, lins_case, photo
from union_portal.access import Role
from union_portal.models import Account, Appeal, Decision, Notice, RuleSet, StoredFile

LISTS = [
    "awards_honourtitle",
    "awards_honour",
    "awards_modelworker",
    "awards_yearlyverification",
    "awards_subsidyround",
    "awards_countycheck",
    "awards_subsidycase",
    "union_portal_appeal",
    "union_portal_ruleset",
]


def change(row) -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


def do(row, name: str) -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_do", args=[row.pk, name])


def press(client, row, name: str, **fields):
    """Open the confirm page, then send it as a browser would."""
    url = do(row, name)
    page = client.get(url)
    assert page.status_code == 200, page.status_code
    return client.post(url, {"seen": page.context["seen"], **fields})


def buttons(client, row) -> dict[str, bool]:
    return {o.button.name: o.is_open for o in client.get(change(row)).context["offers"]}


def propose(cast: Cast) -> SubsidyRound:
    year = timezone.localdate().year
    rule_set(cast, "festival_gift")
    open_fund(cast)
    for union in (cast.tree.union, cast.tree.union, cast.tree.other_union):
        model_worker(cast, union=union, year=year)
    model_worker(cast, is_revoked=True, year=year)
    return subsidies.propose(
        scheme="festival_gift", period=str(year), by=cast.officer, today=timezone.localdate()
    )


def test_an_application_goes_by_pages_from_the_member_to_the_city(cast: Cast):
    lin_may_apply(cast)
    lin = browser(cast.lin)
    apply(lin, documents=[photo("bill.jpg")])
    case = lins_case(cast)
    qiao, shi, decider = browser(cast.qiao), browser(cast.shi), browser(cast.decider)
    assert buttons(qiao, case) == {"visit": True, "return-submitted": True}
    assert buttons(shi, case) == {"review": False, "return-visited": False}

    press(qiao, case, "return-submitted", message="Send the discharge summary.")
    url = f"/me/subsidies/{case.pk}/complete/"
    form = lin.get(url).context["form"]
    fields = {name: form[name].value() for name in form.fields if name != "documents"}
    lin.post(url, {**fields, "is_serious": "on", "answer": "Here.", "documents": [photo()]})

    visited = press(
        qiao,
        case,
        "visit",
        visited_on=timezone.localdate().isoformat(),
        visitors="Qiao, Wang",
        findings="Bills seen, the spouse is bedridden.",
        is_confirmed="yes",
        photos=[photo("home.jpg"), photo("bills.jpg")],
        signature=photo("sheet.jpg"),
    )
    assert visited.status_code == 302
    assert StoredFile.objects.filter(purpose="visit_photo").count() == 2
    below = press(shi, case, "review", opinion="Checked against the bills.", recommended_fen="-5")
    assert below.status_code == 422 and "X7" in below.content.decode()
    press(shi, case, "review", opinion="Checked against the bills.", recommended_fen="3500")
    assert buttons(decider, case) == {"decide": True, "refuse": True, "return-reviewed": True}
    shown = decider.get(do(case, "decide")).content.decode()
    for seen in (cast.lin_person.name, "bedridden", "bill.jpg", "Checked against the bills."):
        assert seen in shown
    outside = press(decider, case, "decide", amount_fen="8000", reason="Heavy.")
    assert outside.status_code == 422
    assert set(outside.context["form"].errors) == {"amount_fen", "reason"}, "all faults at once"
    assert "X7: the rules allow 1,000.00 to 5,000.00 yuan." in outside.content.decode()
    partly = press(decider, case, "decide", amount_fen="3500.005", reason="Heavy.")
    assert "at most two decimals" in str(partly.context["form"].errors["amount_fen"])
    assert "sheet" not in str(partly.context["form"].errors["amount_fen"])
    press(decider, case, "decide", amount_fen="3500", reason="Heavy, lasting illness.")
    case.refresh_from_db()
    assert (case.state, case.amount_fen) == (CaseState.GRANTED, 350_000)
    member_page = lin.get(f"/me/subsidies/{case.pk}/").content.decode()
    assert "¥3,500.00" in member_page and "Heavy, lasting illness." in member_page
    assert "Next, it goes on public notice." in member_page
    staff_page = shi.get(change(case)).content.decode()
    for seen in ("bedridden", "home.jpg", "bill.jpg", "Checked against the bills.", "31,000.50"):
        assert seen in staff_page


def test_the_clause_of_a_refusal_is_chosen_and_told_in_words(cast: Cast):
    lin_may_apply(cast)
    lin = browser(cast.lin)
    apply(lin)
    case = lins_case(cast)
    today = timezone.localdate()
    applications.visit(
        case=case, visited_on=today, visitors="Qiao", findings="Nobody is ill.",
        is_confirmed=False, by=cast.qiao, today=today,
    )  # fmt: skip
    applications.review(
        case=case, opinion="Nobody is ill.", recommended_fen=None, by=cast.shi, today=today
    )
    decider = browser(cast.decider)
    form = decider.get(do(case, "refuse")).context["form"]
    assert form["clause"].value() is None
    none, *clauses = form.fields["clause"].choices
    assert none[0] == ""
    assert ("X6(b)", "X6(b) lay-off, lost work capacity, or schooling within China") in clauses
    assert press(decider, case, "refuse", clause="", reason="Nobody is ill.").status_code == 422
    press(decider, case, "refuse", clause="X6(a)", reason="Nobody is ill.")
    told = lin.get(f"/me/subsidies/{case.pk}/").content.decode()
    assert "Refused under clause X6(a): a major or chronic illness in the family" in told


def test_no_scheme_of_a_round_is_chosen_beforehand(cast: Cast):
    page = browser(cast.officer).get(reverse("admin:awards_subsidyround_list_do", args=["propose"]))
    assert page.context["form"]["scheme"].value() is None
    assert page.context["form"].fields["scheme"].choices[0][0] == ""


def test_a_faulty_photo_of_a_visit_is_named_and_nothing_is_written(cast: Cast):
    lin_may_apply(cast)
    apply(browser(cast.lin))
    case = lins_case(cast)
    answer = press(
        browser(cast.qiao),
        case,
        "visit",
        visited_on=timezone.localdate().isoformat(),
        visitors="Qiao",
        findings="Bills were seen.",
        is_confirmed="yes",
        photos=[SimpleUploadedFile("home.exe", b"MZ")],
    )
    assert answer.status_code == 422 and "home.exe" in answer.content.decode()
    case.refresh_from_db()
    assert case.state == CaseState.SUBMITTED and not case.visits.exists()


def test_whoever_pays_does_not_read_of_illness(cast: Cast):
    lin_may_apply(cast)
    apply(browser(cast.lin))
    case = lins_case(cast)
    assert "Stroke" in browser(cast.qiao).get(change(case)).content.decode()
    page = browser(cast.feng).get(change(case)).content.decode()
    assert "Stroke" not in page and "31,000.50" not in page


def test_staff_of_another_county_do_not_find_the_case(cast: Cast):
    lin_may_apply(cast)
    apply(browser(cast.lin))
    other = make_account("other", role=Role.COUNTY_CHECKER, at=cast.tree.other_county)
    foreign = browser(other)
    case = lins_case(cast)
    assert foreign.get(change(case)).status_code == 404
    assert foreign.get(do(case, "review")).status_code == 404
    listed = foreign.get(reverse("admin:awards_subsidycase_changelist"))
    assert case.number not in listed.content.decode()


def test_a_round_is_previewed_before_it_is_proposed(cast: Cast):
    year = timezone.localdate().year
    rule_set(cast, "festival_gift")
    model_worker(cast, year=year)
    model_worker(cast, is_revoked=True, year=year)
    officer = browser(cast.officer)
    url = reverse("admin:awards_subsidyround_list_do", args=["propose"])
    asked = {"scheme": "festival_gift", "period": str(year)}
    page = officer.get(url, asked)
    assert (page.context["found"].entitled, page.context["found"].refused) == (1, 1)
    assert [(one.clause, one.count) for one in page.context["refusals"]] == [("X3", 1)]
    assert "<svg" in page.content.decode() and not SubsidyRound.objects.exists()
    assert officer.post(url, asked).status_code == 302
    assert SubsidyRound.objects.get().entitled_count == 1
    assert officer.post(url, asked).status_code == 422
    assert browser(cast.shi).get(url).status_code == 403


def test_without_rules_the_preview_says_what_is_missing(cast: Cast):
    url = reverse("admin:awards_subsidyround_list_do", args=["propose"])
    page = browser(cast.officer).get(url, {"scheme": "festival_gift", "period": "2026"})
    assert page.status_code == 422 and "No rule set" in page.content.decode()


def check_part(client, check, **fields):
    url = do(check, "check")
    seen = client.get(url).context["seen"]
    return client.post(url, {"seen": seen, **fields})


def test_a_county_leaves_people_out_with_a_reason_and_a_search_keeps_it(cast: Cast):
    round_ = propose(cast)
    check = round_.checks.get(county=cast.tree.county)
    shi = browser(cast.shi)
    first, second = round_.cases.filter(county=cast.tree.county, state="proposed")
    found = check_part(shi, check, q=second.person.name, **{f"reason-{first.pk}": "moved away"})
    kept = {row["case"].pk: row["reason"] for row in found.context["rows"]}
    assert kept[first.pk] == "moved away" and second.pk in kept
    check_part(shi, check, confirm="1", note="done", **{f"reason-{first.pk}": "moved away"})
    first.refresh_from_db()
    check.refresh_from_db()
    assert first.state == CaseState.EXCLUDED
    assert first.steps[-1]["values"] == {"reason": "moved away"}
    assert (check.confirmed_count, check.excluded_count) == (1, 1)
    late = shi.post(do(check, "check"), {"seen": "old", "confirm": "1"})
    assert late.status_code == 409
    foreign = round_.checks.get(county=cast.tree.other_county)
    assert shi.get(do(foreign, "check")).status_code == 404


def test_a_county_confirms_only_freshly_logged_in_and_loses_nothing_it_typed(cast: Cast):
    round_ = propose(cast)
    check = round_.checks.get(county=cast.tree.county)
    url = do(check, "check")
    seen = browser(cast.shi).get(url).context["seen"]
    late = browser(cast.shi, fresh=False)
    assert late.get(url).url.startswith(reverse("account_reauthenticate"))
    case = round_.cases.filter(county=cast.tree.county, state="proposed").first()
    typed = {"seen": seen, "confirm": "1", f"reason-{case.pk}": "moved away"}
    answer = late.post(url, typed)
    assert "too old" in answer.content.decode()
    assert "moved away" in answer.content.decode()
    check.refresh_from_db()
    assert check.state == CheckState.OPEN
    assert browser(cast.shi).post(url, typed).status_code == 302


def checked(cast: Cast) -> SubsidyRound:
    round_ = propose(cast)
    for check in round_.checks.all():
        by: Account = cast.shi
        if check.county != cast.tree.county:
            by = make_account("checker2", role=Role.COUNTY_CHECKER, at=check.county)
        subsidies.check_county(round=round_, county=check.county, by=by)
    return round_


def test_a_checked_round_is_decided_and_its_notice_drafted(cast: Cast):
    round_ = checked(cast)
    decider, officer = browser(cast.decider), browser(cast.officer)
    assert buttons(decider, round_) == {"decide": True}
    page = decider.get(change(round_)).content.decode()
    assert "<svg" in page and str(cast.tree.other_county) in page
    press(decider, round_, "decide")
    round_.refresh_from_db()
    assert round_.state == RoundState.DECIDED
    answer = press(
        officer, round_, "announce", title="List", place="Hall", contact="Office", text=""
    )
    notice = Notice.objects.get()
    assert answer["Location"] == change(notice) and notice.entries.count() == 3
    assert buttons(officer, round_)["announce"] is False


def test_deciding_asks_for_the_password_again(cast: Cast):
    round_ = checked(cast)
    answer = browser(cast.decider, fresh=False).get(do(round_, "decide"))
    assert answer.status_code == 302 and "reauthenticate" in answer["Location"]


def test_a_proposed_round_can_be_given_up(cast: Cast):
    round_ = propose(cast)
    press(browser(cast.officer), round_, "cancel", reason="wrong year")
    round_.refresh_from_db()
    assert round_.state == RoundState.CANCELLED


def test_an_honour_is_revoked_with_a_reason(cast: Cast):
    worker = model_worker(cast)
    honour = Honour.objects.get(person=worker.person)
    officer = browser(cast.officer)
    day = timezone.localdate().isoformat()
    assert press(officer, honour, "revoke", reason="", revoked_on=day).status_code == 422
    assert press(officer, honour, "revoke", reason="Order 7", revoked_on=day).status_code == 200
    honour.refresh_from_db()
    assert (honour.state, honour.revoked_reason) == (HonourState.REVOKED, "Order 7")
    assert browser(cast.qiao).get(do(honour, "revoke")).status_code == 403


def test_the_roll_is_searched_by_name_pinyin_and_whole_number_and_filtered(cast: Cast):
    year = timezone.localdate().year
    worker = model_worker(cast, year=year)
    open_one = model_worker(cast, verified=None)
    qiao = browser(cast.qiao)
    url = reverse("admin:awards_modelworker_changelist")

    def found(**asked: str) -> set[int]:
        return {one.pk for one in qiao.get(url, asked).context["cl"].queryset}

    person = worker.person
    for text in (person.name, person.pinyin, str(person.national_id)):
        assert worker.pk in found(q=text)
    assert found(q=str(person.national_id)) == {worker.pk}
    assert found(q=str(person.national_id)[:17]) == set()
    assert found(verified="yes") == {worker.pk} and found(verified="no") == {open_one.pk}


def test_a_model_worker_is_verified_found_in_hardship_and_dead(cast: Cast):
    year = timezone.localdate().year
    worker = model_worker(cast, verified=None)
    qiao = browser(cast.qiao)
    silent = press(qiao, worker, "verify", year=year, evidence="visit")
    assert silent.status_code == 422
    press(
        qiao, worker, "verify", year=year, evidence="visit", is_alive="yes", honour_retained="yes"
    )
    assert worker.verifications.get().is_alive
    press(qiao, worker, "hardship", year=year, evidence="file 12")
    assert worker.hardship_years.get().year == year
    press(qiao, worker, "death", died_on=timezone.localdate().isoformat(), reason="certificate")
    worker.person.refresh_from_db()
    assert worker.person.died_on is not None
    assert buttons(qiao, worker)["death"] is False


def test_a_rule_set_is_changed_by_a_successor_that_another_adopts(cast: Cast):
    rules = rule_set(cast, "festival_gift")
    clerk, decider = browser(cast.rules_clerk), browser(cast.decider)
    form = clerk.get(do(rules, "succeed")).context["form"]
    fields = {name: form[name].value() for name in form.fields}
    fields = {name: value for name, value in fields.items() if value not in (None, False)}
    fields |= {"gift_fen": "350", "valid_from": "2027-01-01", "valid_to": "2027-12-31"}
    wrong = press(clerk, rules, "succeed", **{**fields, "gift_fen": "0"})
    assert wrong.status_code == 422
    assert press(clerk, rules, "succeed", **fields).status_code == 302
    made = RuleSet.objects.get(version=2)
    assert made.parameters["gift_fen"] == 35_000 and made.replaces == rules
    assert made.parameters["hardship_standard_fen"] == rules.parameters["hardship_standard_fen"]
    assert press(decider, made, "adopt").status_code == 302
    made.refresh_from_db()
    assert made.adopted_by == cast.decider
    assert buttons(clerk, made) == {"edit": False, "succeed": True}


def test_an_appeal_is_taken_and_upheld_by_another_than_the_decider(cast: Cast):
    round_ = checked(cast)
    case = round_.cases.filter(state="confirmed").first()
    assert case is not None
    shut = round_.cases.filter(state="ineligible").get()
    subsidies.decide_round(round=round_, by=cast.decider, today=timezone.localdate())
    appeal = Appeal.objects.create(
        decision=Decision.objects.get(subject_id=shut.pk),
        appellant=cast.lin,
        text="I hold the title.",
    )
    reviewer = browser(cast.reviewer)
    assert buttons(reviewer, appeal) == {"take": True, "uphold": False, "dismiss": False}
    press(reviewer, appeal, "take")
    refused = press(reviewer, appeal, "uphold", answer="The rules say no.")
    assert refused.status_code == 422 and "X3" in refused.content.decode()
    press(reviewer, appeal, "dismiss", answer="The honour was revoked in 2020.")
    appeal.refresh_from_db()
    assert appeal.state == "dismissed"
    assert buttons(browser(cast.gao), appeal) == {}


@pytest.mark.parametrize("who", ["qiao", "shi", "decider", "reviewer", "officer", "rules_clerk"])
def test_the_desk_tells_each_role_what_waits(cast: Cast, who: str):
    lin_may_apply(cast)
    apply(browser(cast.lin))
    page = browser(getattr(cast, who)).get("/admin/")
    waiting = {str(row["title"]): row["count"] for row in page.context["waiting"]}
    if who == "qiao":
        assert waiting["Home visits to make"] == 1
    if who == "shi":
        assert waiting["Applications for the county to review"] == 0
    if who == "decider":
        assert {"Applications to decide", "Rounds to decide", "Rule sets to adopt"} <= set(waiting)
    if who == "reviewer":
        assert waiting["Appeals to review"] == 0


@pytest.mark.parametrize("name", LISTS)
def test_the_auditor_reads_every_list_and_changes_nothing(cast: Cast, name: str):
    propose(cast)
    page = browser(cast.gao).get(reverse(f"admin:{name}_changelist"))
    assert page.status_code == 200 and page.context["offers"] == []
    assert browser(cast.wei).get(reverse(f"admin:{name}_changelist")).status_code in (302, 403)


def test_lists_and_pages_ask_few_questions_of_the_database(
    cast: Cast, django_assert_max_num_queries
):
    round_ = propose(cast)
    case = SubsidyCase.objects.filter(county=cast.tree.county).first()
    assert case is not None
    officer, shi = browser(cast.officer), browser(cast.shi)
    for name in ("awards_subsidycase", "awards_modelworker", "awards_honour"):
        with django_assert_max_num_queries(22):
            officer.get(reverse(f"admin:{name}_changelist"))
    with django_assert_max_num_queries(30):
        officer.get(change(round_))
    with django_assert_max_num_queries(30):
        shi.get(change(case))
    with django_assert_max_num_queries(25):
        shi.get(do(round_.checks.get(county=cast.tree.county), "check"))
