"""Addresses of the members app's pages."""

from django.urls import path

from members.views import first_login, merchants, offers, portal

app_name = "members"

urlpatterns = [
    path("me/", portal.me, name="me"),
    path("me/who-looked/", portal.who_looked, name="who-looked"),
    path("me/messages/", portal.message_list, name="message-list"),
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
]
