"""Addresses of the welfare app's endpoints, below /api/v1/."""

from django.urls import path

from welfare.api import statements

urlpatterns = [
    path("statements", statements.StatementList.as_view(), name="statement-list"),
    path("statements/<int:statement_id>", statements.OneStatement.as_view(), name="statement"),
    path(
        "statements/<int:statement_id>/lines",
        statements.LineList.as_view(),
        name="statement-lines",
    ),
    path(
        "statements/<int:statement_id>/accept",
        statements.StatementAccept.as_view(),
        name="statement-accept",
    ),
    path(
        "statements/<int:statement_id>/lines/<int:position>/dispute",
        statements.LineDispute.as_view(),
        name="line-dispute",
    ),
]
