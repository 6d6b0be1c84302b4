"""Addresses of the awards app's pages."""

from django.urls import path

from awards.views import honours

app_name = "awards"

urlpatterns = [
    path("honours/", honours.honours_roll, name="honours-roll"),
]
