"""Tawny's client: send network telemetry, read the alerts it leads to.

``tawny.formats`` reads log formats and needs nothing of the network; ``tawny.Client`` talks to the
service. Names below load on first use, so that a program which only reads formats never imports an
HTTP library.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tawny._version import __version__

if TYPE_CHECKING:
    from tawny.answers import (
        Alert,
        AlertPage,
        Contribution,
        Explanation,
        Receipt,
        Status,
        Threat,
    )
    from tawny.client import Client
    from tawny.errors import (
        Forbidden,
        InvalidUrl,
        Overloaded,
        Refused,
        ServerFault,
        TawnyError,
        TooLarge,
        Unauthenticated,
        UnexpectedAnswer,
        Unreachable,
    )
    from tawny.retries import Retry

_HOMES = {
    "Alert": "answers",
    "AlertPage": "answers",
    "Client": "client",
    "Contribution": "answers",
    "Explanation": "answers",
    "Forbidden": "errors",
    "InvalidUrl": "errors",
    "Overloaded": "errors",
    "Receipt": "answers",
    "Refused": "errors",
    "Retry": "retries",
    "ServerFault": "errors",
    "Status": "answers",
    "TawnyError": "errors",
    "Threat": "answers",
    "TooLarge": "errors",
    "Unauthenticated": "errors",
    "UnexpectedAnswer": "errors",
    "Unreachable": "errors",
}

__all__ = [
    "Alert",
    "AlertPage",
    "Client",
    "Contribution",
    "Explanation",
    "Forbidden",
    "InvalidUrl",
    "Overloaded",
    "Receipt",
    "Refused",
    "Retry",
    "ServerFault",
    "Status",
    "TawnyError",
    "Threat",
    "TooLarge",
    "Unauthenticated",
    "UnexpectedAnswer",
    "Unreachable",
    "__version__",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'tawny' has no attribute {name!r}")
    return getattr(import_module(f"tawny.{home}"), name)
