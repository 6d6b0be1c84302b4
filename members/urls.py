"""Addresses of the members app's pages."""

from django.urls import path

from members.views import cards, first_login, portal

app_name = "members"

urlpatterns = [
    path("me/", portal.me, name="me"),
    path("me/who-looked/", portal.who_looked, name="who-looked"),
    path("me/messages/", portal.message_list, name="message-list"),
    # the service card
    path("me/card/", cards.card, name="card"),
    path("me/card/apply/", cards.card_apply, name="card-apply"),
    path("me/card/send-again/", cards.card_send_again, name="card-send-again"),
    path("me/card/take-back/", cards.card_take_back, name="card-take-back"),
    path("me/card/activate/", cards.card_activate, name="card-activate"),
    path("me/card/lost/", cards.card_lost, name="card-lost"),
    path("me/card/found/", cards.card_found, name="card-found"),
    path("first-login/", first_login.ask, name="first-login"),
    path("first-login/code/", first_login.complete, name="first-login-code"),
]
