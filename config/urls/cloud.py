"""Engine, Wisdom and feeds: what the cloud serves."""

from django.urls import include, path

from config import health

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("", include("analytics.urls")),
    path("", include("wisdom.urls")),
    path("console/", include("console.urls_cloud")),
]

handler400 = "console.errors.bad_request"
handler403 = "console.errors.forbidden"
handler404 = "console.errors.not_found"
handler500 = "config.errors.server_error"
