"""What the tests of the subsidy pages share: logged-in browsers, files, an application."""

import re
from io import BytesIO
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth import BACKEND_SESSION_KEY
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from awards.models import ModelWorker, SubsidyCase
from tests.awards.roster import model_worker, rule_set
from tests.awards.test_subsidies import open_fund
from tests.cast import Cast
from union_portal.models import Account

ILLNESS = {
    "patient": "spouse",
    "is_serious": "on",
    "costs": "86000",
    "basic": "31000.50",
    "major_illness": "12000",
    "assistance": "0",
    "worker_aid": "0",
    "text": "Stroke in January, three months in hospital, still in therapy.",
    "asked": "4000",
}


def browser(account: Account, *, fresh: bool = True) -> Client:
    """A browser in English in which the account is logged in, with its second factor."""
    Authenticator.objects.get_or_create(
        user=account, type=Authenticator.Type.TOTP, defaults={"data": {"secret": "x"}}
    )
    client = Client(headers={"X-Forwarded-Proto": "https"})
    client.cookies["django_language"] = "en"
    client.force_login(account, backend="union_portal.backends.RoleBackend")
    session = client.session
    assert session[BACKEND_SESSION_KEY]
    if fresh:
        session["account_authentication_methods"] = [
            {"method": "password", "at": timezone.now().timestamp(), "reauthenticated": True}
        ]
        session["account_authentication_methods_user"] = str(account.pk)
        session.save()
    return client


def photo(name: str = "bill.jpg", size: tuple[int, int] = (320, 240)) -> SimpleUploadedFile:
    sheet = BytesIO()
    Image.new("RGB", size, "white").save(sheet, "JPEG")
    return SimpleUploadedFile(name, sheet.getvalue(), "image/jpeg")


def lin_may_apply(cast: Cast, **rules: Any) -> ModelWorker:
    """Lin is a verified model worker, the rules are in force and the fund is covered."""
    year = timezone.localdate().year
    rule_set(cast, "special_hardship", **rules)
    open_fund(cast)
    return model_worker(cast, cast.lin_person, year=year)


def apply(client: Client, ground: str = "illness", **fields: Any) -> Any:
    return client.post(f"/me/subsidies/apply/?ground={ground}", {**ILLNESS, **fields})


def lins_case(cast: Cast) -> SubsidyCase:
    return SubsidyCase.objects.get(person=cast.lin_person)


def faulty(answer: Any) -> set[str]:
    """The fields that a browser and a screen reader are told are wrong."""
    assert answer.status_code == 422
    tags = re.findall(r"<(?:input|textarea|select)[^>]*>", answer.content.decode())
    return {
        found[1]
        for tag in tags
        if 'aria-invalid="true"' in tag and (found := re.search(r'name="(\w+)"', tag))
    }
