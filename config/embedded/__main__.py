"""``python -m config.embedded run`` and ``python -m config.embedded exec -- COMMAND ...``."""

import argparse
import datetime as dt
import sys

from config.embedded.attachment import execute
from config.embedded.errors import EmbeddedError
from config.embedded.launch import run


def main(arguments: list[str]) -> int:
    """Carry out the command; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m config.embedded")
    deeds = parser.add_subparsers(dest="deed", required=True)
    deeds.add_parser("run", help="start everything and keep it running until Ctrl-C")
    execution = deeds.add_parser("exec", help="run a command with the servers within reach")
    execution.add_argument("command", nargs="+", metavar="COMMAND")
    options = parser.parse_args(arguments)
    try:
        if options.deed == "run":
            return run(now=dt.datetime.now(dt.UTC))  # noqa: TID251 -- a command's clock
        return execute(options.command)
    except EmbeddedError as failure:
        sys.stderr.write(f"tawny: {failure}\n")
        return failure.exit_status
    except PermissionError as failure:
        sys.stderr.write(f"tawny: {failure}: does another user own it?\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
