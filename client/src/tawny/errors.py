"""What can go wrong between a client and the service.

TawnyError
 ├── InvalidUrl          invalid_url         the address of the service cannot be used
 ├── CheckpointUnusable  checkpoint_unusable a checkpoint cannot be read or written
 ├── Unreachable         unreachable         no answer arrived, to the last attempt
 │    └── Untrusted        untrusted             the certificate is not one to be trusted
 ├── UnexpectedAnswer    unexpected_answer   an answer that is not this API's
 └── Refused             refused             an answer with an error status
      ├── Unauthenticated   unauthenticated     401: the key is unknown
      ├── Forbidden         forbidden           403: revoked, expired or not allowed to do this
      ├── TooLarge          too_large           413: the request is larger than allowed
      ├── Overloaded        overloaded          429 or 503, to the last attempt
      └── ServerFault       server_fault        another 5xx, to the last attempt

``code`` is stable; messages are for people and never contain the key.
"""

# ruff: noqa: N818 -- the names say what happened; the root says that they are errors

from typing import ClassVar


class TawnyError(Exception):
    """Anything this client raises about the service."""

    code: ClassVar[str] = "error"


class InvalidUrl(TawnyError):
    """The address of the service, or a proxy before it, cannot be used."""

    code = "invalid_url"


class CheckpointUnusable(TawnyError):
    """A checkpoint cannot be read or written; without its file reading starts from the oldest."""

    code = "checkpoint_unusable"


class Unreachable(TawnyError):
    """No answer arrived, to the last attempt."""

    code = "unreachable"


class Untrusted(Unreachable):
    """The service's certificate is not one to be trusted; trying again would not help."""

    code = "untrusted"


class UnexpectedAnswer(TawnyError):
    """The answer is not one of this API: perhaps the address is another service's."""

    code = "unexpected_answer"


class Refused(TawnyError):
    """The service answered with an error; ``status`` is the HTTP status.

    ``problem`` is the service's own code for it or empty, ``retry_after`` the header of that name
    as it came.
    """

    code = "refused"

    def __init__(
        self, status: int, message: str, retry_after: str | None = None, problem: str = ""
    ) -> None:
        super().__init__(status, message, retry_after, problem)  # all of them: it may be pickled
        self.status = status
        self.message = message
        self.retry_after = retry_after
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.status}: {self.message}"


class Unauthenticated(Refused):
    """The service does not know the key."""

    code = "unauthenticated"


class Forbidden(Refused):
    """The key is revoked, expired or not allowed to do this, or its tenant suspended."""

    code = "forbidden"


class TooLarge(Refused):
    """The request is larger than the service or something before it allows."""

    code = "too_large"


class Overloaded(Refused):
    """The service asked for patience until the client had none left."""

    code = "overloaded"


class ServerFault(Refused):
    """The service failed, to the last attempt."""

    code = "server_fault"


_BY_STATUS: dict[int, type[Refused]] = {
    401: Unauthenticated,
    403: Forbidden,
    413: TooLarge,
    429: Overloaded,
    503: Overloaded,
}


def refusal(
    status: int, message: str, retry_after: str | None = None, problem: str = ""
) -> Refused:
    """Make the error that stands for an HTTP error status."""
    kind = _BY_STATUS.get(status, ServerFault if status >= 500 else Refused)
    return kind(status, message, retry_after, problem)
