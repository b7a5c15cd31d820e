"""The real view, in this process. Import it only inside ``throwaway``: it needs models."""

from collections.abc import Callable
from datetime import UTC, datetime

from django.core.handlers.wsgi import WSGIRequest

from analytics.views.events import post_events
from audit.actors import Actor
from bench.corpus.asking import environ_of
from bench.corpus.case import Case
from bench.corpus.judging import Answer
from tenants.actions import create_tenant


def open_door() -> Callable[[Case, bytes], Answer]:
    """Make a tenant; return what sends a body with its key."""
    made = create_tenant(
        name="malformed",
        actor=Actor(kind="shell", id="bench"),
        reason="benchmark",
        now=datetime.now(UTC),  # noqa: TID251 -- a command: it is the caller who knows the time
    )

    def ask(case: Case, body: bytes) -> Answer:
        request = WSGIRequest(environ_of(case, body, key=made.api_key))
        response = post_events(request, "ip")
        return Answer(status=response.status_code, content=response.content)

    return ask
