"""Addresses of the members app's pages."""

from django.urls import path

from members.views import first_login, portal, privacy

app_name = "members"

urlpatterns = [
    path("me/", portal.me, name="me"),
    path("me/who-looked/", portal.who_looked, name="who-looked"),
    path("me/messages/", portal.message_list, name="message-list"),
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
    path("first-login/", first_login.ask, name="first-login"),
    path("first-login/code/", first_login.complete, name="first-login-code"),
]
