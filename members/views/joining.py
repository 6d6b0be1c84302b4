"""Joining a union: apply, look up by receipt and phone, complete, take back.

These pages need no log-in and tell strangers nothing: what they say does not depend on whom the
register knows. The session remembers the receipt that was shown, so that no address holds it.
"""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from members.actions import consents, join_applications, joining
from members.forms_membership import CompletionForm, EmployerForm, JoinForm, ReceiptForm
from members.models import ConsentPurpose, JoinApplication, Person
from members.queries import memberships as queries
from members.queries import person_of
from members.queries.privacy import text_in_force
from members.states import JOIN_APPLICATION, JoinState
from union_portal import once, tries
from union_portal.forms import refuse
from union_portal.kit.refusals import Refused
from union_portal.models import Account, Organization

RECEIPT = "join_receipt"


@never_cache
@sensitive_post_parameters()
@login_not_required
def join(request: HttpRequest) -> HttpResponse:
    """Choose the union, then fill in. Whoever is logged in finds what is known filled in."""
    person = _person(request)
    if person is not None and queries.membership_of(person) is not None:
        return redirect("members:membership")
    once.hold_session(request)
    union = queries.union_to_join(request.GET.get("union", ""))
    if union is None:
        return _choose(request)
    kind = JoinForm if person is None else EmployerForm
    text = text_in_force(ConsentPurpose.MEMBERSHIP, timezone.localdate())
    initial: dict[str, Any] = {"text": text.pk if text else None}
    if person is not None:
        initial["employer"] = person.employer
    form = kind(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            taken = _applied(request, person, union, form)
        except Refused as refusal:
            refuse(form, refusal)
        else:
            request.session[RECEIPT] = taken.receipt
            return redirect("members:join-application")
    context = {"form": form, "union": union, "person": person, "text": text}
    status = 422 if form.errors else 200
    return render(request, "members/join.html", context, status=status)


@never_cache
@sensitive_post_parameters()
@login_not_required
def join_status(request: HttpRequest) -> HttpResponse:
    """Receipt and phone lead to the application; which of the two does not fit isn't told."""
    once.hold_session(request)
    form = ReceiptForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        found = queries.application_by(**form.cleaned_data)
        if found is not None:
            request.session[RECEIPT] = found.receipt
            answer = redirect("members:join-application")
            once.harmless(answer)
            return answer
        form.add_error(None, _("No application fits this receipt number and phone."))
    status = 422 if form.errors else 200
    return render(request, "members/join_status.html", {"form": form}, status=status)


@never_cache
@login_not_required
def join_application(request: HttpRequest) -> HttpResponse:
    """Where the application stands, and what can be done."""
    application = _held(request)
    if application is None:
        return redirect("members:join-status")
    context = {
        "application": application,
        "next_step": next_step(application),
        "may_complete": application.state == JoinState.RETURNED,
        "may_take_back": JOIN_APPLICATION.allows(application.state, JoinState.TAKEN_BACK),
    }
    return render(request, "members/join_application.html", context)


@never_cache
@sensitive_post_parameters()
@login_not_required
def join_complete(request: HttpRequest) -> HttpResponse:
    """Answer what was asked for; the application goes back to the union."""
    application = _held(request)
    if application is None or application.state != JoinState.RETURNED:
        return redirect("members:join-application")
    initial = {
        "name": application.name,
        "employer": application.employer,
        **join_applications.details(application).get("profile", {}),
    }
    form = CompletionForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            joining.complete(
                application=application,
                by=_actor(request, application),
                today=timezone.localdate(),
                **form.values(),
            )
        except Refused as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("Your answer has arrived; the union looks at it again."))
            return redirect("members:join-application")
    context = {"form": form, "application": application}
    status = 422 if form.errors else 200
    return render(request, "members/join_complete.html", context, status=status)


@never_cache
@login_not_required
def join_take_back(request: HttpRequest) -> HttpResponse:
    application = _held(request)
    may = application is not None and JOIN_APPLICATION.allows(
        application.state, JoinState.TAKEN_BACK
    )
    if application is None or not may:
        return redirect("members:join-application")
    if request.method == "POST":
        joining.take_back(application=application, by=_actor(request, application))
        messages.success(request, _("Your application is taken back. You may apply again."))
        return redirect("members:join-application")
    return render(request, "members/join_take_back.html", {"application": application})


def next_step(application: JoinApplication) -> str:
    """What happens next, in one sentence."""
    told = {
        JoinState.APPLIED: _("Next, the union compares it with identity card and roster."),
        JoinState.CHECKED: _("The union has checked it; next, the county federation decides."),
        JoinState.RETURNED: _("Something is missing. It goes on as soon as you complete it."),
        JoinState.APPROVED: _("You are a member. Log in with your name and identity number."),
        JoinState.REFUSED: _("The reason stands below. You may ask the union, or apply again."),
        JoinState.TAKEN_BACK: _("You took the application back. You may apply again."),
    }
    return told[JoinState(application.state)]


def chosen(request: HttpRequest, page: str) -> dict[str, Any]:
    """What the page on which a union is looked for by its name shows."""
    q = request.GET.get("q", "").strip()[:60]
    return {
        "q": q,
        "found": [(one, f"{reverse(page)}?union={one.pk}") for one in queries.unions_named(q)],
        "most": queries.UNIONS_SHOWN,
    }


def _choose(request: HttpRequest) -> HttpResponse:
    return render(request, "members/join_union.html", chosen(request, "members:join"))


def _applied(
    request: HttpRequest, person: Person | None, union: Organization, form: forms.Form
) -> JoinApplication:
    values: dict[str, Any] = {
        **form.values(),  # type: ignore[attr-defined]
        "organization": union,
        "address": tries.address_of(request),
        "today": timezone.localdate(),
        "now": timezone.now(),
        "consents": consents.for_joining(form.cleaned_data["text"], today=timezone.localdate()),
    }
    if person is not None:
        return join_applications.apply_as(person=person, by=request.user, **values)  # type: ignore[arg-type]
    by = request.user if isinstance(request.user, Account) else None
    is_by_other = form.cleaned_data["is_by_other"]
    return join_applications.apply(by=by, is_by_other=is_by_other, **values)


def _person(request: HttpRequest) -> Person | None:
    return person_of(request.user) if isinstance(request.user, Account) else None


def _held(request: HttpRequest) -> JoinApplication | None:
    receipt = request.session.get(RECEIPT)
    return queries.application_with(receipt) if receipt else None


def _actor(request: HttpRequest, application: JoinApplication) -> Any:
    """The applicant's account, or the page: the session has shown the receipt."""
    is_own = application.applied_by_id is not None and application.applied_by_id == request.user.pk
    return request.user if is_own else join_applications.PUBLIC
