"""Addresses of the members app's pages."""

from django.urls import path

from members.views import first_login, portal

app_name = "members"

urlpatterns = [
    path("me/", portal.me, name="me"),
    path("me/who-looked/", portal.who_looked, name="who-looked"),
    path("me/messages/", portal.message_list, name="message-list"),
    path("first-login/", first_login.ask, name="first-login"),
    path("first-login/code/", first_login.complete, name="first-login-code"),
]
