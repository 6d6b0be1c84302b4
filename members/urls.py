"""Addresses of the members app's pages."""

from django.urls import path

from members.views import (
    cards,
    codes,
    first_login,
    joining,
    membership,
    merchants,
    offers,
    portal,
    privacy,
    till,
    uses,
)

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
    path("me/consents/", privacy.consent_list, name="consent-list"),
    path("me/consents/give/", privacy.consent_give, name="consent-give"),
    path("me/consents/withdraw/", privacy.consent_withdraw, name="consent-withdraw"),
    path("me/data/", privacy.my_data_copy, name="my-data"),
    path("me/corrections/", privacy.correction_list, name="correction-list"),
    path("me/corrections/ask/", privacy.correction_ask, name="correction-ask"),
    path("me/family/", privacy.family_list, name="family-list"),
    path("me/family/add/", privacy.family_add, name="family-add"),
    path("me/family/<int:member_id>/remove/", privacy.family_remove, name="family-remove"),
    path("me/settings/", privacy.settings, name="settings"),
    path("me/log-out-everywhere/", privacy.log_out_everywhere, name="log-out-everywhere"),
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
    # the public directory, and merchants
    path("offers/", offers.offer_list, name="offer-list"),
    path("offers/<int:offer_id>/", offers.offer, name="offer"),
    path("offers/<int:offer_id>/keep/", offers.offer_keep, name="offer-keep"),
    path("offers/<int:offer_id>/complain/", offers.complaint_file, name="complaint-file"),
    path("me/complaints/", offers.complaint_list, name="complaint-list"),
    path("merchants/apply/", merchants.merchant_apply, name="merchant-apply"),
    path("merchants/application/", merchants.merchant_application, name="merchant-application"),
    path("shop/", merchants.shop, name="shop"),
    path("shop/offers/new/", merchants.shop_offer_new, name="shop-offer-new"),
    path("shop/offers/<int:offer_id>/", merchants.shop_offer, name="shop-offer"),
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
