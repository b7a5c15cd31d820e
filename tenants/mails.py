"""What mails say: plain, short, and never a key. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail to one person."""

    to: str
    subject: str
    body: str

    def __repr__(self) -> str:
        return f"Mail({self.subject!r})"


def verification(*, to: str, url: str, days: int) -> Mail:
    """Write the mail that asks whether an address is its reader's."""
    return Mail(
        to=to,
        subject="Confirm your address",
        body=(
            "Somebody registered this address with Tawny. If it was you, open this link and press"
            f" the button:\n\n{url}\n\nThe link works once, for {days} days. If it was not you,"
            " do nothing.\n"
        ),
    )


def reset(*, to: str, workspace: str, url: str, minutes: int) -> Mail:
    """Write the mail that lets an owner replace a lost key."""
    return Mail(
        to=to,
        subject="Replace your API key",
        body=(
            f"Somebody asked for a new API key of the workspace {workspace}. If it was you, open"
            f" this link and press the button; the key is shown once:\n\n{url}\n\nThe link works"
            f" once, for {minutes} minutes. If it was not you, do nothing: your keys go on.\n"
        ),
    )
