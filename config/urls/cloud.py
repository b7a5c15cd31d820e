"""Engine, Wisdom and feeds: what the cloud serves."""

from django.urls import include, path

from analytics.openapi import OPERATIONS as ANALYTICS
from config import health
from config.openapi import schema_view
from tenants.openapi import OPERATIONS as TENANTS
from wisdom.openapi import OPERATIONS as WISDOM

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("v1/schema", schema_view(TENANTS, ANALYTICS, WISDOM)),
    path("", include("tenants.urls")),
    path("", include("analytics.urls")),
    path("", include("wisdom.urls")),
    path("console/", include("console.urls_cloud")),
]

handler400 = "console.errors.bad_request"
handler403 = "console.errors.forbidden"
handler404 = "console.errors.not_found"
handler500 = "config.errors.server_error"
