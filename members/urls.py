"""Addresses of the members app's pages."""

from django.urls import path

from members.views import codes, first_login, portal, till, uses

app_name = "members"

urlpatterns = [
    path("me/", portal.me, name="me"),
    path("me/who-looked/", portal.who_looked, name="who-looked"),
    path("me/messages/", portal.message_list, name="message-list"),
    path("first-login/", first_login.ask, name="first-login"),
    path("first-login/code/", first_login.complete, name="first-login-code"),
    # the digital card, and what it was used for
    path("me/card/code/", codes.card_code, name="card-code"),
    path("me/card/code/sheet/", codes.card_sheet, name="card-sheet"),
    path("me/uses/", uses.use_list, name="use-list"),
    path("me/uses/<int:use_id>/rate/", uses.use_rate, name="use-rate"),
    # the merchant's till
    path("till/", till.till, name="till"),
    path("till/confirm/", till.till_confirm, name="till-confirm"),
    path("till/today/", till.till_day, name="till-day"),
    path("till/month/", till.till_month, name="till-month"),
    path("till/uses/<int:use_id>/", till.till_done, name="till-done"),
    path("till/uses/<int:use_id>/undo/", till.till_undo, name="till-undo"),
]
