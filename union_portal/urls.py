"""The doors. Every URL needs a log-in unless its view says otherwise."""

from allauth.account import views as account_views
from allauth.account.decorators import reauthentication_required
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.i18n import set_language

from union_portal import portal_urls
from union_portal.api import urls as api_urls
from union_portal.views import factors, public, reauthentication, security, sessions

handler400 = "union_portal.views.problems.bad_request"
handler403 = "union_portal.views.problems.forbidden"
handler404 = "union_portal.views.problems.not_found"
handler500 = "union_portal.views.problems.server_error"

# allauth's pages by name: sign-up and everything by e-mail are not among them.
account = [
    path("login/", account_views.login, name="account_login"),
    path("logout/", account_views.logout, name="account_logout"),
    path("inactive/", account_views.account_inactive, name="account_inactive"),
    path("reauthenticate/", reauthentication.PasswordView.as_view(), name="account_reauthenticate"),
    path("2fa/reauthenticate/", reauthentication.CodeView.as_view(), name="mfa_reauthenticate"),
    path("password/change/", security.ChangePasswordView.as_view(), name="account_change_password"),
    path(
        "password/set/",
        reauthentication_required(account_views.password_set),
        name="account_set_password",
    ),
    path(
        "2fa/webauthn/keys/<int:pk>/remove/",
        factors.RemovePasskeyView.as_view(),
        name="mfa_remove_webauthn",
    ),
    path("2fa/", include("allauth.mfa.urls")),
    path("sessions/", sessions.session_list, name="usersessions_list"),
]

portal = [
    path("", public.home, name="home"),
    path("figures/", public.figure_list, name="figure-list"),
    path("notices/", public.notice_list, name="notice-list"),
    path("notices/<int:notice_id>/", public.notice, name="notice"),
    path(
        "notices/<int:notice_id>/<int:position>/objection/",
        public.objection_file,
        name="objection-file",
    ),
    path("account/", security.overview, name="security"),
    *portal_urls.urlpatterns,
]

# By the name of what is called; each app's endpoints stand beside its pages.
api = [
    path("", include(api_urls)),
    path("", include("members.api.urls")),
    path("", include("welfare.api.urls")),
]

# Those with a beginning of their own come first: of the others every address is tried.
urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", include((api, "api"))),
    path("", include((portal, "portal"))),
    path("", include("awards.urls")),
    path("", include("members.urls")),
    path("", include("welfare.urls")),
    path("i18n/setlang/", login_not_required(set_language), name="set_language"),
    path("account/", include(account)),
]
