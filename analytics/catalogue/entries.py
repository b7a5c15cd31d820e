"""What a catalogue entry says about a detection or a threat."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A threshold: its name, value, unit, and the reason for it."""

    name: str
    value: float
    unit: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One detection or threat, as inventory, documentation and alerts show it.

    Attributes
    ----------
    id
        Stable and snake case: an existing client's where it knows one, else ours.
    severity
        The most it can reach, 1 (informational) to 5 (critical); `severity_rule` says when.
    policy
        True for hygiene rather than infection.
    attack
        MITRE ATT&CK as ``tactic:technique``.
    telemetry
        Event kinds and fields needed.
    directions
        Those it runs on: out, in, inside, transit.

    """

    id: str
    title: str
    severity: int
    severity_rule: str
    policy: bool
    attack: tuple[str, ...]
    telemetry: tuple[str, ...]
    directions: tuple[str, ...]
    formula: str
    limits: tuple[Limit, ...]
    false_positives: tuple[str, ...]
    triage: tuple[str, ...]
    version: int
