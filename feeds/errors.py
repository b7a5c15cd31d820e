"""Why a feed's new body does not serve.

::

    FeedError
    ├── ListRefused        the body is not the list it should be (a code says what it is instead)
    ├── OptionsRefused     the operator's options do not fit the source
    └── UnknownSource      no module of that name
"""


class FeedError(Exception):
    """Something about a feed is wrong; ``code`` says what and stays the same for good."""

    code = "feed"


class ListRefused(FeedError):  # noqa: N818 -- the tree names what happened, the root says Error
    """A body is not the list it should be; ``code`` tells the kinds apart.

    ``html_page``, ``too_large``, ``not_the_format``, ``truncated``, ``deprecated``, ``emptied``,
    ``mostly_refused``, ``status_NNN``, or the code of ``egress`` when nothing came.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class OptionsRefused(FeedError):  # noqa: N818 -- see ListRefused
    """An operator's options do not fit."""

    code = "options_refused"


class UnknownSource(FeedError):  # noqa: N818 -- see ListRefused
    """No source module has that name."""

    code = "unknown_source"
