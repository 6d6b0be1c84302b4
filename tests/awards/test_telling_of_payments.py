"""The member hears that the money arrived, failed or came back, and finds it in their lists."""

from collections.abc import Iterator

import pytest
from django.urls import reverse
from django.utils import timezone

from awards import tasks  # noqa: F401  (registers the jobs)
from awards.actions import telling
from awards.models import SubsidyCase
from tests.awards.roster import model_worker, rule_set
from tests.awards.test_applications import decide, reviewed
from tests.cast import Cast, make_bank_account, make_payee
from tests.disbursement.conftest import Office, make_office
from tests.web.awards_play import browser
from union_portal import notifications, queue
from union_portal.models import Job, Message
from welfare.disbursement import batches, claims, invariants, motions, unknowns
from welfare.disbursement.models import PayoutBatch

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(cast: Cast) -> Iterator[Office]:
    """The finance office, with Lin granted 3,000 yuan that may be paid at once."""
    office = make_office(cast)
    model_worker(cast, cast.lin_person)
    rule_set(cast, "special_hardship", notice_days=0)
    make_bank_account(cast.lin_person, entered_by=cast.qiao, confirmed_by=cast.shi)
    decide(cast, reviewed(cast))
    yield office
    assert [result for result in invariants.check_all() if not result.holds] == []


def sent(office: Office) -> PayoutBatch:
    made = office.assemble(scheme="special_hardship")
    batch = office.release(batches.seal(batch=made, by=office.cast.feng))
    claims.wake()
    batch.refresh_from_db()
    return batch


def answered(office: Office, *said: str) -> PayoutBatch:
    batch = sent(office)
    for number, word in enumerate(said):
        office.answer(batch, *office.says(batch, word, ref=f"R{number}"))
    return batch


def test_the_page_of_a_paid_case_says_so_and_no_longer_that_it_can_be_paid(office: Office):
    page = reverse("admin:awards_subsidycase_change", args=[SubsidyCase.objects.get().pk])
    gao = browser(office.cast.gao)
    facts = {str(fact.label): str(fact.value) for fact in gao.get(page).context["facts"]}
    assert facts["Decision"] == "clear"
    answered(office, "paid")
    facts = {str(fact.label): str(fact.value) for fact in gao.get(page).context["facts"]}
    assert facts["Decision"] == "carried out: the money was paid"


@pytest.mark.parametrize(
    ("said", "templates"),
    [
        (["paid"], ["payment_paid"]),
        (["failed"], ["payment_failed"]),
        (["unknown", "paid"], ["payment_paid"]),
        (["unknown"], []),
    ],
)
def test_the_member_is_told_what_the_bank_said(office: Office, said, templates):
    batch = answered(office, *said)
    queue.run_waiting()
    told = list(Message.objects.filter(template__startswith="payment_"))
    assert [message.template for message in told] == templates
    for message in told:
        case, line = SubsidyCase.objects.get(), office.line(batch)
        assert message.recipient == office.cast.lin_person.pk
        assert (message.channel, message.subject_id) == ("sms", str(case.pk))
        assert message.values == {
            "amount": "3,000.00",
            "four": line.account_last_four,
            "number": case.number,
        }
        text = notifications.text_of(message)
        assert "3,000.00" in text and line.account_last_four in text


def test_money_that_came_back_is_told_of_after_it_was_told_to_be_there(office: Office):
    batch = answered(office, "paid")
    queue.run_waiting()
    office.answer(batch, *office.says(batch, "returned", ref="T"), name="late.csv")
    queue.run_waiting()
    told = Message.objects.filter(template__startswith="payment_").order_by("pk")
    assert [message.template for message in told] == ["payment_paid", "payment_returned"]


def test_a_certificate_of_the_bank_is_told_of_too(office: Office):
    batch = answered(office, "unknown")
    motion = unknowns.certify(
        line=office.line(batch), result="paid", bank_ref="C1", by=office.cast.feng, reason="paper"
    )
    motions.second(motion=motion, by=office.cast.feng_checker)
    queue.run_waiting()
    assert Message.objects.filter(template="payment_paid").count() == 1
    assert "paid on" in browser(office.cast.lin).get("/me/subsidies/").content.decode()


def test_asking_again_tells_nobody_twice(office: Office):
    batch = answered(office, "paid")
    assert (telling.tell_payments(batch.pk), telling.tell_payments(batch.pk)) == (1, 0)


def test_who_settles_asks_a_worker_once_a_file(office: Office):
    """What is done line by line is no part of the settlement."""
    batch = answered(office, "paid")
    job = Job.objects.get(name="awards.tell_payments")
    assert job.arguments == {"batch_id": batch.pk}
    assert not Message.objects.filter(template__startswith="payment_").exists()


def test_many_are_told_by_as_many_statements_as_one(office: Office, django_assert_num_queries):
    for number in range(1, 6):
        person = make_payee(office.cast)
        office.owe_one(person, subject_type=telling.SUBJECT_TYPE, subject_id=number)
    batch = office.release(batches.seal(batch=office.assemble(), by=office.cast.feng))
    claims.wake()
    batch.refresh_from_db()
    office.answer(batch, *office.says(batch, "paid", "failed", "paid", "paid", "failed"))
    with django_assert_num_queries(3):
        assert telling.tell_payments(batch.pk) == 5


def test_the_members_lists_tell_the_day_of_the_payment(office: Office):
    lin = browser(office.cast.lin)
    assert "paid on" not in lin.get("/me/subsidies/").content.decode()
    answered(office, "paid")
    day = timezone.localdate().isoformat()
    for page in ("/me/", "/me/subsidies/"):
        told = lin.get(page).content.decode()
        assert f"paid on {day}" in told, page
        assert ">granted<" not in told, page


@pytest.mark.parametrize("who", ["lin", "qiao", "shi", "officer", "gao"])
@pytest.mark.parametrize("said", ["paid", "failed"])
def test_the_page_of_the_case_tells_what_the_bank_said(office: Office, who, said):
    answered(office, said)
    case = SubsidyCase.objects.get()
    own, staff = f"/me/subsidies/{case.pk}/", f"/admin/awards/subsidycase/{case.pk}/change/"
    page = browser(getattr(office.cast, who)).get(own if who == "lin" else staff)
    assert f"The bank says: {said}" in page.content.decode()
