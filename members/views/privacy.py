"""A member's own data: consents, copy, corrections, family, settings."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from members.actions import consents, copies, corrections, family
from members.forms_privacy import CorrectionForm, FamilyForm, FieldForm
from members.models import ConsentPurpose, Person
from members.own_pages import member_only
from members.queries import privacy as queries
from union_portal import files, my_data, reports, sessions, titles
from union_portal.forms import refuse
from union_portal.kit.refusals import Refused
from union_portal.models import Account, ReportRun, StoredFile


def _account(request: HttpRequest) -> Account:
    return request.user  # type: ignore[return-value]


def _today() -> date:
    return timezone.localdate()


# -- consents --------------------------------------------------------------------------------
@require_safe
@member_only
def consent_list(request: HttpRequest, person: Person) -> HttpResponse:
    """Each purpose by itself: its words, what the reader said, and when."""
    context = {
        "purposes": queries.purposes_of(person, _today()),
        "missing": queries.consents_missing(person.pk, _today()),
    }
    return render(request, "members/consent_list.html", context)


@require_POST
@member_only
def consent_give(request: HttpRequest, person: Person) -> HttpResponse:
    """Agree to the version that was read."""
    version = request.POST.get("version", "")
    consents.give(
        person=person,
        purpose=_purpose(request.POST.get("purpose", "")),
        by=_account(request),
        now=timezone.now(),
        today=_today(),
        seen=int(version) if version.isdecimal() else 0,
    )
    messages.success(request, _("Your consent is noted. You can withdraw it at any time."))
    return redirect("members:consent-list")


@member_only
def consent_withdraw(request: HttpRequest, person: Person) -> HttpResponse:
    """First what it means, then the withdrawal: as easy as the consent was."""
    purpose = _purpose(request.GET.get("purpose", ""))
    if request.method == "POST":
        consents.withdraw(person=person, purpose=purpose, by=_account(request), now=timezone.now())
        messages.success(request, _("Your consent is withdrawn."))
        return redirect("members:consent-list")
    if not queries.standing_consents(person, purpose).exists():
        return redirect("members:consent-list")
    context = {"purpose": purpose, "meaning": consents.explain(purpose)}
    return render(request, "members/consent_withdraw.html", context)


def _purpose(text: str) -> ConsentPurpose:
    if text not in ConsentPurpose.values:
        raise Http404
    return ConsentPurpose(text)


# -- a copy of one's own data ------------------------------------------------------------------
@never_cache
@member_only
def my_data_copy(request: HttpRequest, person: Person) -> HttpResponse:
    """What the portal holds, and a copy of it: asked for, made by a worker, fetched."""
    if request.method == "POST":
        kind = request.POST.get("kind", "")
        if kind not in queries.COPY_KINDS:
            raise Http404
        run = ask_copy(person=person, kind=kind, by=_account(request))
        return redirect("portal:job", run.job_id)
    runs = queries.copies_of(person, _account(request))[:10]
    context = {
        "sections": my_data.sections(),
        "copies": [
            (run, titles.shown(run.title), run.file and copies.last_day(run.file)) for run in runs
        ],
        "today": _today(),
        "days": queries.COPY_DAYS,
    }
    return render(request, "members/my_data.html", context)


@transaction.atomic
def ask_copy(*, person: Person, kind: str, by: Account) -> ReportRun:
    """Have a copy made, as PDF or as JSON; one that is being made is returned instead.

    Errors: PermissionDenied for anybody but the person.
    """
    return copies.being_made(person=person, kind=kind, by=by) or reports.request(
        kind=kind,
        subject=person,
        by=by,
        organization=person.organization,
        language=get_language() or "zh-hans",
    )


# -- corrections -------------------------------------------------------------------------------
@require_safe
@member_only
def correction_list(request: HttpRequest, person: Person) -> HttpResponse:
    """What the reader asked to have corrected, and what was answered."""
    asked = [
        (one, corrections.FIELDS[one.field].label, corrections.shown(one))
        for one in queries.corrections_of(person)
    ]
    return render(request, "members/correction_list.html", {"asked": asked, "form": FieldForm()})


@member_only
def correction_ask(request: HttpRequest, person: Person) -> HttpResponse:
    """Say what it should be; staff of one's union answer."""
    field = request.GET.get("field", "")
    if field not in corrections.FIELDS:
        return redirect("members:correction-list")
    form = CorrectionForm(request.POST or None, request.FILES or None, field=field)
    if request.method == "POST" and form.is_valid():
        try:
            _asked(request, person, field, form.cleaned_data)
        except (Refused, PermissionDenied) as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("Your union has it now; you are told what they do."))
            return redirect("members:correction-list")
    known = corrections.FIELDS[field]
    context = {"form": form, "label": known.label, "holds": known.holds(person) or "–"}
    status = 422 if form.errors else 200
    return render(request, "members/correction_ask.html", context, status=status)


@transaction.atomic
def _asked(request: HttpRequest, person: Person, field: str, data: dict[str, Any]) -> None:
    upload = data["evidence"]
    evidence: StoredFile | None = None
    if upload is not None:
        evidence = files.store(
            purpose=corrections.EVIDENCE,
            name=upload.name,
            content=upload,
            subject=person,
            organization=person.organization,
            by=_account(request),
        )
    corrections.ask(
        person=person, field=field, wanted=data["wanted"], words=data["words"],
        by=_account(request), now=timezone.now(), evidence=evidence,
    )  # fmt: skip


# -- family ------------------------------------------------------------------------------------
@require_safe
@member_only
def family_list(request: HttpRequest, person: Person) -> HttpResponse:
    """Who of the reader's family is known, with numbers masked."""
    return render(request, "members/family_list.html", {"family": queries.family_of(person)})


@member_only
def family_add(request: HttpRequest, person: Person) -> HttpResponse:
    """Enter somebody; a child under 14 with its guardian."""
    form = FamilyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            family.enter(
                person=person,
                by=_account(request),
                today=_today(),
                now=timezone.now(),
                **form.cleaned_data,
            )
        except Refused as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("Entered."))
            return redirect("members:family-list")
    status = 422 if form.errors else 200
    return render(request, "members/family_add.html", {"form": form}, status=status)


@member_only
def family_remove(request: HttpRequest, person: Person, member_id: int) -> HttpResponse:
    """Forget somebody of one's family, after one question."""
    held = get_object_or_404(queries.family_of(person), pk=member_id)
    if request.method == "POST":
        family.remove(member=held, by=_account(request))
        messages.success(request, _("Removed."))
        return redirect("members:family-list")
    return render(request, "members/family_remove.html", {"member": held})


# -- settings ----------------------------------------------------------------------------------
@require_safe
@member_only
def settings(request: HttpRequest, person: Person) -> HttpResponse:
    """Language, phone, text messages, passkeys, devices: all of it in one place."""
    context = {
        "person": person,
        "wants_sms": queries.wants_sms(person.pk),
        "has_agreed": queries.standing_consents(person, ConsentPurpose.NOTICES).exists(),
        "sessions": sessions.open_sessions(_account(request), current=request.session.session_key),
    }
    return render(request, "members/settings.html", context)


@require_POST
@member_only
def log_out_everywhere(request: HttpRequest, person: Person) -> HttpResponse:
    """End every session of one's own, this one too."""
    sessions.end_everywhere(request)
    logout(request)
    messages.success(request, _("You are logged out on every device."))
    return redirect("account_login")
