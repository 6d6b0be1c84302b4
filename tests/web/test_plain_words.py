"""Pages speak plainly: one Chinese word for one thing, no code where people expect a name."""

import re
from datetime import date, datetime
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.password_validation import password_validators_help_texts
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from awards.admin.honours import TitleForm
from awards.admin.rule_sets import RulesForm
from tests.architecture import catalogue
from tests.cast import Cast, make_account, make_decision, make_rule_set
from tests.web.awards_play import apply, browser, lin_may_apply, lins_case
from tests.web.log_in import PASSWORD, may_log_in
from tests.web.scene import play, telling
from union_portal import audit, notifications, withdrawals
from union_portal.access import Role
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.kit.names import read_name
from union_portal.kit.refusals import Refused
from union_portal.models import Account, AuditEntry, Channel, Message, Notice, NoticeEntry

pytestmark = pytest.mark.django_db
# Other words for what is called 双重验证, 通行密钥, 恢复码, 账号 and 验证码 everywhere.
STRANGE = re.compile(
    "双因素|第二因素|两步验证|多因素|安全密钥|恢复代码|帐户|错误代码|认证器代码|可选项：|该变量"
    "|输入一个有效|选择一个有效|这个字段|Passkey|passkey|WebAuthn|TOTP"
)
TAGS = re.compile(r"<(script|style).*?</\1>|<[^>]+>", re.DOTALL)
# A name that only programs use: app.model, file_purpose, kind:number.
FILE_NAME = re.compile(r"[\w-]+\.(?:csv|xlsx|pdf|jpg|json)")
CODE = re.compile(r"\b[a-z]+(?:[._][a-z]+)+\b|\b[a-z]+:\d+\b")


def in_chinese(client: Client) -> Client:
    client.cookies["django_language"] = "zh-hans"
    return client


def words(answer: Any) -> str:
    """What a reader sees of a page."""
    return TAGS.sub(" ", answer.content.decode())


def title_of(answer: Any) -> str:
    """What the tab of a page is called."""
    found = re.search(r"<title>(.*?)</title>", answer.content.decode(), re.DOTALL)
    return " ".join(found[1].split()) if found else ""


FACTOR_PAGES = [
    "mfa_index", "mfa_activate_totp", "mfa_list_webauthn", "mfa_add_webauthn",
    "mfa_generate_recovery_codes", "mfa_view_recovery_codes", "mfa_reauthenticate",
    "account_reauthenticate", "account_change_password", "portal:security",
]  # fmt: skip


@pytest.mark.parametrize("name", FACTOR_PAGES)
@pytest.mark.parametrize("who", ["officer", "lin"])
def test_the_pages_of_the_second_factor_have_one_word_for_one_thing(
    cast: Cast, name: str, who: str
):
    account: Account = getattr(cast, who)
    client = in_chinese(browser(account))
    if name == "mfa_activate_totp":
        Authenticator.objects.all().delete()
    if name == "mfa_view_recovery_codes":
        RecoveryCodes.activate(account)
    answer = client.get(reverse(name), follow=True)
    assert answer.status_code == 200
    assert STRANGE.findall(words(answer)) == []


def test_a_wrong_code_is_told_with_what_to_do(cast: Cast):
    account = may_log_in(cast.officer, factor=True)
    client = in_chinese(Client(headers={"X-Forwarded-Proto": "https"}))
    asked = client.post(reverse("account_login"), {"login": account.username, "password": PASSWORD})
    cache.clear()
    told = words(client.post(asked["Location"], {"code": "000000"}))
    assert "验证码不正确" in told and "恢复码" in told and "校准" in told
    assert STRANGE.findall(told) == []


def test_the_catalogue_uses_the_same_words():
    assert [
        str(message.string)
        for message in catalogue.current()
        if message.id and STRANGE.search(str(message.string))
    ] == []


def test_a_form_says_in_plain_words_what_is_wrong(cast: Cast):
    client = in_chinese(browser(cast.account_admin))
    url = reverse("admin:union_portal_account_list_do", args=["new"])
    told = words(client.post(url, {"username": "A!", "name": ""}))
    assert "此项必须填写" in told and "格式不正确" in told
    assert STRANGE.findall(told) == []
    lin_may_apply(cast)
    lin = in_chinese(browser(cast.lin))
    long = lin.post(reverse("awards:subsidy-apply") + "?ground=illness", {"text": "很" * 4001})
    assert "最多 4000 个字，现有 4001 个" in words(long)


