"""Addresses of the kernel's endpoints, below /api/v1/."""

from django.urls import path

from union_portal.api import views

urlpatterns = [
    path("openapi.json", views.Description.as_view(), name="openapi"),
    path("tokens", views.TokenList.as_view(), name="token-list"),
    path("tokens/current", views.CurrentToken.as_view(), name="token-current"),
    path("unions", views.UnionList.as_view(), name="union-list"),
]
