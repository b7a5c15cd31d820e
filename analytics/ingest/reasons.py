"""Why an event is not taken: the closed list that clients see as keys of ``rejected``."""

from enum import StrEnum


class Reason(StrEnum):
    """One reason per rejected event: the first that was met, in the order of the event's fields."""

    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    TS_MISSING = "ts_missing"
    TS_INVALID = "ts_invalid"
    TS_FUTURE = "ts_future"
    SRC_MISSING = "src_missing"
    SRC_INVALID = "src_invalid"
    DEST_MISSING = "dest_missing"
    DEST_INVALID = "dest_invalid"
    QUERY_INVALID = "query_invalid"
    URL_INVALID = "url_invalid"
    NUMBER_OUT_OF_RANGE = "number_out_of_range"


class Unreadable(Exception):  # noqa: N818 -- reads as a fact
    """A request body of which nothing may be taken; `message` may be shown to its sender."""

    code = "unreadable"
    status = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class TooLarge(Unreadable):
    """A request body past the cap."""

    code = "too_large"
    status = 413