def test_a_long_text_is_judged_by_the_server_and_its_longest_is_told(cast: Cast):
    """A browser that knows `maxlength` cuts what is pasted without a word."""
    lin_may_apply(cast)
    page = in_chinese(browser(cast.lin)).get(reverse("awards:subsidy-apply") + "?ground=illness")
    (field,) = re.findall(r"<textarea[^>]*>", page.content.decode())
    assert "maxlength" not in field
    assert "最多 4000 个字" in words(page)


def test_the_name_of_an_account_is_a_persons_name(cast: Cast):
    client = browser(cast.account_admin)
    url = reverse("admin:union_portal_account_list_do", args=["new"])
    answer = client.post(url, {"username": "smile", "name": "小张😀"})
    assert answer.status_code == 422 and set(answer.context["form"].errors) == {"name"}
    assert client.post(url, {"username": "smile", "name": "王 小明"}).status_code == 200
    assert Account.objects.get(username="smile").name == "王小明"


def test_the_remedy_for_a_name_speaks_of_no_column():
    with translation.override("zh-hans"):
        with pytest.raises(Refused) as refused:
            read_name("张三1")
        told = str(refused.value)
    assert "列" not in told and "备注" in told


# -- labels that one English word would share --------------------------------------------------
def label(model: str, name: str) -> str:
    return str(apps.get_model(model)._meta.get_field(name).verbose_name)


def test_things_have_a_name_and_people_have_theirs():
    with translation.override("zh-hans"):
        assert {label(f"union_portal.{one}", "name") for one in ("holiday", "organization")} == {
            "名称"
        }
        assert label("members.person", "name") == label("union_portal.account", "name") == "姓名"


def test_a_rule_set_has_a_heading_and_a_model_worker_a_title():
    with translation.override("zh-hans"):
        assert str(RulesForm.base_fields["title"].label) == "标题"
        assert str(TitleForm.base_fields["name"].label) == "称号"


def test_the_list_of_unions_is_called_so(cast: Cast):
    page = in_chinese(browser(cast.officer)).get(
        reverse("admin:union_portal_organization_changelist")
    )
    assert "所在工会查看" not in page.content.decode()
    assert "名称" in words(page) and "姓名" not in words(page)


# -- no code where a name belongs --------------------------------------------------------------
def test_no_heading_is_a_code(cast: Cast):
    play(cast)
    with translation.override("zh-hans"):
        found = {
            (page.model._meta.label, str(row))
            for page in admin.site._registry.values()
            if isinstance(page, ScopedModelAdmin)
            for row in page.model._default_manager.all()[:20]
            if CODE.search(FILE_NAME.sub("", str(row)))
        }
    assert found == set()


def test_the_log_names_its_machines_and_what_they_touched(cast: Cast):
    audit.record("file.fetch", cast.lin_person, by=audit.WORKER)
    client = in_chinese(browser(cast.gao))
    entry = AuditEntry.objects.latest("id")
    listed = words(client.get(reverse("admin:union_portal_auditentry_changelist")))
    assert "后台任务" in listed and not re.search(r"\bworker\b", listed)
    page = client.get(reverse("admin:union_portal_auditentry_change", args=[entry.pk]))
    heading = re.search(r"<title>(.*?)</title>", page.content.decode(), re.DOTALL)
    assert heading and not CODE.search(heading[1])


def test_an_entry_of_the_log_is_told_in_words_and_its_code_is_called_one(cast: Cast):
    decision = make_decision(cast, make_rule_set(cast))
    withdrawals.withdraw(decision=decision, by=cast.decider, reason="objection 1")
    entry = AuditEntry.objects.get(action="decision.withdrawn")
    client = in_chinese(browser(cast.gao))
    shown = words(client.get(reverse("admin:union_portal_auditentry_change", args=[entry.pk])))
    assert shown.count("操作") == shown.count("操作人") + 1
    assert "日志代码" in shown and "已作出: " not in shown
    assert "变更前: " in shown and "变更后: 已撤回" in shown
    assert '"new"' not in shown and "withdrawn" not in shown.replace("decision.withdrawn", "")


