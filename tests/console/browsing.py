"""What a browser says on its console."""

from collections.abc import Callable

from playwright.sync_api import ConsoleMessage

CLEARED = "Clear-Site-Data header"
"""Said of each sign-out: what was cleared, and no complaint."""


def noting(problems: list[str]) -> Callable[[ConsoleMessage], None]:
    """Return a listener that keeps what is no mere report."""

    def note(message: ConsoleMessage) -> None:
        if not message.text.startswith(CLEARED):
            problems.append(message.text)

    return note
