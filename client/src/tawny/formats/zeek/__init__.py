"""Zeek logs, as TSV with its ``#`` headers and as JSON with one object a line.

``conn`` becomes ``ip`` events, ``dns`` dns, ``http`` http, ``ssl`` tls (with the certificate that
``x509`` has), ``dhcp`` lease events; ``open_conn``, ``open_http`` and ``open_ssl`` (snapshots of
what is not over yet) become what their logs become. Other kinds are recognised and counted as
skipped.

Source: https://docs.zeek.org/en/current/script-reference/log-files.html.
"""

from tawny.formats.zeek.joins import Joins
from tawny.formats.zeek.order import reading_order
from tawny.formats.zeek.parser import ZeekParser as Parser

__all__ = ["Joins", "Parser", "reading_order"]
