"""The order in which the files of a run are read, so that each row finds what it is joined with."""

import re

from tawny.formats.zeek.kinds import FAMILIES, SSL, X509, name_hint

_RANKS = {X509: 0, SSL: 1}
_OTHER_RANK = 2

_INTERVAL = re.compile(
    r"[._-](?P<start>\d\d[:_.]\d\d[:_.]\d\d)-(?P<end>\d\d[:_.]\d\d[:_.]\d\d)(?=\.|$)", re.ASCII
)
_CURRENT = "~"  # sorts after every hour: the file that is still written is the newest


def reading_order(name: str) -> tuple[str, str, int, str]:
    """Give the key that sorts files by folder, rotation, kind and path.

    ``x509`` comes before ``ssl`` and ``ssl`` before all others of one rotation. Rotations are told
    apart where the name says when one ended (``conn.00:00:00-01:00:00.log.gz``); the files of a
    folder whose names do not say it are one rotation, its last.
    """
    path = name.replace("\\", "/")
    folder, _, file = path.rpartition("/")
    log = name_hint(file)
    rank = _RANKS.get(FAMILIES.get(log, log), _OTHER_RANK)
    return folder, _rotation(file), rank, path


def _rotation(file: str) -> str:
    found = _INTERVAL.search(file)
    if found is None:
        return _CURRENT
    start, end = (re.sub("[_.]", ":", found[side]) for side in ("start", "end"))
    return end if end > start else "24:00:00"
