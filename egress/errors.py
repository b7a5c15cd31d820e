"""Why nothing was fetched.

::

    EgressError
    ├── UrlRefused        not a URL we follow: scheme, port, user part, odd host
    ├── TargetRefused     the host leads to an address that the policy does not open
    ├── Unresolvable      the name has no address
    ├── ConnectFailed     nobody answered at any of its addresses
    ├── TlsFailed         the peer could not prove who it is
    ├── TimedOut          connecting, one read or the whole took too long
    ├── TooLarge          more bytes than the limits let in, as sent or inflated
    ├── RedirectRefused   a redirect where none (or no further one) is followed
    └── BrokenAnswer      not HTTP, cut short, or an encoding nobody asked for
"""


class EgressError(Exception):
    """Nothing was fetched; ``code`` says why and stays the same for good."""

    code = "egress"


class UrlRefused(EgressError):  # noqa: N818 -- the tree names what happened, the root says Error
    """The URL is not one we follow."""

    code = "url_refused"


class TargetRefused(EgressError):  # noqa: N818 -- see UrlRefused
    """The host leads to an address that the policy does not open."""

    code = "target_refused"


class Unresolvable(EgressError):  # noqa: N818 -- see UrlRefused
    """The name has no address."""

    code = "unresolvable"


class ConnectFailed(EgressError):  # noqa: N818 -- see UrlRefused
    """Nobody answered at any of the addresses."""

    code = "connect_failed"


class TlsFailed(EgressError):  # noqa: N818 -- see UrlRefused
    """The peer could not prove who it is."""

    code = "tls_failed"


class TimedOut(EgressError):  # noqa: N818 -- see UrlRefused
    """Connecting, one read or the whole exchange took too long."""

    code = "timed_out"


class TooLarge(EgressError):  # noqa: N818 -- see UrlRefused
    """More bytes came than the limits let in."""

    code = "too_large"


class RedirectRefused(EgressError):  # noqa: N818 -- see UrlRefused
    """A redirect came where none, or no further one, is followed."""

    code = "redirect_refused"


class BrokenAnswer(EgressError):  # noqa: N818 -- see UrlRefused
    """The answer is not HTTP, is cut short, or is encoded in a way nobody asked for."""

    code = "broken_answer"
