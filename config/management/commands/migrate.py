"""``manage.py migrate``: Django's, with an entry in the audit log where it changed a schema."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from audit.actors import shell
from audit.events import EventType
from audit.record import record

AUDITED = ("default", "wisdom")
"""Databases with a staging table; what is done to another is told in the first."""


class Command(migrate.Command):
    """Migrate, and record it in the database that was migrated, where that has the tables for it.

    The very first migration makes those tables; `system.first_start` stands for it.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        """Run Django's command, and count what it applied."""
        connection = connections[options["database"]]
        before = set(MigrationRecorder(connection).applied_migrations())
        super().handle(*args, **options)
        after = set(MigrationRecorder(connection).applied_migrations())
        if ("audit", "0001_initial") in before & after and before != after:
            record(
                event=EventType.MIGRATION_APPLIED,
                actor=shell(),
                now=timezone.now(),
                resource=f"database:{options['database']}",
                detail={
                    "applied": len(after - before),
                    "unapplied": len(before - after),
                    "newest": ", ".join(sorted(".".join(each) for each in before ^ after))[:1000],
                },
                using=options["database"] if options["database"] in AUDITED else "default",
            )
