"""``manage.py first_start``: make what a new deployment on one machine needs."""

import json
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from config.first_start import (
    keep_peppers,
    keep_signing_key,
    make_first_accounts,
    make_key_files,
)


class Command(BaseCommand):
    """Make key files, a tenant, a staff owner, an engine's credential, the default feeds."""

    help = (
        "Make what is missing of: key files, a tenant with an API key, a staff owner, an engine's "
        "Wisdom credential, the default feeds. The last line of stdout is JSON: what is shown once."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run it."""
        make_key_files()
        keep_peppers(now=timezone.now())
        keep_signing_key()
        self.stdout.write(json.dumps(make_first_accounts(now=timezone.now())))
