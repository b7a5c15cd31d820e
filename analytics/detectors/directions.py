"""The four directions a contact can have; the network arithmetic lives in `destinations`."""

from destinations.networks import Direction

__all__ = ["Direction"]
