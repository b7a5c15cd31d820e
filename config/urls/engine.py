"""The Analytics Engine alone: its API and its console."""

from django.urls import include, path

from config import health

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("", include("analytics.urls")),
    path("console/", include("console.urls_engine")),
]

handler400 = "console.errors.bad_request"
handler403 = "console.errors.forbidden"
handler404 = "console.errors.not_found"
handler500 = "config.errors.server_error"
