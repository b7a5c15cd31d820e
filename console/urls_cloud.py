"""The console of a deployment that has feeds and Wisdom too."""

from django.urls import path

from console.cloud import views as cloud
from console.urls_engine import app_name, urlpatterns as engine_patterns

__all__ = ["app_name", "urlpatterns"]

WITH_FEEDS = {
    "overview": path("", cloud.overview, name="overview"),
    "live": path("live/", cloud.live, name="live"),
    "search": path("search/", cloud.search, name="search"),
}
"""Pages of the engine's that say more where there are feeds."""

urlpatterns = [
    *(WITH_FEEDS.get(str(each.name), each) for each in engine_patterns),
    path("feeds/", cloud.feeds, name="feeds"),
    path("feeds/<slug:feed>/switch/", cloud.switch, name="feed_switch"),
    path("feeds/<slug:feed>/refresh/", cloud.refresh, name="feed_refresh"),
    path("feeds/<slug:feed>/accept/", cloud.accept, name="feed_accept"),
]
