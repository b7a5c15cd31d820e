"""Wisdom's own routes, to be included at the root."""

from django.urls import path

from wisdom.views import reports_view

app_name = "wisdom"
urlpatterns = [path("v1/wisdom/reports", reports_view, name="reports")]
