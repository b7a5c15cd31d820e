"""Pages read to their end or for ever, with a checkpoint that follows what the caller took."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from tawny.asking import Asking
from tawny.calls import Call
from tawny.checkpoints import Checkpoint
from tawny.errors import Overloaded, ServerFault, UnexpectedAnswer, Unreachable, Untrusted
from tawny.retries import Pause
from tawny.steps import Give, Script, Stream, Wait, work


class Page(Protocol):
    """What alerts and findings have in common: where the next page starts and if it is there."""

    @property
    def follow(self) -> str:
        """Where the next page starts."""

    @property
    def more(self) -> bool:
        """Whether it is there already."""


PageT = TypeVar("PageT", bound=Page)
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed(Generic[PageT, Item]):
    """A list that grows: the call for the page after a token, and what a page holds."""

    call: Callable[[str], Call[PageT]]
    items: Callable[[PageT], Sequence[Item]]


@dataclass(slots=True, kw_only=True)
class Reader(Generic[PageT, Item]):
    """Reads a feed from ``follow``, or from where the checkpoint is, or from the oldest.

    The place moves past a page when the caller has taken its last item and asks for more: after a
    break the page in hand is given again as a whole.
    """

    asking: Asking
    feed: Feed[PageT, Item]
    follow: str
    checkpoint: Checkpoint | None

    def once(self) -> Stream[Item]:
        """Give everything there is now, oldest first."""
        yield from self._find_place()
        yield from self._to_the_end()

    def for_ever(self, interval: float) -> Stream[Item]:
        """Give everything there is, then look again every ``interval`` seconds.

        A service that is away for a while is waited for; other errors are raised.
        """
        yield from self._find_place()
        while True:
            try:
                yield from self._to_the_end()
            except (Unreachable, Overloaded, ServerFault) as error:
                if isinstance(error, Untrusted):
                    raise
                self.asking.say(Pause(reason=str(error), seconds=interval))
            yield Wait(interval)

    def _to_the_end(self) -> Stream[Item]:
        while True:
            page = yield from self.asking.ask(self.feed.call(self.follow))
            for item in self.feed.items(page):
                yield Give(item)
            advances = page.follow != self.follow
            if advances:
                yield from self._move(page.follow)
            if not page.more:
                return
            if not advances:
                raise UnexpectedAnswer("the pages do not advance: more, but the same follow")

    def _find_place(self) -> Script[None]:
        if not self.follow and self.checkpoint:
            self.follow = yield from work(self.checkpoint.load)

    def _move(self, follow: str) -> Script[None]:
        self.follow = follow
        if self.checkpoint:
            yield from work(partial(self.checkpoint.save, follow))


def itself(page: Any) -> Sequence[Any]:
    """Give pages as they are, not what they hold."""
    return (page,)
