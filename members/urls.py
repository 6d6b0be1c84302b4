"""Addresses of the members app's pages."""

from django.urls import path

from members.views import first_login, portal

app_name = "members"

urlpatterns = [
    path("me/", portal.me, name="me"),
    path("me/who-looked/", portal.who_looked, name="who-looked"),
    path("first-login/", first_login.ask, name="first-login"),
]
