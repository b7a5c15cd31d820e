"""Zeek logs, as TSV with its ``#`` headers and as JSON with one object a line.

``conn`` and ``open_conn`` (a snapshot of a session that is not over yet) become ``ip`` events,
``dns`` becomes ``dns`` events; every other kind is recognised and counted as skipped.

Source: https://docs.zeek.org/en/current/scripts/base/protocols/conn/main.zeek.html (and dns).
"""

from tawny.formats.zeek.parser import ZeekParser as Parser

__all__ = ["Parser"]
