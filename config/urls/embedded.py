"""Everything on one machine: the cloud's routes."""

from config.urls.cloud import handler400, handler403, handler404, handler500, urlpatterns

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]
