"""Delivers batches in a thread of its own, so that mapping goes on while a request is under way."""

from collections.abc import Callable
from queue import Queue
from threading import Thread
from types import TracebackType
from typing import Self

from tawny.sending.batches import Batch

WAITING_BATCHES = 2  # enough to hide an uneven service, little enough to bound the memory


class Courier:
    """Hands batches to ``deliver`` one after the other, in the order they were put.

    Entering starts the thread; leaving waits for the last batch. The first error of ``deliver`` is
    raised by the next ``put`` or on leaving, and nothing is delivered after it.
    """

    def __init__(self, deliver: Callable[[Batch], None], *, waiting: int = WAITING_BATCHES) -> None:
        self._deliver = deliver
        self._queue: Queue[Batch | None] = Queue(waiting)
        self._failure: BaseException | None = None
        self._abandoned = False
        self._thread = Thread(target=self._run, name="tawny-courier", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:  # the thread is a daemon: a wait for the service ends with us
            self._abandoned = True
            return
        self._queue.put(None)
        self._thread.join()
        self._raise_failure()

    def put(self, batch: Batch) -> None:
        """Take a batch; waits while two others wait."""
        self._raise_failure()
        self._queue.put(batch)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        while (batch := self._queue.get()) is not None:
            if self._failure is not None or self._abandoned:
                continue  # empty the queue, so that no put waits for ever
            try:
                self._deliver(batch)
            except BaseException as error:  # noqa: BLE001 -- kept, and raised in the caller's thread
                self._failure = error
