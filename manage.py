#!/usr/bin/env python
"""Django's commands, with the embedded servers within reach where the embedded settings are used.

``DJANGO_SETTINGS_MODULE`` chooses another deployment; nothing is started then.
"""

import os
import sys
from contextlib import AbstractContextManager, nullcontext

from django.core.management import execute_from_command_line

from config import logs, memory
from config.embedded.attachment import attached
from config.embedded.errors import EmbeddedError
from tenants.errors import KeyUnavailable

EMBEDDED = "config.settings.embedded"
WITHOUT_SERVERS = frozenset(
    {
        "check",  # unless --database asks it to look into one
        "collectstatic",
        "diffsettings",
        "drain",  # says by its exit status that nothing runs, so it must not make something run
        "findstatic",
        "help",
        "makemigrations",
        "sendtestemail",
        "startapp",
        "startproject",
        "test",
        "version",
    }
)
AS_OWNER = frozenset({"migrate", "showmigrations", "sqlmigrate", "audit retire"})
ASKS_ONLY = frozenset({"-h", "--help", "--version"})


def servers_for(arguments: list[str]) -> AbstractContextManager[object]:
    """Return the context that a command needs: the servers, or nothing."""
    command = arguments[0] if arguments else "help"
    elsewhere = os.environ["DJANGO_SETTINGS_MODULE"] != EMBEDDED or any(
        each.startswith("--settings") for each in arguments
    )
    if elsewhere or ASKS_ONLY.intersection(arguments):
        return nullcontext()
    looks = command == "check" and any(each.startswith("--database") for each in arguments)
    if command in WITHOUT_SERVERS and not looks:
        return nullcontext()
    return attached(migrated=command != "migrate")


def main() -> None:
    """Run the command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", EMBEDDED)
    if AS_OWNER.intersection({" ".join(sys.argv[1:2]), " ".join(sys.argv[1:3])}):
        os.environ.setdefault("TAWNY_DB_ROLE", "owner")
    memory.keep_private()
    logs.hook()
    try:
        with servers_for(sys.argv[1:]):
            execute_from_command_line(sys.argv)
    except KeyUnavailable as missing:
        sys.stderr.write(f"tawny: a key is not available: {missing}\n")
        sys.exit(os.EX_TEMPFAIL)
    except EmbeddedError as failure:
        sys.stderr.write(f"tawny: {failure}\n")
        sys.exit(failure.exit_status)


if __name__ == "__main__":
    main()
