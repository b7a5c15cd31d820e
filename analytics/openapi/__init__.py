"""The engine's doors as data, beside the views that answer them."""

from analytics.openapi import configuring, looking_up, reading, telemetry

OPERATIONS = (
    *telemetry.OPERATIONS,
    *reading.OPERATIONS,
    *looking_up.OPERATIONS,
    *configuring.OPERATIONS,
)

__all__ = ["OPERATIONS"]
