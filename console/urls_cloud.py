"""The console of a deployment that has feeds and Wisdom too."""

from django.urls import path

from console.cloud import views as cloud
from console.urls_engine import app_name, urlpatterns as engine_patterns

__all__ = ["app_name", "urlpatterns"]

urlpatterns = [
    *engine_patterns,
    path("feeds/", cloud.feeds, name="feeds"),
]
