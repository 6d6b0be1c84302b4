"""Addresses of the members app's pages."""

from django.urls import path

from members.views import first_login, joining, membership, portal

app_name = "members"

urlpatterns = [
    path("me/", portal.me, name="me"),
    path("me/who-looked/", portal.who_looked, name="who-looked"),
    path("me/messages/", portal.message_list, name="message-list"),
    path("me/membership/", membership.membership, name="membership"),
    path("me/membership/transfer/", membership.transfer, name="transfer"),
    path(
        "me/membership/transfer/take-back/",
        membership.transfer_take_back,
        name="transfer-take-back",
    ),
    path("join/", joining.join, name="join"),
    path("join/status/", joining.join_status, name="join-status"),
    path("join/application/", joining.join_application, name="join-application"),
    path("join/application/complete/", joining.join_complete, name="join-complete"),
    path("join/application/take-back/", joining.join_take_back, name="join-take-back"),
    path("first-login/", first_login.ask, name="first-login"),
    path("first-login/code/", first_login.complete, name="first-login-code"),
]
