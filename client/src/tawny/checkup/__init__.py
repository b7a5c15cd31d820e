"""What ``tawny doctor`` looks at, one thing after the other, and what to do about each."""

from tawny.checkup.examination import Examination
from tawny.checkup.values import Check, State

__all__ = ["Check", "Examination", "State"]
