"""The Analytics Engine alone: its API and its console."""

from django.urls import include, path

from analytics.openapi import OPERATIONS as ANALYTICS
from config import health
from config.openapi import schema_view
from tenants.openapi import OPERATIONS as TENANTS

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("v1/schema", schema_view(TENANTS, ANALYTICS)),
    path("", include("tenants.urls")),
    path("", include("analytics.urls")),
    path("console/", include("console.urls_engine")),
]

handler400 = "console.errors.bad_request"
handler403 = "console.errors.forbidden"
handler404 = "console.errors.not_found"
handler500 = "config.errors.server_error"
