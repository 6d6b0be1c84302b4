"""First log-in of members: name, identity number, and a code sent to the phone."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@login_not_required
def ask(request: HttpRequest) -> HttpResponse:
    return render(request, "members/first_login.html")
