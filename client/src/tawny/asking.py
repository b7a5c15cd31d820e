"""One call made until it is answered or hopeless: the script of the retries."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TypeVar

import msgspec

from tawny.calls import Call
from tawny.errors import Refused, UnexpectedAnswer, Unreachable, Untrusted, refusal
from tawny.retries import Attempts, Pause, Retry, seconds_asked_for
from tawny.steps import Attempt, Reply, Script, Wait

Answer = TypeVar("Answer")

MESSAGE_SHOWN = 300  # characters of an error's text: a proxy may answer a whole page
OK = 200
TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How calls are made: how often again, after which waits, and who hears of them."""

    retry: Retry
    random: Random
    clock: Callable[[], float]
    on_pause: Callable[[Pause], None] | None = None

    def ask(self, call: Call[Answer]) -> Script[Answer]:
        """Make a call, again if that may help; come to its decoded answer."""
        attempts = Attempts(retry=self.retry, random=self.random)
        while True:
            outcome: Reply | Unreachable | UnexpectedAnswer = yield Attempt(call)
            if isinstance(outcome, Reply) and outcome.status == OK:
                return _decoded(outcome.body, call.decode)
            error = _error(outcome) if isinstance(outcome, Reply) else outcome
            wait = self._wait(error, attempts)
            if wait is None:
                raise error
            self.say(Pause(reason=str(error), seconds=wait))
            yield Wait(wait)

    def say(self, pause: Pause) -> None:
        """Tell whoever wants to hear of waits."""
        if self.on_pause:
            self.on_pause(pause)

    def _wait(self, error: Exception, attempts: Attempts) -> float | None:
        """Give the seconds before the next attempt, None if the same call cannot succeed later."""
        if isinstance(error, Unreachable) and not isinstance(error, Untrusted):
            return attempts.delay(retry_after=None)
        if isinstance(error, Refused) and (
            error.status == TOO_MANY_REQUESTS or error.status >= 500
        ):
            asked = seconds_asked_for(error.retry_after, epoch=self.clock())
            return attempts.delay(retry_after=asked)
        return None


def _error(reply: Reply) -> Refused | UnexpectedAnswer:
    if reply.status < 400:
        whither = f" to {reply.location[:MESSAGE_SHOWN]}" if reply.location else ""
        return UnexpectedAnswer(f"the service answered {reply.status}{whither}")
    message, problem = complaint(reply.body)
    return refusal(reply.status, message, reply.retry_after, problem)


def _decoded(body: bytes, decode: Callable[[bytes], Answer]) -> Answer:
    try:
        return decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnexpectedAnswer(f"an answer that is not this API's: {error}") from error


class _Complaint(msgspec.Struct):
    message: str
    code: str = ""


def complaint(body: bytes) -> tuple[str, str]:
    """Read an error's message and code; of anything else the beginning of its text."""
    try:
        said = msgspec.json.decode(body, type=_Complaint)
        text, problem = said.message, said.code
    except (msgspec.DecodeError, UnicodeDecodeError):
        text, problem = body[:MESSAGE_SHOWN].decode("utf-8", "replace"), ""
    return " ".join(text.split())[:MESSAGE_SHOWN] or "no explanation", problem
