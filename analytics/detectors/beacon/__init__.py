"""Beacons: contacts too regular for chance, found under jitter, misses and extra traffic.

Model
    H1: a program calls home every ``p`` seconds, each interval uniform within
    ``p (1 +- j)``; a beat is missed with chance ``m``; the beats hide among Poisson extra
    contacts that are a share ``v`` of all. Symmetric, shortening (Cobalt Strike) and
    lengthening (Sliver) jitter are this one family under another ``p`` and ``j``. Sizes in
    both directions are marks: beats may have sizes of their own.
    H0: the best of exponential, log-normal (sigma >= 1.05) and two-exponential gaps.
Formula
    score = max over (p, j, m, v) of [log L1 - ln(0.52 / j) - 2 ln(0.97 / (1 - v))]
    - max log L0, the largest over the looks at the pair's day (`looks`), at most `CAP`.
    The subtracted terms pay for the search: of fine periods, and of contacts set aside.
Units
    Nats. e^score is how many times likelier the best beacon is than the best aperiodic
    source, after the search is paid for.
Reading
    Under 8 nothing; 8 (`CANDIDATE`) is reached by about 1 % of aperiodic days; 10 (`ALERT`)
    by 0.2 % (8 of 3,590; 1 % on the worst control); 60 (`CAP`) ends the search. A clean
    beacon reaches 10 in 6 to 8 contacts, one with +-50 % jitter in 15. A high score says
    "clockwork", never "malicious": push services, time and telemetry score as high;
    context decides.
Limits
    Fewer than six contacts; a span under two minutes; periods under 0.8 s; from outside
    (`INBOUND`) more is asked; name and time service is left out. Beats an hour apart with
    +-50 % jitter, misses and noise cannot be told from chance within one day by anybody.
Sources
    Hu et al., BAYWATCH, DSN 2016, doi 10.1109/DSN.2016.50 (periodicity at scale);
    Rabiner 1989, doi 10.1109/5.18626 (forward recursion); Yu 2010,
    doi 10.1016/j.artint.2009.11.011 (hidden semi-Markov models).
"""

from analytics.detectors.beacon.detection import (
    ALERT,
    CANDIDATE,
    CAP,
    DETECTION,
    INBOUND,
    STANDARD,
    STRONG,
    Best,
    Demand,
    best_look,
    demanded,
    detect,
    find,
)

__all__ = [
    "ALERT",
    "CANDIDATE",
    "CAP",
    "DETECTION",
    "INBOUND",
    "STANDARD",
    "STRONG",
    "Best",
    "Demand",
    "best_look",
    "demanded",
    "detect",
    "find",
]
