"""The engine's routes, as existing clients know them."""

from django.urls import path

from analytics.views import (
    account,
    alerts,
    destinations,
    events,
    findings,
    groups,
    inventory,
    lookup,
)

urlpatterns = [
    path("v1/events/<str:kind>", events.post_events, name="events"),
    path("v1/alerts", alerts.Alerts.as_view(), name="alerts"),
    path("v1/findings", findings.Findings.as_view(), name="findings"),
    path("v1/dailyDestinations", destinations.DailyDestinations.as_view(), name="destinations"),
    path("v1/groups/raw", groups.RawGroups.as_view(), name="groups"),
    path("v1/account/status", account.AccountStatus.as_view(), name="account-status"),
    path("v1/ae/inventory/flags", inventory.Flags.as_view(), name="inventory-flags"),
    path("v1/ae/inventory/threats", inventory.Threats.as_view(), name="inventory-threats"),
    path("v1/wisdom", lookup.WisdomLookup.as_view(), name="wisdom-lookup"),
]
