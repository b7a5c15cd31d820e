# ruff: noqa: N999 -- the name that is typed: ``manage.py break-glass``
"""``manage.py break-glass``: see `console.management.commands._emergencies`."""

from console.management.commands._emergencies import Command

__all__ = ["Command"]
