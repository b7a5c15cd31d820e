"""What a password may not lean on: words that whoever guesses would try first (ASVS 6.2.11)."""

import re

from django.conf import settings
from django.core.exceptions import ValidationError

from console.models import Staff

PRODUCT = ("tawny", "console", "wisdom", "owner", "operator", "analyst", "auditor")
SHORTEST_WORD = 4
"""Letters: a shorter part of a host's or a person's name stands in passwords by chance."""
LEAST_BESIDE = 12
"""Characters that must remain beside such words: the least length of a password."""


class NotOfContextAlone:
    """Counts no word of the product, the deployment's hosts or the person's own name."""

    def validate(self, password: str, user: Staff | None = None) -> None:
        """Raise ``ValidationError`` where too little remains beside such words."""
        remaining = password.casefold()
        for word in sorted(words(user), key=len, reverse=True):
            remaining = remaining.replace(word, "")
        if len(remaining) < LEAST_BESIDE:
            raise ValidationError(self.get_help_text(), code="password_of_context")

    def get_help_text(self) -> str:
        """Say the rule."""
        return (
            "The product's, the server's and your own name count for nothing: beside them, "
            f"{LEAST_BESIDE} characters must remain."
        )


def words(user: Staff | None) -> set[str]:
    """Return the words that count for nothing, in lower case."""
    named = [*PRODUCT, *settings.ALLOWED_HOSTS, "" if user is None else user.username]
    parts = {part for name in named for part in re.split(r"[^a-z0-9]+", name.casefold())}
    return {part for part in parts if len(part) >= SHORTEST_WORD}
