"""First log-in of members: name, identity number, and a code sent to the phone."""

from uuid import UUID

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from members.actions import first_login
from members.forms import AskCodeForm, CompleteForm
from union_portal import once, tries
from union_portal.forms import refuse
from union_portal.kit.refusals import Refused

ASKED = "first_login"


@sensitive_post_parameters()
@login_not_required
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for the code. The next page is the same for people who don't exist."""
    if request.user.is_authenticated:
        return redirect("members:me")
    once.hold_session(request)
    form = AskCodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            asked = first_login.ask_code(
                address=tries.address_of(request),
                now=timezone.now(),
                **form.cleaned_data,
            )
        except Refused as refusal:
            refuse(form, refusal)
        else:
            request.session[ASKED] = str(asked.token)
            return redirect("members:first-login-code")
    status = 422 if form.errors else 200
    return render(request, "members/first_login.html", {"form": form}, status=status)


@sensitive_post_parameters()
@login_not_required
def complete(request: HttpRequest) -> HttpResponse:
    """Check the code, set the password, log in: through allauth, second factor included."""
    token = request.session.get(ASKED)
    if token is None:
        return redirect("members:first-login")
    form = CompleteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            account = first_login.complete(
                token=UUID(token),
                code=form.cleaned_data["code"],
                password=form.cleaned_data["password"],
                now=timezone.now(),
            )
        except Refused as refusal:
            form.add_error("code", str(refusal))
        except ValidationError as weak:
            form.add_error("password", weak)
        else:
            del request.session[ASKED]
            credentials = {"username": account.username}
            answer: HttpResponse = perform_password_login(
                request, credentials, Login(user=account, email_verification="none")
            )
            return answer
    context = {
        "form": form,
        "minutes": first_login.MINUTES,
        "told": _("If name and number fit, a code is on its way to the registered phone."),
    }
    status = 422 if form.errors else 200
    return render(request, "members/first_login_code.html", context, status=status)
