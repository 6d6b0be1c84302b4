"""Addresses of the awards app's pages."""

from django.urls import path

from awards.views import honours, portal

app_name = "awards"

urlpatterns = [
    path("honours/", honours.honours_roll, name="honours-roll"),
    path("me/subsidies/", portal.subsidy_list, name="subsidy-list"),
    path("me/subsidies/apply/", portal.subsidy_apply, name="subsidy-apply"),
    path("me/subsidies/<int:case_id>/", portal.subsidy_case, name="subsidy-case"),
    path("me/subsidies/<int:case_id>/complete/", portal.subsidy_complete, name="subsidy-complete"),
    path(
        "me/subsidies/<int:case_id>/take-back/", portal.subsidy_take_back, name="subsidy-take-back"
    ),
    path("me/subsidies/<int:case_id>/appeal/", portal.subsidy_appeal, name="subsidy-appeal"),
    path(
        "me/subsidies/<int:case_id>/appeal/<int:appeal_id>/take-back/",
        portal.appeal_take_back,
        name="appeal-take-back",
    ),
]
