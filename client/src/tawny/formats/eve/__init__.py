"""Suricata's EVE JSON, one object a line, of all versions from 2 to 8 (dns v1, v2 and v3).

``dns`` becomes dns events (one for each question), ``flow`` ip, ``http`` http, ``tls`` and ``quic``
tls, ``dhcp`` lease events. Other types are recognised and counted as skipped; so is ``netflow``,
whose two records of one flow do not say which side opened it.

Source: https://docs.suricata.io/en/latest/output/eve/eve-json-format.html.
"""

from tawny.formats.eve.parser import EveParser as Parser
from tawny.formats.eve.rows import Joins

__all__ = ["Joins", "Parser"]
