"""Both clients behind one calling convention, so that each test runs against each of them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from inspect import isasyncgen, isawaitable
from random import Random
from typing import Any, Self

from tawny import AsyncClient, Client, Retry
from tests.client.loopback import KEY


class Waits(list[float]):
    """Notes the waits and does not wait; ends a test at the wait numbered ``last``."""

    last: int | None = None

    def __call__(self, seconds: float) -> None:
        self.append(seconds)
        if self.last is not None and len(self) > self.last:
            raise Waited

    async def awaited(self, seconds: float) -> None:
        self(seconds)


class Waited(Exception):  # noqa: N818 -- not an error: the end of an endless reading
    """The reader waits as often as the test wanted to see."""


class Driven:
    """An ``AsyncClient`` that is called like a ``Client``, on an event loop of its own."""

    def __init__(self, make: Callable[[], AsyncClient]) -> None:
        self._runner = asyncio.Runner()
        self.client = self._runner.run(self._made(make))

    async def _made(self, make: Callable[[], AsyncClient]) -> AsyncClient:
        return make()

    def __enter__(self) -> Self:
        self._runner.run(self.client.__aenter__())
        return self

    def __exit__(self, *error: object) -> None:
        del error
        self._runner.run(self.client.__aexit__(None, None, None))
        self._runner.close()

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            came = getattr(self.client, name)(*arguments, **options)
            if isasyncgen(came):
                return self._items(came)
            return self._runner.run(_result(came)) if isawaitable(came) else came

        return call

    def _items(self, source: Any) -> Iterator[Any]:
        try:
            while True:
                try:
                    item = self._runner.run(anext(source))
                except StopAsyncIteration:
                    return
                yield item
        finally:
            self._runner.run(source.aclose())


async def _result(came: Awaitable[Any]) -> Any:
    return await came


class Face:
    """Makes clients of one of the two kinds."""

    def __init__(self, *, name: str) -> None:
        self.name = name

    def client(self, url: str, waits: Waits | None = None, **options: Any) -> Any:
        """Open a client whose jitter is fixed and whose waits are noted."""
        waits = Waits() if waits is None else waits
        given: dict[str, Any] = {"retry": Retry(), "random": Random(1)} | options
        if self.name == "sync":
            return Client(url, KEY, sleep=waits, **given)
        return Driven(lambda: AsyncClient(url, KEY, sleep=waits.awaited, **given))
