"""Who acts.

An actor is a kind and an opaque identifier; names live elsewhere, so that erasing a person's name
never edits the log.
"""

import os
import pwd
from dataclasses import dataclass
from typing import Literal, get_args

from audit.errors import Unrecordable

Kind = Literal["staff", "key", "engine", "system", "shell", "anonymous"]
KINDS: frozenset[str] = frozenset(get_args(Kind))
ACTOR_ID_LIMIT = 128
"""Characters of an actor's identifier: a UUID, a key's id or an account's name, with room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts.

    ``staff``: a person, by account id; ``key``: a tenant's API key, by key id; ``engine``: an
    Analytics Engine's Wisdom credential; ``system``: the product itself, by process; ``shell``:
    whoever ran a command on the machine, by its account; ``anonymous``: nobody we know.
    """

    kind: Kind
    id: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise Unrecordable(f"{self.kind!r} is no kind of actor")
        if len(self.id) > ACTOR_ID_LIMIT:
            raise Unrecordable(f"an actor's id has at most {ACTOR_ID_LIMIT} characters")

    def __str__(self) -> str:
        """Return kind and id as one text of at most 138 characters, as columns of deeds have it."""
        return f"{self.kind}:{self.id}"


ANONYMOUS = Actor(kind="anonymous", id="")


def system(process: str) -> Actor:
    """Return the actor of one of our own processes, such as ``sequencer``."""
    return Actor(kind="system", id=process)


def shell() -> Actor:
    """Return the actor of a command run on this machine: the account it runs under."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:  # a container's uid without an account
        name = str(uid)
    return Actor(kind="shell", id=name)
