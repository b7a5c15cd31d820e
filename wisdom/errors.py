"""What can go wrong in Wisdom.

::

    WisdomError
    └── SnapshotDamaged    a snapshot on disk is not what its manifest says
"""


class WisdomError(Exception):
    """Something in Wisdom is wrong; ``code`` says what and stays the same for good."""

    code = "wisdom"


class SnapshotDamaged(WisdomError):  # noqa: N818 -- the tree names what happened, the root says Error
    """A snapshot on disk is missing, cut short or changed."""

    code = "snapshot_damaged"
