"""Which middleware a request passes: the console's for people, hardly any for clients.

Sessions, cookies, forms and the staff's gate belong to pages; on the API they would cost five times
what the smallest answer does, and no client of it has a cookie. One middleware chooses the chain by
the path, so that a view meets what was meant for it however it is mounted.
"""

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

from config.errors import key_unavailable
from tenants.errors import KeyUnavailable

Answer = Callable[[HttpRequest], HttpResponseBase]
ViewHook = Callable[..., HttpResponseBase | None]

API = ("/v1/", "/v2/", "/healthz", "/readyz")
"""Where the paths of the API begin; anything else is taken for a page, and gated as one."""
API_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
"""What a browser that is led to an answer of the API may do with it, and a cache: nothing."""
_UNKNOWN_HOOKS = ("process_exception", "process_template_response")


class ByDoor:
    """Answer through the console's middleware or the API's."""

    def __init__(self, get_response: Answer) -> None:
        self._pages, self._page_hooks = _chain(settings.PAGE_MIDDLEWARE, get_response)
        self._api, self._api_hooks = _chain(settings.API_MIDDLEWARE, get_response)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on."""
        if not _is_api(request):
            return self._pages(request)
        response = self._api(request)
        for name, value in API_HEADERS.items():  # a page behind a mailed link has its own
            response.headers.setdefault(name, value)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Let the chain's middleware answer in the view's place, as the framework would."""
        for hook in self._api_hooks if _is_api(request) else self._page_hooks:
            response = hook(request, view, args, kwargs)
            if response is not None:
                return response
        return None

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """Answer for a view that found no key; what a chain raises, `config.errors` answers."""
        if isinstance(exception, KeyUnavailable):
            return key_unavailable(request, exception)
        return None


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(API)


def _chain(names: list[str], get_response: Answer) -> tuple[Answer, list[ViewHook]]:
    """Build a chain as `BaseHandler.load_middleware` does."""
    handler, hooks = get_response, list[ViewHook]()
    for name in reversed(names):
        middleware = import_string(name)(handler)
        if any(hasattr(middleware, hook) for hook in _UNKNOWN_HOOKS):
            raise ImproperlyConfigured(f"{name} has a hook that config.middleware does not pass on")
        if hasattr(middleware, "process_view"):
            hooks.insert(0, middleware.process_view)
        handler = cast("Answer", convert_exception_to_response(middleware))
    return handler, hooks
