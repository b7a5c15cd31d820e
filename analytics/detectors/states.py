"""How a connection went, told from its state and, without one, from what came back."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

UDP = 17
"""IANA protocol number of UDP."""


class ConnState(IntEnum):
    """Codes of the column `states`: Zeek's `conn_state`, and UNSET where there is none."""

    UNSET = 0
    S0 = 1
    S1 = 2
    SF = 3
    REJ = 4
    S2 = 5
    S3 = 6
    RSTO = 7
    RSTR = 8
    RSTOS0 = 9
    RSTRH = 10
    SH = 11
    SHR = 12
    OTH = 13


class Outcome(IntEnum):
    """What an attempt came to; the larger value wins when one connection has several rows."""

    UNSEEN = 0
    FAILED = 1
    ANSWERED = 2


UNFINISHED = (ConnState.S1, ConnState.OTH)
"""States of a connection whose end was not seen: S1 was opened and not closed, OTH was
joined midstream."""

_BY_STATE: NDArray[np.uint8] = np.full(256, Outcome.UNSEEN, dtype=np.uint8)
# The originator asked and nobody let it in: no reply (S0), refused (REJ), gave up with a
# reset (RSTOS0) or a FIN (SH) before any SYN-ACK.
_BY_STATE[[ConnState.S0, ConnState.REJ, ConnState.RSTOS0, ConnState.SH]] = Outcome.FAILED
# Opened in both directions, however it ended.
_BY_STATE[
    [ConnState.SF, ConnState.S1, ConnState.S2, ConnState.S3, ConnState.RSTO, ConnState.RSTR]
] = Outcome.ANSWERED
# RSTRH and SHR stay UNSEEN: only the responder's half was captured, so that nobody knows
# whether the source tried (it may be backscatter of a forged address) or succeeded.


def outcomes(
    states: NDArray[np.uint8],
    *,
    bytes_out: NDArray[np.int64],
    bytes_in: NDArray[np.int64],
    packets_in: NDArray[np.int64] | None = None,
    protocols: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Return the `Outcome` of each row.

    Parameters
    ----------
    states
        `ConnState` codes, shape ``(n,)``.
    bytes_out, bytes_in, packets_in
        Counts, shape ``(n,)``; -1 is unset.
    protocols
        IANA protocol numbers, shape ``(n,)``; 0 or None is unknown.

    Notes
    -----
    Without a state a row failed when nothing came back: no packet in, or no byte either
    way. No byte in alone does not do, because one client reports the sum of both
    directions as sent. All counts unset is taken as answered. UDP without a byte either
    way is UNSEEN: such a datagram hardly exists, and that client writes 0 for what it does
    not know. OTH (midstream, and all of ICMP) is answered only if bytes came back. An
    unanswered UDP datagram with a payload (syslog, NetFlow, multicast) is a one-way
    message, not a failed contact: UNSEEN.

    """
    out = _BY_STATE[states]
    unset = states == ConnState.UNSET
    if unset.any():
        silent = (bytes_in == 0) & (bytes_out == 0)
        unanswered = silent if packets_in is None else silent | (packets_in == 0)
        out[unset] = np.where(unanswered[unset], Outcome.FAILED, Outcome.ANSWERED)
        if protocols is not None:
            unknown = silent if packets_in is None else silent & (packets_in != 0)
            out[unset & unknown & (protocols == UDP)] = Outcome.UNSEEN
    out[(states == ConnState.OTH) & (bytes_in > 0)] = Outcome.ANSWERED
    if protocols is not None:
        out[(protocols == UDP) & (out == Outcome.FAILED) & (bytes_out > 0)] = Outcome.UNSEEN
    return out
