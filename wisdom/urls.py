"""Wisdom's own routes, to be included at the root."""

from django.urls import path

from wisdom.open_views import families_view, items_view
from wisdom.views import reports_view

app_name = "wisdom"
urlpatterns = [
    path("v1/wisdom/reports", reports_view, name="reports"),
    path("v2/items", items_view, name="open-items"),
    path("v2/families", families_view, name="open-families"),
]
