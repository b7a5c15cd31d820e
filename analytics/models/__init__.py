"""Rows of the engine. All are a tenant's own, under forced row-level security.

In clear are identifiers, kinds, hours, severities, states and counts; whatever a sensor said is
sealed. Large tables are partitioned by receipt day through their UUIDv7 ids.
"""

from analytics.models.alerts import (
    Alert,
    AlertChange,
    AlertSequence,
    AlertState,
    ChangeKind,
)
from analytics.models.destinations import DestinationDay, DestinationSummary
from analytics.models.groups import MonitoringGroups
from analytics.models.series import (
    EvaluationDay,
    IdentityRun,
    IgnoredFields,
    InboxPart,
    Segment,
    SourceSketch,
    Stream,
    Window,
)

__all__ = [
    "Alert",
    "AlertChange",
    "AlertSequence",
    "AlertState",
    "ChangeKind",
    "DestinationDay",
    "DestinationSummary",
    "EvaluationDay",
    "IdentityRun",
    "IgnoredFields",
    "InboxPart",
    "MonitoringGroups",
    "Segment",
    "SourceSketch",
    "Stream",
    "Window",
]