def test_what_is_of_no_row_is_named_too(cast: Cast):
    audit.record_ref("demo.played", "demo", "2026", by=audit.Machine("demo"))
    audit.record_ref("message.posted", "union_portal.message", "set", by=cast.officer, count=2)
    client = in_chinese(browser(cast.gao))
    listed = words(client.get(reverse("admin:union_portal_auditentry_changelist")))
    assert "批量" in listed and "演示" in listed
    assert re.findall(r"\b(?:demo|set)\b", listed) == []


def test_what_runs_by_itself_is_told_in_chinese(cast: Cast):
    every, _new = IntervalSchedule.objects.get_or_create(every=1, period="hours")
    task = PeriodicTask.objects.create(name="forget-imports", task="members.sweep", interval=every)
    client = in_chinese(browser(cast.account_admin))
    page = reverse("admin:django_celery_beat_periodictask_change", args=[task.pk])
    for url in (page, reverse("admin:django_celery_beat_periodictask_changelist")):
        shown = words(client.get(url))
        assert "是否启用" in shown and "尚未" in shown
        assert re.findall("enabled|None|False|orget-imports", shown) == []


def test_the_title_of_what_runs_by_itself_is_in_our_own_words(cast: Cast):
    every, _new = IntervalSchedule.objects.get_or_create(every=3600, period="seconds")
    weekly, _new = CrontabSchedule.objects.get_or_create(minute="10", hour="4", day_of_week="0")
    PeriodicTask.objects.create(name="forget-imports", task="members.sweep", interval=every)
    task = PeriodicTask.objects.create(name="retention", task="members.retain", crontab=weekly)
    listed = in_chinese(browser(cast.account_admin)).get(
        reverse("admin:django_celery_beat_periodictask_changelist")
    )
    assert title_of(listed).startswith("周期性任务 ")
    assert "每 1 小时" in words(listed) and "每星期日 04:10" in words(listed)
    own = reverse("admin:django_celery_beat_periodictask_change", args=[task.pk])
    page = in_chinese(browser(cast.account_admin)).get(own)
    assert title_of(page).startswith("清除保存期满的数据并重新统计 ")
    for shown in (words(listed), words(page)):
        assert re.findall(r"m/h|\* \*|Asia/Shanghai|周期任务", shown) == []


def test_every_list_is_titled_with_what_it_lists(cast: Cast):
    client = in_chinese(browser(cast.officer))
    page = client.get(reverse("admin:union_portal_notice_changelist"))
    assert title_of(page).startswith("公示 |")


def letter(person: Any, **more: Any) -> Message:
    return Message.objects.create(
        topic="subsidy", key=f"letter-{person.pk}", channel=Channel.LETTER, recipient=person.pk,
        template=telling(), values={}, subject_type="members.person",
        subject_id=str(person.pk), **more,
    )  # fmt: skip


def test_the_list_of_letters_names_whom_each_goes_to(cast: Cast):
    letter(cast.lin_person)
    client = in_chinese(browser(cast.officer))
    url = reverse("admin:union_portal_message_changelist") + "?channel__exact=letter"
    listed = words(client.get(url))
    assert "收件人" in listed and cast.lin_person.name in listed and "补助" in listed
    one = reverse("admin:union_portal_message_change", args=[Message.objects.get().pk])
    assert cast.lin_person.name in words(client.get(one))


def test_a_recipient_outside_the_readers_reach_is_not_named(cast: Cast):
    message = letter(cast.lin_person)
    other = make_account("qian", role=Role.GRASSROOTS_CLERK, at=cast.tree.other_union)
    assert notifications.recipients([message], other) == {}
    assert notifications.recipients([message], cast.qiao) == {
        cast.lin_person.pk: cast.lin_person.name
    }


# -- what leads nowhere, or contradicts itself ----------------------------------------------------
def test_what_has_to_be_done_is_a_link_and_no_page_says_that_nothing_waits(cast: Cast):
    page = browser(cast.security_admin).get(reverse("admin:index")).content.decode()
    assert reverse("admin:union_portal_accountreview_changelist") + '">Accounts have not' in page
    assert "Nothing waits for you" not in page


