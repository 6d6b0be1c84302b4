"""Addresses of the welfare app's pages."""

from django.urls import path

from welfare.views import statements

app_name = "welfare"

urlpatterns = [
    path("till/statements/", statements.statement_list, name="statement-list"),
    path("till/statements/<int:statement_id>/", statements.statement, name="statement"),
    path(
        "till/statements/<int:statement_id>/accept/",
        statements.statement_accept,
        name="statement-accept",
    ),
    path(
        "till/statements/<int:statement_id>/paper/<slug:kind>/",
        statements.statement_paper,
        name="statement-paper",
    ),
    path(
        "till/statements/<int:statement_id>/lines/<int:position>/dispute/",
        statements.line_dispute,
        name="line-dispute",
    ),
]
