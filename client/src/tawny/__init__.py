"""Tawny's client: send network telemetry, read the alerts it leads to.

``tawny.formats`` reads log formats and needs nothing of the network; ``tawny.Client`` and
``tawny.AsyncClient`` talk to the service. Names below load on first use, so that a program which
only reads formats never imports an HTTP library.
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
        Finding,
        FindingPage,
        Flag,
        KeyStatus,
        Lookup,
        Message,
        Reason,
        Receipt,
        Status,
        Threat,
    )
    from tawny.async_client import AsyncClient
    from tawny.checkpoints import Checkpoint, FileCheckpoint
    from tawny.client import Client
    from tawny.errors import (
        CheckpointUnusable,
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
        Untrusted,
    )
    from tawny.retries import Pause, Retry

_HOMES = {
    "Alert": "answers",
    "AlertPage": "answers",
    "AsyncClient": "async_client",
    "Checkpoint": "checkpoints",
    "CheckpointUnusable": "errors",
    "Client": "client",
    "Contribution": "answers",
    "Explanation": "answers",
    "FileCheckpoint": "checkpoints",
    "Finding": "answers",
    "FindingPage": "answers",
    "Flag": "answers",
    "Forbidden": "errors",
    "InvalidUrl": "errors",
    "KeyStatus": "answers",
    "Lookup": "answers",
    "Message": "answers",
    "Overloaded": "errors",
    "Pause": "retries",
    "Reason": "answers",
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
    "Untrusted": "errors",
}

__all__ = [
    "Alert",
    "AlertPage",
    "AsyncClient",
    "Checkpoint",
    "CheckpointUnusable",
    "Client",
    "Contribution",
    "Explanation",
    "FileCheckpoint",
    "Finding",
    "FindingPage",
    "Flag",
    "Forbidden",
    "InvalidUrl",
    "KeyStatus",
    "Lookup",
    "Message",
    "Overloaded",
    "Pause",
    "Reason",
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
    "Untrusted",
    "__version__",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'tawny' has no attribute {name!r}")
    return getattr(import_module(f"tawny.{home}"), name)