def test_a_desk_without_tasks_says_so_beside_its_figures(cast: Cast):
    shown = browser(cast.gao).get(reverse("admin:index"))
    assert not any(row["count"] for row in shown.context["waiting"])
    assert "Nothing waits for you at the moment." in shown.content.decode()


def test_everybody_is_addressed_politely():
    with translation.override("zh-hans"):
        helps = [str(text) for text in password_validators_help_texts()]
    said = [str(message.string) for message in catalogue.current() if message.id]
    assert [text for text in [*helps, *said] if "你" in text] == []


def test_a_day_is_written_in_one_way_in_every_language():
    for language in ("zh-hans", "en"):
        with translation.override(language):
            assert date_format(date(2026, 11, 29)) == "2026-11-29"
            assert date_format(datetime(2026, 11, 29, 9, 5), "DATETIME_FORMAT") == (
                "2026-11-29 09:05"
            )


def test_the_first_code_of_an_app_does_not_speak_of_recovery_codes(cast: Cast):
    client = in_chinese(browser(cast.lin))
    Authenticator.objects.all().delete()
    url = reverse("mfa_activate_totp")
    client.get(url)
    told = client.post(url, {"code": "000000"}).content.decode()
    assert "验证码不正确" in told and "恢复码" not in TAGS.sub(" ", told.split("<form", 1)[1])


def test_a_passkey_is_named_in_the_readers_language(cast: Cast):
    client = browser(cast.lin)
    url = reverse("mfa_add_webauthn")
    assert "Security Key" not in words(client.get(url))
    shown = words(in_chinese(client).get(url))
    assert "名称" in shown and "Name" not in shown


def test_a_member_is_shown_no_way_to_the_staff_site(cast: Cast):
    home, staff = reverse("portal:home"), f'href="{reverse("admin:index")}"'
    assert staff not in browser(cast.lin).get(home).content.decode()
    assert staff in browser(cast.officer).get(home).content.decode()


def test_a_member_is_asked_for_the_password_in_words_of_their_own(cast: Cast):
    ask = reverse("account_reauthenticate") + "?next=/me/"
    assert (
        "moves money" not in browser(cast.lin, fresh=False).get(ask, follow=True).content.decode()
    )
    assert (
        "moves money" in browser(cast.officer, fresh=False).get(ask, follow=True).content.decode()
    )


def test_whoever_applied_this_year_is_led_to_the_application(cast: Cast):
    lin_may_apply(cast)
    lin = browser(cast.lin)
    pages = [reverse("members:me"), reverse("awards:subsidy-list")]
    way = reverse("awards:subsidy-apply")
    assert all(f'href="{way}"' in lin.get(page).content.decode() for page in pages)
    apply(lin)
    mine = reverse("awards:subsidy-case", args=[lins_case(cast).pk])
    for page in pages:
        shown = lin.get(page).content.decode()
        assert f'href="{way}"' not in shown and f'href="{mine}"' in shown


def test_a_long_list_tells_which_rows_are_shown(cast: Cast):
    for number in range(26):
        Message.objects.create(
            topic="subsidy", key=f"n{number}", channel=Channel.PORTAL, template=telling(),
            subject_type="members.person", subject_id="1",
        )  # fmt: skip
    client = in_chinese(browser(cast.officer))
    url = reverse("admin:union_portal_message_changelist")
    assert "第 1–25 条，共 26 条" in words(client.get(url))
    assert "第 26–26 条，共 26 条" in words(client.get(url + "?p=2"))


@pytest.mark.parametrize("ground", ["", "illness"])
def test_a_list_without_grounds_has_no_column_for_them(cast: Cast, ground: str):
    rules = make_rule_set(cast)
    notice = Notice.objects.create(
        title="Notice", scheme=rules.scheme, period="2026", organization=cast.tree.city,
        days=5, prepared_by=cast.officer,
    )  # fmt: skip
    NoticeEntry.objects.create(
        notice=notice, decision=make_decision(cast, rules), position=1, shown_name="林*",
        shown_ground=ground, amount_fen=30_000,
    )  # fmt: skip
    url = reverse("admin:union_portal_notice_change", args=[notice.pk])
    page = browser(cast.officer).get(url).content.decode()
    assert ('data-label="Ground"' in page) is bool(ground)
