"""REST framework's door to msgspec: structs are rendered as they are, at the speed of C."""

from collections.abc import Mapping
from typing import Any

import msgspec
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

_encode = msgspec.json.Encoder().encode


class AlwaysJson(DefaultContentNegotiation):
    """Answer in JSON whatever ``Accept`` and ``?format=`` say: no client may get a 404 or 406."""

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002 -- the framework's signature
        renderers: Any,
        format_suffix: str | None = None,  # noqa: ARG002 -- the framework's signature
    ) -> Any:
        """Choose the first renderer."""
        return renderers[0], renderers[0].media_type


class StructRenderer(BaseRenderer):
    """Render an answer as JSON; structs and dataclasses need no serializer."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002 -- the framework's signature
        renderer_context: Mapping[str, Any] | None = None,  # noqa: ARG002 -- the framework's signature
    ) -> bytes:
        """Return the body."""
        return _encode(data)
