"""The member's pages: apply, complete, take back, appeal, and nobody else's case."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from awards.actions import applications
from awards.models import SubsidyCase
from awards.states import CaseState
from tests.awards.roster import model_worker
from tests.cast import Cast, make_account, make_person
from tests.web.awards_play import apply, browser, faulty, lin_may_apply, lins_case, photo
from union_portal.models import Appeal, StoredFile

CASE_PAGES = ["", "complete/", "take-back/", "appeal/", "appeal/1/take-back/"]


def test_a_member_applies_with_photos_and_sees_the_case_at_once(cast: Cast):
    lin_may_apply(cast)
    lin = browser(cast.lin)
    answer = apply(lin, documents=[photo("a.jpg"), photo("b.jpg")])
    case = lins_case(cast)
    assert answer.status_code == 302 and answer["Location"] == f"/me/subsidies/{case.pk}/"
    assert (case.state, case.asked_fen, case.ground) == (CaseState.SUBMITTED, 400_000, "illness")
    assert StoredFile.objects.filter(subject_id=str(case.pk)).count() == 2
    page = lin.get(answer["Location"]).content.decode()
    assert case.number in page and "visits you at home" in page
    assert "31,000.50" in page and "a.jpg" in page


def test_a_faulty_form_names_each_field_and_loses_nothing(cast: Cast):
    lin_may_apply(cast)
    lin = browser(cast.lin)
    bad = SimpleUploadedFile("virus.jpg", b"MZ not a photo", "image/jpeg")
    answer = apply(lin, costs="12,0x", text="short", documents=[photo("good.jpg"), bad])
    page = answer.content.decode()
    assert answer.status_code == 422 and not SubsidyCase.objects.exists()
    assert "virus.jpg" in page and "at least ten characters" in page
    assert set(answer.context["form"].errors) == {"costs", "text", "documents"}
    assert 'value="31000.50"' in page and "good.jpg" in page
    again = apply(lin)
    assert again.status_code == 302
    assert [file.name for file in StoredFile.objects.filter(purpose="subsidy_document")] == [
        "good.jpg"
    ]


def test_a_kept_file_can_be_left_out(cast: Cast):
    lin_may_apply(cast)
    lin = browser(cast.lin)
    page = apply(lin, text="short", documents=[photo("wrong.jpg")])
    token = page.context["kept"][0].token
    assert apply(lin, drop=token).status_code == 302
    assert not StoredFile.objects.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"%PDF-1.7\n broken", "PDF"),
        (b"\xff\xd8\xff cut", "content is JPG"),
    ],
)
def test_a_broken_file_is_named_with_the_remedy(cast: Cast, content: bytes, says: str):
    lin_may_apply(cast)
    answer = apply(browser(cast.lin), documents=[SimpleUploadedFile("x.pdf", content)])
    assert answer.status_code == 422
    (fault,) = answer.context["form"].errors["documents"]
    assert fault.startswith("“x.pdf”:") and says in fault


def test_a_file_that_is_too_large_is_refused_before_it_is_read(cast: Cast, settings):
    settings.UPLOAD_MAX_BYTES = 1024 * 1024
    lin_may_apply(cast)
    large = SimpleUploadedFile("long.pdf", b"%PDF-1.7" + b"0" * (1024 * 1024))
    answer = apply(browser(cast.lin), documents=[large])
    assert answer.status_code == 422
    assert "larger than 1 MB" in answer.content.decode()


def test_a_refusing_clause_is_told_on_the_form(cast: Cast):
    lin_may_apply(cast)
    answer = apply(browser(cast.lin), costs="43001", basic="31000", worker_aid="12000")
    assert answer.status_code == 422
    assert "X6(a)" in answer.content.decode()


def test_a_second_application_of_the_year_is_refused(cast: Cast):
    lin_may_apply(cast)
    lin = browser(cast.lin)
    apply(lin)
    answer = apply(lin)
    assert answer.status_code == 422 and "X7" in answer.content.decode()
    assert SubsidyCase.objects.count() == 1


def test_who_has_applied_this_year_is_led_to_the_application_instead_of_a_form(cast: Cast):
    lin_may_apply(cast)
    lin = browser(cast.lin)
    apply(lin)
    for page in ("/me/subsidies/apply/", "/me/subsidies/apply/?ground=illness"):
        shown = lin.get(page).content.decode()
        assert f"/me/subsidies/{lins_case(cast).pk}/" in shown
        assert "<textarea" not in shown and 'class="tile"' not in shown


@pytest.mark.parametrize("page", CASE_PAGES)
def test_another_members_case_does_not_exist(cast: Cast, page: str):
    lin_may_apply(cast)
    apply(browser(cast.lin))
    other = make_person(cast.tree.union, account=make_account("zhao"))
    model_worker(cast, other)
    case = lins_case(cast)
    foreign = browser(other.account)
    for method in (foreign.get, foreign.post):
        answer = method(f"/me/subsidies/{case.pk}/{page}")
        missing = method(f"/me/subsidies/999999/{page}")
        read_only = method == foreign.post and page == ""
        assert answer.status_code == missing.status_code == (405 if read_only else 404)


@pytest.mark.parametrize("who", ["qiao", "gao", "wei"])
def test_whoever_is_no_member_has_no_subsidies(cast: Cast, who: str):
    assert browser(getattr(cast, who)).get("/me/subsidies/").status_code == 403


def test_without_rules_in_force_nobody_can_apply(cast: Cast):
    answer = browser(cast.lin).get("/me/subsidies/apply/?ground=illness")
    assert "No rules of this subsidy are in force" in answer.content.decode()


def test_a_member_completes_what_was_returned_and_it_goes_back_to_the_step(cast: Cast):
    lin_may_apply(cast)
    lin = browser(cast.lin)
    apply(lin)
    case = lins_case(cast)
    applications.return_(case=case, message="The discharge summary is missing.", by=cast.qiao)
    assert "discharge summary" in lin.get(f"/me/subsidies/{case.pk}/").content.decode()
    url = f"/me/subsidies/{case.pk}/complete/"
    shown = lin.get(url).context["form"]
    assert shown["costs"].value() == "86000.00" and shown["patient"].value() == "spouse"
    fields = {name: shown[name].value() for name in shown.fields if name != "documents"}
    fields |= {"answer": "", "is_serious": "on"}
    assert lin.post(url, fields).status_code == 422
    done = lin.post(url, {**fields, "answer": "Here it is.", "documents": [photo()]})
    case.refresh_from_db()
    assert done.status_code == 302 and case.state == CaseState.SUBMITTED
    assert case.returns.get().answer == "Here it is."
    late = lin.post(url, {**fields, "answer": "Once more"}, follow=True)
    assert "not possible any more" in late.content.decode()


def test_a_member_takes_an_application_back(cast: Cast):
    lin_may_apply(cast)
    lin = browser(cast.lin)
    apply(lin)
    case = lins_case(cast)
    assert lin.get(f"/me/subsidies/{case.pk}/take-back/").status_code == 200
    lin.post(f"/me/subsidies/{case.pk}/take-back/")
    case.refresh_from_db()
    assert case.state == CaseState.TAKEN_BACK
    assert lin.post(f"/me/subsidies/{case.pk}/take-back/").status_code == 302


def refused_case(cast: Cast) -> SubsidyCase:
    case = lins_case(cast)
    today = timezone.localdate()
    applications.visit(
        case=case,
        visited_on=today,
        visitors="Qiao",
        findings="As stated.",
        is_confirmed=True,
        by=cast.qiao,
        today=today,
    )
    applications.review(
        case=case, opinion="Agreed in all.", recommended_fen=300_000, by=cast.shi, today=today
    )
    applications.refuse(
        case=case, clause="X6", reason="No bill was shown.", by=cast.decider, today=today
    )
    return case


def test_a_member_appeals_against_a_refusal_once_and_may_take_it_back(cast: Cast):
    lin_may_apply(cast)
    lin = browser(cast.lin)
    apply(lin)
    case = refused_case(cast)
    page = lin.get(f"/me/subsidies/{case.pk}/").content.decode()
    assert "No bill was shown." in page and "you can appeal until" in page
    assert str(cast.decider) not in page and str(cast.qiao) not in page
    url = f"/me/subsidies/{case.pk}/appeal/"
    assert faulty(lin.post(url, {"text": "no", "asked": "-5"})) == {"text", "asked"}
    answer = lin.post(url, {"text": "The bills were sent in March.", "asked": "3000"})
    appeal = Appeal.objects.get()
    assert answer.status_code == 302 and appeal.asked_fen == 300_000
    assert "not possible any more" in lin.get(url, follow=True).content.decode()
    lin.post(f"/me/subsidies/{case.pk}/appeal/{appeal.pk}/take-back/")
    appeal.refresh_from_db()
    assert appeal.state == "taken_back"


def test_the_case_page_asks_few_questions_of_the_database(
    cast: Cast, django_assert_max_num_queries
):
    lin_may_apply(cast)
    lin = browser(cast.lin)
    apply(lin)
    case = refused_case(cast)
    with django_assert_max_num_queries(45):
        lin.get(f"/me/subsidies/{case.pk}/")
    with django_assert_max_num_queries(14):
        lin.get("/me/subsidies/")
